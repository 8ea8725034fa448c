"""A rule that opens far more cases than its files usually bring waits for a person; what is urgent never does."""

from datetime import date
from typing import Any

import pytest

from cases.deadlines import default_deadlines
from cases.grouping import StormLine
from cases.storm import limit
from cases.view import refusal_of
from schemas.case_commands import Accept, StormRelease, decode_command, encode_command
from schemas.case_words import EventType, Refusal, Role, State
from schemas.cases import CaseEvent, ReleasedBody, decode_event, encode_event
from streams.case_partition import CasePartition
from streams.case_snapshot import snapshot_of
from streams.casework import Casework
from tests.cases.builders import alert, ms
from tests.streams.case_topics import known
from tests.streams.making import PUBLIC_KEY

DAY = 86_400_000
LINE = StormLine(times=5, least=100, months=3)
MAY, JUNE = ms("2026-05-12 09:00"), ms("2026-06-12 09:00")
CODE, NAME = "MED-SELFPAY", "MED-SELFPAY/2026-06-12"


class Desk:
    """One of four partitions; the month before the rule opened ten cases on one day: the least is 25, the limit 50."""

    def __init__(self, *, before: int = 10) -> None:
        self.work, self.said = Casework(0, 4, default_deadlines()), list[CaseEvent]()
        for n in range(before):
            self.hears(f"m{n}", MAY)

    def hears(self, name: str, at_ms: int, **more: Any) -> CaseEvent:
        [event] = self.work.on_alert(alert(name, household=f"h_{name}", **more), at_ms)
        self.said.append(event)
        return event

    def flood(self, count: int, **more: Any) -> list[State]:
        opened = [self.hears(f"j{n}", JUNE + n, **more) for n in range(count)]
        return [self.work.view.cases[event.case_id].state for event in opened]

    def releases(self, at_ms: int) -> list[CaseEvent]:
        order = StormRelease(command_id="s1", detector=CODE, on=date(2026, 6, 12), reason="已核实", actor="主管")
        events = self.work.on_storm_release(order, at_ms)
        self.said += events
        return events


def restarted(events: list[CaseEvent]) -> Casework:
    work = Casework(0, 4, default_deadlines())
    for event in events:
        work.restore(decode_event(encode_event(event)))
    return work


@pytest.mark.parametrize(
    ("opened", "most"),
    [
        ({}, None),
        ({date(2026, 6, 1): 400}, None),
        ({date(2026, 5, 3): 10}, 50),
        ({date(2026, 5, 3): 2}, 25),
        ({date(2026, 3, 3): 10, date(2026, 4, 3): 90, date(2026, 5, 3): 10, date(2026, 5, 9): 12}, 60),
        ({date(2026, 1, 3): 90}, 25),
        ({date(2025, 12, 3): 90, date(2026, 6, 2): 3}, 25),
    ],
)
def test_a_day_is_compared_with_the_fullest_days_of_the_months_before(
    opened: dict[date, int], most: int | None
) -> None:
    assert limit(opened, date(2026, 6, 12), LINE, 4) == most


def test_what_exceeds_the_limit_waits_and_is_seen() -> None:
    desk = Desk()
    states = desk.flood(60)
    assert states == [State.OPEN] * 50 + [State.STORM] * 10
    last = desk.said[-1]
    assert (last.type, last.reason_code) == (EventType.OPENED, "storm")
    case = desk.work.view.cases[last.case_id]
    assert (case.storm, case.clocks) == (NAME, ())
    who = {"command_id": "1", "case_id": case.case_id, "household": case.household, "actor": "王"}
    [refused] = desk.work.on_command(Accept.model_validate(who), JUNE + 100)
    assert refusal_of(refused) is Refusal.STORM
    assert {e.type for e in desk.work.on_tick(JUNE + 1000)} == {EventType.OVERDUE}, "no daily portion lets it go"


def test_a_rule_without_earlier_months_is_compared_with_nothing() -> None:
    assert set(Desk(before=0).flood(60)) == {State.OPEN}


