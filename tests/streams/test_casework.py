"""A partition's case work: what alerts, commands and ticks become, once each, whatever is read again."""

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from cases.deadlines import default_deadlines
from cases.identity import partition_in
from schemas.alerts import Alert
from schemas.case_commands import Accept, CaseCommand, Close, Contest, Refer, Snooze, Verify
from schemas.case_words import EventType, Lane, Outcome, SnoozeReason, State, VerifyResult
from schemas.cases import AnnotatedBody, CaseEvent, JoinedBody, OpenedBody, OverdueBody, ReleasedBody
from schemas.errors import Stop
from streams.casework import Casework
from tests.cases.builders import HOUSEHOLD, SEEN, alert, ms

NOON = ms("2026-05-14 12:00")
DAY = 86_400_000
OTHER = "h_" + "0" * 31 + "2"


def work(partition: int = 0, partitions: int = 4) -> Casework:
    return Casework(partition, partitions, default_deadlines())


def only(events: list[CaseEvent]) -> CaseEvent:
    [event] = events
    return event


def finish(desk: Casework, case_id: str, at_ms: int, household: str = HOUSEHOLD) -> None:
    """Accepts, verifies and closes a case."""
    who, nth = {"case_id": case_id, "household": household, "actor": "王"}, desk.view.next_seq(case_id)
    commands: list[CaseCommand] = [
        Accept.model_validate({**who, "command_id": f"{case_id}.{nth}"}),
        Verify.model_validate(
            {**who, "command_id": f"{case_id}.{nth + 1}", "result": VerifyResult.NO_NEED, "evidence": [SEEN]}
        ),
        Close.model_validate({**who, "command_id": f"{case_id}.{nth + 2}", "outcome": Outcome.NO_NEED}),
    ]
    for command in commands:
        desk.on_command(command, at_ms)


def kinds(events: list[CaseEvent]) -> list[EventType]:
    return [event.type for event in events]


def test_alerts_of_a_household_share_one_case_per_lane() -> None:
    desk = work()
    first = only(desk.on_alert(alert("a"), NOON))
    second = only(desk.on_alert(alert("b", family="entitlement", severity=3), NOON))
    review = only(desk.on_alert(alert("c", family="review"), NOON))
    quality = only(desk.on_alert(alert("d", family="quality"), NOON))
    other = only(desk.on_alert(alert("e", household=OTHER), NOON))
    assert kinds([first, second, review, quality, other]) == ["opened", "joined", "opened", "opened", "opened"]
    assert second.case_id == first.case_id
    assert [e.lane for e in (first, review, quality)] == [Lane.HELP, Lane.REVIEW, Lane.DATA]
    assert desk.view.cases[first.case_id].severity == 3


def test_a_worse_alert_makes_the_clocks_run_faster_never_slower() -> None:
    desk = work()
    case = desk.view.cases[only(desk.on_alert(alert("a", severity=1), NOON)).case_id]
    slow = case.clocks
    desk.on_alert(alert("a", 2, "updated", severity=4), NOON + 1)
    fast = case.clocks
    desk.on_alert(alert("b", severity=2), NOON + 2)
    assert all(new.due <= old.due for old, new in zip(slow, fast, strict=True))
    assert any(new.natural for new in fast)
    assert case.clocks == fast


@pytest.mark.parametrize("state", ["updated", "withdrawn", "lapsed", "moved"])
def test_what_happens_to_an_alert_is_noted_and_never_closes(state: str) -> None:
    desk = work()
    opened = only(desk.on_alert(alert("a"), NOON))
    noted = only(desk.on_alert(Alert.model_validate(alert("a", 2).model_dump() | {"state": state}), NOON + 1))
    assert isinstance(noted.body, AnnotatedBody)
    assert noted.reason_code == state
    assert desk.view.cases[opened.case_id].state is State.OPEN


def test_after_closing_a_remark_goes_to_the_old_case_and_much_later_a_return_opens_a_new_one() -> None:
    desk = work()
    first = only(desk.on_alert(alert("a"), NOON)).case_id
    finish(desk, first, NOON)
    assert only(desk.on_alert(alert("a", 2, "updated"), NOON)).case_id == first
    assert only(desk.on_alert(alert("a", 3, "lapsed"), NOON)).case_id == first
    again = only(desk.on_alert(alert("a", 4), NOON + 100 * DAY))
    assert again.type is EventType.OPENED
    finish(desk, again.case_id, NOON + 100 * DAY)
    worse = only(desk.on_alert(alert("a", 5, "updated", severity=4), NOON + 140 * DAY))
    assert worse.type is EventType.OPENED
    assert len({first, again.case_id, worse.case_id}) == 3


