"""What once stopped the gateway, or showed a number, as fuzzing found it: each is now an answer."""

import json
from pathlib import Path

import pytest

from gateway.events import BatchPlan
from gateway.mapping import load_mapping
from gateway.template import mapping_text
from gateway.values import BadValue, day, moment, serial
from schemas.errors import CallError
from schemas.feed import FEEDS
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_check import check
from tests.gateway.test_publish import publish
from tests.gateway.test_sealed import event, feed, take


@pytest.mark.parametrize("sealedid", ["密封", "\ud800", "%%", ""])
def test_what_is_no_seal_is_a_broken_seal(sealedid: str) -> None:
    made, outlet = feed()
    take(made, 0, [event("S1", number(1), sealedid=sealedid), event("S2", number(2))])
    assert made.refused == {"SEAL_BROKEN": 1}
    assert len(outlet.deliveries()) == 1


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_in_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="年"):
        moment(text)


@pytest.mark.parametrize("text", ["፩፩፩፩፩", "፩፩፩፩፩፩፩፩", "𐩀𐩁𐩂𐩀𐩁"])
def test_digits_only_unicode_knows_are_no_day(text: str) -> None:
    for read in (day, serial):
        with pytest.raises(BadValue):
            read(text)
    with pytest.raises(CallError, match="YYYY-MM"):
        BatchPlan(f"2026-{text[:2]}", ("339901000000",))


def test_a_name_that_is_a_number_is_not_repeated(tmp_path: Path) -> None:
    made, path = tmp_path / "m.yaml", tmp_path / "a.jsonl"
    made.write_text(mapping_text(FEEDS["vital.death"]), encoding="utf-8")
    path.write_text(json.dumps({"证件号码": number(1), number(2): "x"}) + "\n", encoding="utf-8")
    mapping = load_mapping(made)
    report, done = check(path, "vital.death", mapping=mapping), publish(path, Outlet(), "vital.death", mapping=mapping)
    assert report.by_code == {"UNKNOWN_FIELD": 1}
    for problem in (*report.problems, *done.problems):
        assert number(2) not in problem.text