@pytest.mark.parametrize(
    "more", [{"severity": 4}, {"detector": "DISASTER-ACCIDENT"}, {"detector": "CHILD-GUARDIAN"}]
)
def test_what_is_urgent_never_waits(more: dict[str, Any]) -> None:
    desk = Desk(before=0)
    for n in range(3):
        desk.hears(f"m{n}", MAY, **more)
    assert set(desk.flood(60, **more)) == {State.OPEN}


def test_the_stock_at_golive_is_no_storm_and_does_not_count() -> None:
    desk = Desk()
    assert set(desk.flood(60, baseline=True, per_day=4)) == {State.HELD}
    assert desk.work.view.cases[desk.hears("x", JUNE + 100).case_id].state is State.OPEN


def test_a_person_lets_them_go_and_the_day_is_no_storm_any_more() -> None:
    desk = Desk()
    desk.flood(60)
    released = desk.releases(JUNE + 1000)
    assert len(released) == 10
    first = released[0]
    assert isinstance(first.body, ReleasedBody)
    assert (first.actor, first.role, first.body.note, first.body.storm) == ("主管", Role.SUPERVISOR, "已核实", NAME)
    assert all(desk.work.view.cases[e.case_id].state is State.OPEN for e in released)
    assert first.body.clocks
    assert desk.releases(JUNE + 1000) == []
    after = desk.hears("y", JUNE + 2000)
    assert desk.work.view.cases[after.case_id].state is State.OPEN
    again = restarted(desk.said)
    assert known(again) == known(desk.work)
    [event] = again.on_alert(alert("z", household="h_z"), JUNE + 3000)
    assert again.view.cases[event.case_id].state is State.OPEN


def test_a_release_cut_off_by_a_crash_goes_on_where_its_events_ended() -> None:
    desk = Desk()
    desk.flood(60)
    before, whole = list(desk.said), desk.releases(JUNE + 1000)
    for kept in range(len(whole) + 1):
        half = Desk.__new__(Desk)
        half.work, half.said = restarted([*before, *whole[:kept]]), []
        assert half.releases(JUNE + 1000) == whole[kept:]


@pytest.mark.parametrize(
    ("told", "released"),
    [
        ({"detector": "JOB-LOSS", "cause": "q"}, True),
        ({"cause": "q"}, False),
        ({"cause": "q", "severity": 4}, True),
        ({"detector": "JOB-LOSS", "cause": "q", "baseline": True, "per_day": 1}, False),
    ],
)
def test_something_else_takes_the_household_out_of_the_storm(told: dict[str, Any], *, released: bool) -> None:
    desk = Desk()
    desk.flood(60)
    case = desk.work.view.cases[desk.said[-1].case_id]
    desk.work.on_alert(alert("other", household=case.household, **told), JUNE + 500)
    assert (case.state is State.OPEN) is released


def test_what_becomes_urgent_in_a_storm_is_let_go_at_once() -> None:
    desk = Desk()
    desk.flood(60)
    case = desk.work.view.cases[desk.said[-1].case_id]
    [event] = desk.work.on_alert(alert("j59", 2, "updated", household=case.household, severity=4), JUNE + 500)
    assert event.type is EventType.JOINED
    assert case.state is State.OPEN
    assert any(clock.natural for clock in case.clocks)


def test_a_restart_at_any_point_holds_the_same() -> None:
    desk = Desk()
    desk.flood(60)
    events = desk.said
    for cut in (10, 30, 59, 62, len(events)):
        work = restarted(events[:cut])
        for event, n in zip(events[cut:], range(cut - 10, 60), strict=True):
            assert work.on_alert(alert(f"j{n}", household=f"h_j{n}"), JUNE + n) == [event]
        part = CasePartition(0, 4, PUBLIC_KEY)
        for item in snapshot_of(work, 0):
            part.restore(item.key, item.value)
        part.opened()
        assert known(part.work) == known(work)


def test_the_order_survives_the_wire() -> None:
    order = StormRelease(command_id="1", detector=CODE, on=date(2026, 6, 12), reason="已核实", actor="王")
    assert decode_command(encode_command(order)) == order