def test_who_moves_in_brings_the_alert_and_the_old_case_stays() -> None:
    desk = work()
    old = only(desk.on_alert(alert("a"), NOON))
    gone = only(desk.on_alert(alert("a", 2, "moved", moved_to=OTHER), NOON))
    arrived = only(desk.on_alert(alert("a", 3, "updated", household=OTHER, continues=old.case_id), NOON))
    assert gone.case_id == old.case_id
    assert isinstance(arrived.body, OpenedBody)
    assert arrived.body.alert.continues == old.case_id
    assert desk.view.cases[old.case_id].state is State.OPEN
    desk.on_alert(alert("a", 4, "moved", household=OTHER, moved_to=HOUSEHOLD), NOON)
    finish(desk, old.case_id, NOON)
    assert only(desk.on_alert(alert("a", 5, "updated"), NOON + 100 * DAY)).type is EventType.OPENED


def test_an_alert_that_ended_before_anybody_heard_of_it_says_nothing() -> None:
    desk = work()
    assert desk.on_alert(alert("a", 2, "withdrawn"), NOON) == []
    assert desk.on_alert(alert("a", 1), NOON) == []
    assert only(desk.on_alert(alert("a", 3), NOON)).type is EventType.OPENED


def test_numbers_are_sayable_and_unique_across_partitions() -> None:
    numbers = []
    for partition in (0, 3, 11):
        desk = work(partition, 12)
        for n in range(3):
            body = only(desk.on_alert(alert(f"{partition}.{n}", household=f"h_{partition}_{n}"), NOON)).body
            assert isinstance(body, OpenedBody)
            assert partition_in(body.number) == partition
            numbers.append(body.number)
    assert numbers[0] == "2026-339901-0000001"
    assert len(set(numbers)) == len(numbers)


def test_baseline_waits_and_leaves_in_daily_portions_worst_first() -> None:
    desk = work(0, 4)
    for n in range(5):
        told = alert(f"b{n}", household=f"h_{n}", severity=1 + n % 2, baseline=True, per_day=7)
        event = only(desk.on_alert(told, NOON))
        assert desk.view.cases[event.case_id].state is State.HELD
        assert desk.view.cases[event.case_id].clocks == ()
    assert desk.on_tick(NOON) == []
    first_day = desk.on_tick(NOON + 1)
    assert kinds(first_day) == ["released"] * 2  # 7 a day over 4 partitions, rounded up
    assert [desk.view.cases[e.case_id].severity for e in first_day] == [2, 2]
    assert desk.on_tick(NOON + 3_600_000) == []
    assert [desk.view.cases[e.case_id].severity for e in desk.on_tick(NOON + DAY)] == [1, 1]
    last = only(desk.on_tick(NOON + 2 * DAY))
    opening = [desk.view.cases[e.case_id].opening for e in [*first_day, last]]
    assert opening[0].alert_id < opening[1].alert_id
    assert desk.on_tick(NOON + 3 * DAY) == []


def test_each_area_has_a_portion_of_its_own() -> None:
    desk, after = work(0, 1), work(0, 1)
    history = []
    for area, per_day, count, severity in (("339901001000", 3, 7, 3), ("339901002000", 1, 3, 1), (None, 2, 3, 2)):
        for n in range(count):
            told = alert(f"{area}{n}", household=f"h_{area}_{n}", severity=severity, baseline=True, per_day=per_day)
            history += desk.on_alert(told.model_copy(update={"quota_area": area}), NOON)
    left = []
    for day in range(4):
        events = desk.on_tick(NOON + 1 + day * DAY)
        history += events
        areas = Counter(e.body.quota_area for e in events if isinstance(e.body, ReleasedBody))
        left.append([areas[each] for each in ("339901001000", "339901002000", None)])
    assert left == [[3, 1, 2], [3, 1, 1], [1, 1, 0], [0, 0, 0]]
    for event in history[: 13 + 4]:  # cut off among the six of the first day
        assert after.restore(event)
    assert after.on_tick(NOON + 1) == history[13 + 4 : 13 + 6]


def test_something_new_in_a_household_takes_its_held_case_along() -> None:
    desk = work()
    held = only(desk.on_alert(alert("a", baseline=True, per_day=1), NOON))
    more = only(desk.on_alert(alert("b", baseline=True, per_day=1), NOON))
    assert isinstance(more.body, JoinedBody)
    assert not more.body.released
    fresh = only(desk.on_alert(alert("c"), NOON))
    assert isinstance(fresh.body, JoinedBody)
    assert fresh.body.released
    assert desk.view.cases[held.case_id].state is State.OPEN


