"""What once stopped the gateway, or showed a number, as fuzzing found it: each is now an answer."""

import json
from pathlib import Path

import pytest

from gateway.events import BatchPlan
from gateway.mapping import load_mapping
from gateway.template import mapping_text
from gateway.values import LOST, BadValue, day, moment, serial
from schemas.errors import CallError
from schemas.feed import FEEDS
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_check import check
from tests.gateway.test_feed import record
from tests.gateway.test_publish import HEADER, bill, publish, table
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


@pytest.mark.parametrize("lost", ["\ufffd", "\\ufffd", "\\uFFFD", "\\uFfFd"])
@pytest.mark.parametrize("where", ["hospital", "settle_no", "id"])
def test_a_lost_character_in_a_line_of_json_is_refused_by_check_and_publishing(
    tmp_path: Path, where: str, lost: str
) -> None:
    good = record(number(1), disease="某医院", settled_on="2026-05-14", id="R1")
    wrong = json.dumps(good | {where: "某?医院"}, ensure_ascii=False).replace("?", lost)
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(good)}\n{wrong}\n", encoding="utf-8")
    report, done = check(path), publish(path, Outlet())
    assert (report.good, dict(report.by_code)) == (1, {"BAD_ENCODING": 1})
    assert (done.receipt.sent, dict(done.codes)) == (1, {"BAD_ENCODING": 1})


@pytest.mark.parametrize("said", ["{column: 报销流水号, pad_left: 8}", "{join: [结算单号, 报销流水号], opaque: true}"])
def test_two_keys_of_which_a_character_was_lost_do_not_become_one(tmp_path: Path, said: str) -> None:
    header = ["证件号码", "结算单号", "支付方", "报销流水号", "支付日期", "支付金额(元)"]
    rows = [[number(1), "S1", "惠民保", no, "2026-05-14", "12"] for no in ("R\ufffd", "R\ufffd", "R1")]
    path, made, outlet = table(tmp_path / "a.csv", rows, header, encoding="utf-8"), tmp_path / "m.yaml", Outlet()
    made.write_text(f"feed: medical.reimbursement\ncolumns:\n  reimburse_no: {said}\n", encoding="utf-8")
    mapping = load_mapping(made)
    done = publish(path, outlet, "medical.reimbursement", mapping=mapping)
    assert [(each.row, each.reason) for each in done.problems] == [(2, LOST), (3, LOST)]
    assert (len(outlet.deliveries()), check(path, "medical.reimbursement", mapping=mapping).bad) == (1, 2)


def test_an_event_id_of_which_a_character_was_lost_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [[*bill(number(1)), "R\ufffd"]], [*HEADER, "业务流水号"], encoding="utf-8")
    assert [(each.column, each.reason) for each in publish(path, Outlet()).problems] == [("业务流水号", LOST)]


def test_a_name_that_is_a_number_is_not_repeated(tmp_path: Path) -> None:
    made, path = tmp_path / "m.yaml", tmp_path / "a.jsonl"
    made.write_text(mapping_text(FEEDS["vital.death"]), encoding="utf-8")
    path.write_text(json.dumps({"证件号码": number(1), number(2): "x"}) + "\n", encoding="utf-8")
    mapping = load_mapping(made)
    report, done = check(path, "vital.death", mapping=mapping), publish(path, Outlet(), "vital.death", mapping=mapping)
    assert report.by_code == {"UNKNOWN_FIELD": 1}
    for problem in (*report.problems, *done.problems):
        assert number(2) not in problem.text
