"""Version 1 and version 2 of one feed at the same time: two publishers, two topics, one fact."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.identities import Linkage
from gateway.publish import publish_file
from gateway.rows import column_of
from households.ledger import Household
from load_tests.chaos.events import Pen, membership
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.envelope import Problem
from schemas.facts import Contribution
from schemas.feed import FEEDS
from schemas.generate import example_event
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS, Catalogue
from streams.lag import STAGE_TOPICS
from streams.registry import Registry
from streams.routing import Inbound, Router
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.streams.making import BY_TOPIC, inbound

KIND = "employment.contribution"
HOME = "h_" + "1" * 32
WHO = number(7)
LINKAGE = Linkage(b"k" * 32, synthetic=True)
AT = datetime(2026, 6, 3, 9, tzinfo=UTC)
CELLS = {
    1: {"month": "2026-05", "employer": "E1", "base": "5200"},
    2: {
        "month": "2026-05", "employer": "E1", "employer_kind": "企业", "base": "5300", "pension": "是", "medical": "否",
        "unemployment": "是", "back_paid": "否", "paid_on": "2026-05-21",
    },
}  # fmt: skip


def published(folder: Path, version: int, recorded: datetime) -> Outlet:
    """A department's table in the layout of a version, published under that version's name."""
    spec, outlet = FEEDS[f"{KIND}.v{version}"], Outlet(1)
    cells = CELLS[version]
    fields = [field for field in spec.fields if field.name in cells]
    path = folder / f"v{version}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [["证件号码", *map(column_of, fields)], [WHO, *(cells[field.name] for field in fields)]]
        csv.writer(file).writerows(rows)
    done = publish_file(path, spec.name, publisher=outlet, linkage=LINKAGE, recorded=recorded)
    assert (done.receipt.sent, done.problems) == (1, ())
    assert {sent.topic for sent in outlet.sent} == {f"feeds.{KIND}.v{version}"}
    return outlet


def ledger(*outlets: Outlet) -> Household:
    """What one household knows after intake read both topics."""
    router, household = Router(Registry(), 1, bytes(range(32))), Household(HOME)
    pen = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), 1)
    home = membership(HOME, SINCE, "CHILD", BORN["CHILD"])
    for topic, polled in inbound([pen.event("civil.household", "m1", LINKAGE.person(WHO), home, SINCE)]).items():
        router.take(BY_TOPIC[topic], polled)
    known_at = int((AT + timedelta(days=2)).timestamp() * 1000)
    for outlet in outlets:
        for offset, sent in enumerate(outlet.sent):
            router.take(BY_TOPIC[sent.topic], [Inbound(sent.topic, 0, offset, known_at, sent.key, sent.value)])
    for letter in router.drain()[0]:
        assert letter.topic == HOUSEHOLD_EVENTS, letter.headers
        for record in decode_block(letter.value or b""):
            assert isinstance(record, FactRecord)
            household.fold(record.body)
    return household


def test_publishers_of_both_versions_tell_one_fact_and_the_newest_record_counts(tmp_path: Path) -> None:
    old, new = published(tmp_path, 1, AT), published(tmp_path, 2, AT + timedelta(hours=1))
    for outlets in ((old, new), (new, old)):
        (fact,) = ledger(*outlets).contributions()
        assert (fact.base_fen, fact.insured, fact.employer_kind, fact.back_paid) == (530_000, "PU", "COMPANY", False)
        assert fact.day == date(2026, 5, 1).toordinal()
    older = published(tmp_path, 2, AT - timedelta(hours=1))
    (fact,) = ledger(older, old).contributions()
    assert (fact.base_fen, fact.insured) == (520_000, "")


def test_a_kind_means_its_oldest_version_and_a_name_exactly_one() -> None:
    assert FEEDS[KIND] is FEEDS[f"{KIND}.v1"]
    assert [spec.version for spec in FEEDS.versions(KIND)] == [1, 2]
    assert FEEDS[f"{KIND}.v2"].topic == f"feeds.{KIND}.v2"
    assert f"{KIND}.v3" not in FEEDS
    assert list(FEEDS).count(KIND) == 1


@pytest.mark.parametrize(("sent", "read", "code"), [(1, 2, "MISSING_FIELD"), (2, 1, "UNKNOWN_FIELD")])
def test_a_version_in_the_others_topic_is_refused(sent: int, read: int, code: str) -> None:
    message = json.dumps(example_event(FEEDS[f"{KIND}.v{sent}"])).encode()
    (problem,) = FEEDS[f"{KIND}.v{read}"].decode(message, 1_782_792_000_000)
    assert isinstance(problem, Problem)
    assert problem.code == code


def test_intake_lag_and_catalogue_know_every_version() -> None:
    topics = {spec.topic for spec in FEEDS.every}
    assert set(STAGE_TOPICS["intake"]) == topics <= set(Catalogue.load().names)


def test_facts_kept_before_version_2_are_read_as_they_were_meant() -> None:
    new = Contribution("k", 1, 0, "e", "s", False, 739_000, "E1", 5)
    raw = msgspec.msgpack.encode(msgspec.msgpack.decode(msgspec.msgpack.encode(new))[:-3])
    assert msgspec.msgpack.decode(raw, type=Contribution) == new