def test_overdue_is_said_once_per_step_and_not_while_paused() -> None:
    desk = work()
    case_id = only(desk.on_alert(alert("a"), NOON)).case_id
    assert desk.on_tick(ms("2026-05-18 23:59")) == []
    said = only(desk.on_tick(ms("2026-05-19 00:00")))
    assert isinstance(said.body, OverdueBody)
    assert said.reason_code == "accept"
    assert desk.view.cases[case_id].overdue
    assert desk.on_tick(ms("2026-05-20 00:00")) == []
    who = {"case_id": case_id, "household": HOUSEHOLD, "actor": "王"}
    desk.on_command(Accept.model_validate({**who, "command_id": "1"}), ms("2026-05-20 09:00"))
    assert not set(desk.view.cases[case_id].overdue) & set(desk.view.cases[case_id].clocks)
    pause = {"command_id": "2", "until": date(2026, 7, 1), "reason": SnoozeReason.IN_HOSPITAL}
    desk.on_command(Snooze.model_validate({**who, **pause}), ms("2026-05-20 10:00"))
    assert desk.on_tick(ms("2026-06-30 00:00")) == []
    assert {e.reason_code for e in desk.on_tick(ms("2026-09-01 00:00"))} == {"verify", "close"}


def test_each_department_has_its_own_deadline() -> None:
    desk = work()
    case_id = only(desk.on_alert(alert("a"), NOON)).case_id
    who = {"case_id": case_id, "household": HOUSEHOLD, "actor": "王"}
    desk.on_command(Accept.model_validate({**who, "command_id": "1"}), NOON)
    found = {"command_id": "2", "result": VerifyResult.NEED, "evidence": [SEEN]}
    desk.on_command(Verify.model_validate({**who, **found}), NOON)
    both = [{"department": "医保局", "item": "医疗救助"}, {"department": "人社局", "item": "公益岗位"}]
    desk.on_command(Refer.model_validate({**who, "command_id": "3", "referrals": both}), NOON)
    late = desk.on_tick(ms("2026-05-30 00:00"))
    assert [e.body.clock.referral for e in late if isinstance(e.body, OverdueBody)] == ["R1", "R2"]


def test_a_command_is_answered_once_whatever_it_says_the_second_time() -> None:
    desk = work()
    case_id = only(desk.on_alert(alert("a"), NOON)).case_id
    who = {"command_id": "1", "case_id": case_id, "household": HOUSEHOLD, "actor": "王"}
    assert len(desk.on_command(Contest.model_validate({**who, "statement": "不同意"}), NOON)) == 1
    assert desk.on_command(Accept.model_validate(who), NOON) == []


def test_history_read_twice_is_ignored_and_a_second_history_stops_the_worker() -> None:
    desk, again = work(), work()
    events = desk.on_alert(alert("a"), NOON) + desk.on_alert(alert("b"), NOON)
    assert [again.restore(event) for event in [*events, *events]] == [True, True, False, False]
    with pytest.raises(Stop, match="两种内容"):
        again.restore(events[1].model_copy(update={"actor": "另一人"}))
    with pytest.raises(Stop, match="不相接"):
        work().restore(events[1])


def test_a_tick_cut_off_by_a_crash_goes_on_where_its_events_ended() -> None:
    desk = work(0, 1)
    history = [
        only(desk.on_alert(alert(f"b{n}", household=f"h_{n}", baseline=True, per_day=4), NOON)) for n in range(6)
    ]
    whole = desk.on_tick(NOON + 1)
    assert len(whole) == 4
    for kept in range(len(whole) + 1):
        after = work(0, 1)
        for event in [*history, *whole[:kept]]:
            after.restore(event)
        assert after.on_tick(NOON + 1) == whole[kept:]


def test_a_day_that_is_over_releases_nothing_more_after_a_restart() -> None:
    desk, after = work(0, 1), work(0, 1)
    history = [
        only(desk.on_alert(alert(f"b{n}", household=f"h_{n}", baseline=True, per_day=1), NOON)) for n in range(3)
    ]
    for event in [*history, *desk.on_tick(NOON + 1), *desk.on_tick(NOON + DAY)]:
        after.restore(event)
    assert after.on_tick(NOON + 1) == []
    assert after.on_tick(NOON + DAY) == []
    assert len(after.on_tick(NOON + 2 * DAY)) == 1


def test_an_older_tick_changes_nothing() -> None:
    desk = work()
    desk.on_alert(alert("a"), NOON)
    said = desk.on_tick(NOON + 60 * DAY)
    assert all(a.at_ms == b.at_ms for a, b in pairwise(said))
    assert desk.on_tick(NOON + 30 * DAY) == []
