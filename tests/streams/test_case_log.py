"""Restoring case work from its topics: a snapshot and the events after it, or every event, or a loud refusal."""

import asyncio
import hashlib
from typing import Any

import pytest

from cases.deadlines import default_deadlines
from cases.snapshot import CODEC_VERSION, FOLD_VERSION, encode_record
from schemas.case_commands import (
    Accept,
    CaseCommand,
    CaseTick,
    Close,
    Contact,
    Contest,
    Feedback,
    Inhibit,
    Lift,
    Refer,
    Snooze,
    Verify,
)
from schemas.case_words import EventType
from schemas.errors import Stop
from schemas.topics import CASE_EVENTS, CASE_STATE
from streams import case_snapshot
from streams.casework import Casework
from tests.cases.builders import SEEN, alert, ms
from tests.streams.case_topics import Desk, Topics, known

NOON = ms("2026-05-14 12:00")


def from_events(topics: Topics) -> dict[str, Any]:
    """What a worker knows that reads every event."""
    alone = Topics()
    alone.records[CASE_EVENTS] = topics.records[CASE_EVENTS]
    return known(Desk(alone).part.work)


def busy(topics: Topics, households: int = 12, every: int = 1) -> Desk:
    """Some households' cases, some of them accepted, with a checkpoint after each."""
    desk = Desk(topics, every)
    for n in range(households):
        desk.alert(alert(f"a{n}", household=f"h_{n}"), NOON + n)
        desk.checkpoint()
    for n, case_id in enumerate(list(desk.part.work.view.cases)[: households // 2]):
        desk.accept(case_id, f"c{n}", NOON + households + n)
        desk.checkpoint()
    return desk


def test_a_restart_reads_the_snapshot_and_no_event_before_its_marker() -> None:
    topics = Topics()
    busy(topics, every=5)
    desk = Desk(topics)
    assert desk.fetched[CASE_EVENTS] == 3
    assert known(desk.part.work) == from_events(topics)


def test_a_snapshot_is_due_after_so_many_events_and_holds_only_what_changed() -> None:
    topics = Topics()
    busy(topics, every=6)
    places = topics.markers()
    assert places == [6, 13, 20]
    assert len({key for key, _ in topics.records[CASE_STATE]}) == 13


def test_events_are_durable_before_the_snapshot_that_counts_them() -> None:
    desk = Desk(Topics())
    desk.alert(alert("a"), NOON)
    before = len(desk.topics.records[CASE_EVENTS])
    desk.checkpoint()
    marker = case_snapshot.decode_marker(desk.topics.records[CASE_STATE][-1][1] or b"")
    assert marker is not None
    assert (before, marker.next, marker.events, marker.opened) == (0, 1, 1, 1)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_snapshot_cut_off_anywhere_is_as_good_as_the_one_before(cut: int) -> None:
    topics = Topics()
    desk = busy(topics, every=4)
    for n in range(4):
        desk.alert(alert(f"z{n}", household=f"h_z{n}"), NOON + 100)
    desk.checkpoint()
    del topics.records[CASE_STATE][-cut:]
    again = Desk(topics)
    assert known(again.part.work) == from_events(topics)
    again.alert(alert("next", household="h_next"), NOON + 200)
    again.checkpoint()
    assert known(Desk(topics).part.work) == from_events(topics)


def test_without_its_marker_the_first_snapshot_is_not_used() -> None:
    topics = Topics()
    desk = Desk(topics)
    desk.alert(alert("a"), NOON)
    desk.checkpoint()
    topics.records[CASE_STATE].pop()
    desk = Desk(topics)
    assert desk.fetched[CASE_EVENTS] == 1
    assert known(desk.part.work) == from_events(topics)


def test_a_snapshot_that_lost_a_record_is_not_used() -> None:
    topics = Topics()
    busy(topics)
    gone = topics.records[CASE_STATE][0][0]
    topics.records[CASE_STATE] = [record for record in topics.records[CASE_STATE] if record[0] != gone]
    desk = Desk(topics)
    assert desk.fetched[CASE_EVENTS] == len(topics.records[CASE_EVENTS])
    assert known(desk.part.work) == from_events(topics)


def test_compaction_keeps_what_a_restart_needs() -> None:
    topics = Topics()
    busy(topics)
    topics.records[CASE_STATE] = list(dict(topics.records[CASE_STATE]).items())
    desk = Desk(topics)
    assert desk.fetched[CASE_EVENTS] == 0
    assert known(desk.part.work) == from_events(topics)


@pytest.mark.parametrize("byte", [0, 1])
def test_a_snapshot_of_other_code_is_as_good_as_none_and_soon_replaced(byte: int) -> None:
    topics = Topics()
    busy(topics)
    foreign = [(key, _other(value or b"", byte)) for key, value in topics.records[CASE_STATE]]
    topics.records[CASE_STATE] = list(foreign)
    desk = Desk(topics)
    assert desk.fetched[CASE_EVENTS] == len(topics.records[CASE_EVENTS])
    assert known(desk.part.work) == from_events(topics)
    desk.command(CaseTick(at_ms=NOON + 1000), NOON + 1000)
    desk.checkpoint()
    again = Desk(topics)
    assert again.fetched[CASE_EVENTS] == 0
    assert known(again.part.work) == from_events(topics)


def _other(value: bytes, byte: int) -> bytes:
    return value[:byte] + bytes([value[byte] + 1]) + value[byte + 1 :]


def test_a_cut_log_is_refused_unless_a_snapshot_covers_what_is_gone() -> None:
    topics = Topics()
    busy(topics, every=5)
    whole = from_events(topics)
    covered = len(topics.records[CASE_EVENTS]) - 3
    topics.first[CASE_EVENTS] = covered
    assert known(Desk(topics).part.work) == whole
    topics.first[CASE_EVENTS] = covered + 1
    with pytest.raises(Stop, match="已被清除"):
        Desk(topics)
    topics.first[CASE_EVENTS] = 1
    topics.records[CASE_STATE].clear()
    with pytest.raises(Stop, match="已被清除"):
        Desk(topics)


def test_fewer_events_than_the_snapshot_counts_are_refused() -> None:
    topics = Topics()
    busy(topics)
    topics.records[CASE_EVENTS].pop()
    with pytest.raises(Stop, match="有缺失"):
        Desk(topics)


@pytest.mark.parametrize("topic", [CASE_EVENTS, CASE_STATE])
def test_a_second_writer_in_either_topic_stops_the_first(topic: str) -> None:
    topics = Topics()
    desk = busy(topics)
    topics.records[topic].append(topics.records[topic][-1])
    desk.alert(alert("b"), NOON + 100)
    with pytest.raises(Stop, match="他人写入"):
        desk.checkpoint()


def test_an_older_record_written_later_is_ignored_and_written_over() -> None:
    """A worker that was frozen wakes up in the moment between its fence and its write."""
    topics = Topics()
    busy(topics, 4)
    records = topics.records[CASE_STATE]
    key, stale = records[0]
    records += [(key, stale), records[1]]
    desk = Desk(topics)
    assert known(desk.part.work) == from_events(topics)
    desk.alert(alert("b", household="h_b"), NOON + 100)
    desk.checkpoint()
    topics.records[CASE_STATE] = list(dict(records).items())
    again = Desk(topics)
    assert again.fetched[CASE_EVENTS] == 0
    assert known(again.part.work) == from_events(topics)


def test_who_comes_back_reads_only_what_others_did_meanwhile() -> None:
    topics = Topics()
    desk = busy(topics)
    assert desk.part.reset()
    other = Desk(topics)
    other.alert(alert("b", household="h_b"), NOON + 100)
    other.checkpoint()
    assert desk.load()
    assert desk.fetched[CASE_EVENTS] == 1
    assert known(desk.part.work) == from_events(topics)
    desk.accept(next(iter(desk.part.work.view.cases)), "again", NOON + 101)
    desk.checkpoint()
    assert known(Desk(topics).part.work) == from_events(topics)


@pytest.mark.parametrize("answers", range(6))
def test_an_assignment_that_ends_while_it_restores_is_restored_again(answers: int) -> None:
    topics = Topics()
    busy(topics, every=5)
    desk = Desk(Topics())
    desk.log.forget(0)
    desk.topics.records.update(topics.records)
    left = iter([True] * answers)
    assert not asyncio.run(desk.log.load(0, desk.part.restore, lambda: next(left, False)))
    assert desk.part.reset()
    assert desk.load()
    assert known(desk.part.work) == from_events(topics)


def test_a_case_that_outgrows_a_record_ends_snapshots_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics()
    desk = busy(topics, 4)
    marks = len(topics.markers())
    monkeypatch.setattr(case_snapshot, "LIMIT_BYTES", 1500)
    case_id = next(iter(desk.part.work.view.cases))
    for n in range(8):
        desk.accept(case_id, f"more{n}", NOON + 100)
        desk.checkpoint()
    assert len(topics.markers()) < marks + 8
    assert known(Desk(topics).part.work) == from_events(topics)


WORK: list[tuple[type[CaseCommand], dict[str, Any]]] = [
    (Accept, {}),
    (Verify, {"result": "need", "evidence": [SEEN], "reply": "heard"}),
    (Refer, {"referrals": [{"department": "医保局", "item": "医疗救助"}]}),
    (Snooze, {"until": "2026-05-20", "reason": "in_hospital"}),
    (Feedback, {"referral": "R1", "result": "provided"}),
    (Contact, {"purpose": "入户前联系"}),
    (Inhibit, {"detector": "MED-SELFPAY", "until": "2026-06-20", "reason": "in_hand"}),
    (Lift, {"detector": "MED-SELFPAY"}),
    (Close, {"outcome": "temp_aid"}),
    (Contest, {"statement": "有不同意见"}),
    (Close, {"outcome": "temp_aid"}),
]


def test_whoever_changes_the_fold_raises_its_version() -> None:
    """Snapshots hold what a fold of events made; by another fold of the same events they would be wrong.

    Changed deadlines change the events and so the digest, but not the version.
    """
    work = Casework(0, 1, default_deadlines())
    events = work.on_alert(alert("a", household="h_1"), NOON)
    who = {"case_id": events[0].case_id, "household": "h_1", "actor": "王"}
    events += work.on_alert(alert("a", 2, "updated", household="h_1", severity=3), NOON)
    events += work.on_alert(alert("b", household="h_1", family="entitlement"), NOON)
    events += work.on_alert(alert("c", household="h_2", baseline=True, per_day=1), NOON)
    for number, (kind, fields) in enumerate(WORK, 1):
        events += work.on_command(kind.model_validate({**who, "command_id": f"c{number}", **fields}), NOON + number)
    events += work.on_tick(NOON + 90 * 86_400_000)
    assert {event.type for event in events} == set(EventType)
    records = b"".join(encode_record(work.record(case_id)) for case_id in work.view.chains)
    digest = hashlib.sha256(records).hexdigest()[:16]
    assert {(CODEC_VERSION, FOLD_VERSION): digest} == {(1, 2): "3cb13f502b4a42f7"}
