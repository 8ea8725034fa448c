"""How alerts of a household come together: worked again, left to rest, or asked to be quiet; never what is urgent."""

from datetime import date
from typing import Any

import pytest

from cases.deadlines import default_deadlines
from cases.view import refusal_of
from schemas.alerts import Alert
from schemas.case_commands import Accept, CaseCommand, Close, Inhibit, Lift, Snooze, Verify
from schemas.case_words import EventType, InhibitReason, Outcome, Refusal, Reply, SnoozeReason, State, VerifyResult
from schemas.cases import AnnotatedBody, CaseEvent, JoinedBody, decode_event, encode_event
from streams.casework import Casework
from tests.cases.builders import AREAS, HOUSEHOLD, SEEN, alert, ms

NOON = ms("2026-05-14 12:00")
DAY = 86_400_000
ELSEWHERE = AREAS.model_copy(update={"responsible": "339901002001"})


class Desk:
    """A partition with one household; everything said is kept."""

    def __init__(self) -> None:
        self.work, self.now, self.said = Casework(0, 1, default_deadlines()), NOON, list[CaseEvent]()

    def later(self, days: float) -> "Desk":
        self.now += round(days * DAY)
        return self

    def hears(self, told: Alert) -> CaseEvent:
        [event] = self.work.on_alert(told, self.now)
        self.said.append(event)
        return event

    def tick(self) -> list[CaseEvent]:
        events = self.work.on_tick(self.now)
        self.said += events
        return [event for event in events if event.type is not EventType.OVERDUE]

    def do(self, kind: type[CaseCommand], case_id: str, **fields: object) -> CaseEvent:
        who = {"command_id": f"c{len(self.said)}", "case_id": case_id, "household": HOUSEHOLD, "actor": "王"}
        [event] = self.work.on_command(kind.model_validate({**who, **fields}), self.now)
        self.said.append(event)
        return event

    def finish(self, case_id: str, outcome: Outcome = Outcome.NO_NEED) -> None:
        found = {Outcome.NO_NEED: VerifyResult.NO_NEED, Outcome.TEMP_AID: VerifyResult.NEED}
        others = {Outcome.HANDED_OVER: VerifyResult.WRONG_AREA, Outcome.UNREACHABLE: VerifyResult.UNREACHABLE}
        self.do(Accept, case_id)
        self.do(Verify, case_id, result=(found | others)[outcome], evidence=[SEEN], reply=Reply.HEARD)
        assert refusal_of(self.do(Close, case_id, outcome=outcome)) is None

    def closed(self, told: Alert, outcome: Outcome = Outcome.NO_NEED) -> str:
        case_id = self.hears(told).case_id
        self.finish(case_id, outcome)
        return case_id

    def inhibit(self, case_id: str, days: int = 20, **fields: Any) -> Refusal | None:
        until = date.fromordinal(date(2026, 5, 14).toordinal() + (self.now - NOON) // DAY + days)
        asked = {"detector": "MED-SELFPAY", "until": until, "reason": InhibitReason.IN_HAND}
        return refusal_of(self.do(Inhibit, case_id, **{**asked, **fields}))


def other(name: str = "b", **more: Any) -> Alert:
    """Another matter of the same household."""
    return alert(name, **{"detector": "JOB-LOSS", "cause": "p", **more})


# ---- merged ---------------------------------------------------------------------------------------------------------


def test_within_thirty_days_another_alert_works_the_closed_case_again() -> None:
    desk = Desk()
    first = desk.closed(alert("a"))
    event = desk.later(29).hears(other())
    assert (event.type, event.case_id, event.reason_code) == (EventType.JOINED, first, "merged")
    assert isinstance(event.body, JoinedBody) and event.body.reopened
    case = desk.work.view.cases[first]
    assert case.state is State.OPEN
    assert {clock.step.value for clock in case.clocks} == {"accept", "close"}
    desk.finish(first)
    assert case.closed_at is not None
    assert desk.later(30).hears(other("c", cause="q")).type is EventType.OPENED


@pytest.mark.parametrize(
    ("outcome", "more"), [(Outcome.HANDED_OVER, {}), (Outcome.NO_NEED, {"areas": ELSEWHERE}), (Outcome.NO_NEED, {})]
)
def test_who_is_not_responsible_any_more_does_not_get_it_back(outcome: Outcome, more: dict[str, Any]) -> None:
    desk = Desk()
    first = desk.closed(alert("a"), outcome)
    event = desk.later(1).hears(other(**more))
    same_office = outcome is Outcome.NO_NEED and not more
    assert (event.case_id == first) is same_office
    assert event.type is (EventType.JOINED if same_office else EventType.OPENED)


def test_the_stock_at_golive_works_no_closed_case_again() -> None:
    desk = Desk()
    desk.closed(alert("a"))
    event = desk.later(1).hears(other(baseline=True, per_day=1))
    assert event.type is EventType.OPENED
    assert desk.work.view.cases[event.case_id].state is State.HELD


# ---- cooling down ---------------------------------------------------------------------------------------------------


def test_the_same_cause_no_worse_is_only_noted_for_ninety_days_and_then_taken_up_while_it_lasts() -> None:
    desk = Desk()
    first = desk.closed(alert("a"))
    event = desk.later(40).hears(alert("a2", since=date(2026, 6, 20)))
    assert (event.type, event.case_id, event.reason_code) == (EventType.ANNOTATED, first, "cooldown")
    assert isinstance(event.body, AnnotatedBody) and event.body.rests_until == date(2026, 8, 12)
    assert desk.later(49).tick() == []
    [back] = desk.later(1).tick()
    assert (back.type, back.reason_code) == (EventType.OPENED, "rest_over")
    assert desk.work.view.cases[back.case_id].areas == AREAS
    assert desk.later(1).tick() == []


def test_what_is_over_before_its_rest_is_never_taken_up() -> None:
    desk = Desk()
    desk.closed(alert("a"))
    desk.later(10).hears(alert("a2"))
    desk.later(10).hears(alert("a2", 2, "lapsed"))
    assert desk.later(100).tick() == []


@pytest.mark.parametrize(
    "more",
    [
        {"severity": 3},
        {"cause": "q/rolling_12m"},
        {"detector": "DISASTER-ACCIDENT"},
        {"detector": "CHILD-GUARDIAN"},
        {"detector": "HELP-SEEKING"},
    ],
)
def test_worse_or_another_cause_or_urgent_or_the_familys_own_voice_does_not_cool_down(more: dict[str, Any]) -> None:
    desk = Desk()
    first = desk.closed(alert("a", **{**more, "severity": 2, "cause": "p/rolling_12m"}))
    event = desk.later(40).hears(alert("a2", **more))
    assert event.type is EventType.OPENED
    assert event.case_id != first


def test_severity_four_never_cools_down() -> None:
    desk = Desk()
    desk.closed(alert("a", severity=4))
    assert desk.later(40).hears(alert("a2", severity=4)).type is EventType.OPENED


def test_a_case_that_found_nothing_out_cools_nothing_down() -> None:
    desk = Desk()
    desk.closed(alert("a"), Outcome.UNREACHABLE)
    assert desk.later(40).hears(alert("a2")).type is EventType.OPENED


def test_it_is_the_cause_that_must_be_worse_not_the_case() -> None:
    desk = Desk()
    first = desk.hears(alert("a", severity=1)).case_id
    desk.hears(other(severity=3))
    desk.finish(first)
    assert desk.later(40).hears(alert("a2", severity=2)).type is EventType.OPENED


def test_a_rest_ends_when_it_gets_worse() -> None:
    desk = Desk()
    first = desk.closed(alert("a"))
    assert desk.later(5).hears(alert("a2")).reason_code == "cooldown"
    assert desk.later(5).hears(alert("a2", 2, "updated")).reason_code == "cooldown"
    worse = desk.later(5).hears(alert("a2", 3, "updated", severity=3))
    assert (worse.type, worse.case_id, worse.reason_code) == (EventType.JOINED, first, "merged")


@pytest.mark.parametrize("resting_first", [True, False])
def test_whoever_works_the_household_hears_of_what_is_cooling_down(*, resting_first: bool) -> None:
    desk = Desk()
    first = desk.closed(alert("a"))
    desk.later(40)
    for told in (alert("a2"), other()) if resting_first else (other(), alert("a2")):
        desk.later(1).hears(told)
    assert [event.type for event in desk.later(1).tick()] == [EventType.JOINED] * resting_first
    [case] = desk.work.view.open_cases()
    assert case.case_id != first
    assert len(case.alerts) == 2


# ---- inhibited ------------------------------------------------------------------------------------------------------


def test_an_inhibited_rule_is_noted_until_its_day_and_the_record_says_who_and_why() -> None:
    desk = Desk()
    case_id = desk.closed(alert("a"), Outcome.UNREACHABLE)
    assert desk.inhibit(case_id) is None
    said = desk.work.view.cases[case_id].inhibited["MED-SELFPAY"]
    assert (said.by, said.reason, said.until) == ("王", InhibitReason.IN_HAND, date(2026, 6, 3))
    event = desk.later(3).hears(alert("a2", cause="q"))
    assert (event.type, event.case_id, event.reason_code) == (EventType.ANNOTATED, case_id, "inhibited")
    assert desk.later(16).tick() == []
    [back] = desk.later(1).tick()
    assert (back.reason_code, back.case_id) == ("rest_over", case_id)
    assert desk.work.view.cases[case_id].state is State.OPEN


def test_on_an_open_case_it_is_noted_and_makes_no_clock_run_faster() -> None:
    desk = Desk()
    case_id = desk.hears(alert("a", severity=3)).case_id
    desk.hears(alert("a", 2, "lapsed", severity=3))
    desk.hears(other(severity=1))
    clocks = desk.work.view.cases[case_id].clocks
    assert desk.inhibit(case_id) is None
    assert desk.later(1).hears(alert("a2", severity=3)).reason_code == "inhibited"
    assert desk.work.view.cases[case_id].clocks == clocks
    assert [event.type for event in desk.later(19).tick()] == [EventType.JOINED]


def test_lifted_early_it_comes_back_with_the_next_tick() -> None:
    desk = Desk()
    case_id = desk.closed(alert("a"), Outcome.UNREACHABLE)
    desk.inhibit(case_id)
    desk.later(1).hears(alert("a2"))
    assert refusal_of(desk.later(1).do(Lift, case_id, detector="MED-SELFPAY")) is None
    assert refusal_of(desk.do(Lift, case_id, detector="MED-SELFPAY")) is Refusal.NOT_INHIBITED
    assert desk.tick() == [], "a tick read again must not see what came after it"
    assert [event.reason_code for event in desk.later(0.1).tick()] == ["rest_over"]


def test_worse_than_before_is_not_inhibited() -> None:
    desk = Desk()
    case_id = desk.closed(alert("a"), Outcome.UNREACHABLE)
    desk.inhibit(case_id)
    assert desk.later(1).hears(alert("a2", severity=3)).type is EventType.JOINED


@pytest.mark.parametrize(
    ("told", "fields", "refusal"),
    [
        (alert("a", severity=4), {}, Refusal.URGENT),
        (alert("a", detector="DISASTER-ACCIDENT"), {"detector": "DISASTER-ACCIDENT"}, Refusal.URGENT),
        (alert("a", detector="CHILD-GUARDIAN"), {"detector": "CHILD-GUARDIAN"}, Refusal.URGENT),
        (alert("a"), {"detector": "JOB-LOSS"}, Refusal.NO_SUCH_ALERT),
        (alert("a"), {"until": date(2026, 5, 14)}, Refusal.BAD_DATE),
        (alert("a"), {"until": date(2026, 8, 13)}, Refusal.BAD_DATE),
        (alert("a"), {"until": date(2026, 8, 12)}, None),
    ],
)
def test_what_may_be_inhibited(told: Alert, fields: dict[str, Any], refusal: Refusal | None) -> None:
    desk = Desk()
    assert desk.inhibit(desk.hears(told).case_id, **fields) is refusal


# ---- snoozed --------------------------------------------------------------------------------------------------------

PAUSE = {"until": date(2026, 6, 20), "reason": SnoozeReason.IN_HOSPITAL}


@pytest.mark.parametrize("more", [{"severity": 4}, {"detector": "DISASTER-ACCIDENT"}, {"detector": "CHILD-GUARDIAN"}])
def test_nobody_lets_what_is_urgent_wait(more: dict[str, Any]) -> None:
    desk = Desk()
    case_id = desk.hears(alert("a", **more)).case_id
    assert refusal_of(desk.do(Snooze, case_id, **PAUSE)) is Refusal.URGENT
    desk.hears(alert("a", 2, "lapsed", **more))
    desk.hears(other())
    assert refusal_of(desk.do(Snooze, case_id, **PAUSE)) is None, "what has passed is not urgent"


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (other(severity=4), EventType.JOINED),
        (other(detector="DROPOUT", severity=1), EventType.JOINED),
        (alert("a", 2, "updated", severity=4), EventType.ANNOTATED),
    ],
)
def test_what_is_urgent_ends_a_pause(told: Alert, kind: EventType) -> None:
    desk = Desk()
    case_id = desk.hears(alert("a")).case_id
    desk.do(Snooze, case_id, **PAUSE)
    case = desk.work.view.cases[case_id]
    paused = case.clocks
    event = desk.later(1).hears(told)
    assert event.type is kind
    assert case.snoozed_until is None
    assert all(new.due < old.due for new, old in zip(case.clocks, paused, strict=True))


# ---- the record -----------------------------------------------------------------------------------------------------


def test_everything_comes_back_from_the_events() -> None:
    desk = Desk()
    first = desk.closed(alert("a"))
    desk.later(3).hears(alert("a2"))
    desk.inhibit(first)
    desk.later(1).hears(other())
    desk.later(1).tick()
    desk.finish(first, Outcome.TEMP_AID)
    desk.later(100).tick()
    again = Casework(0, 1, default_deadlines())
    for event in desk.said:
        assert again.restore(decode_event(encode_event(event)))
    assert again.view.cases == desk.work.view.cases
    assert again.on_tick(desk.now) == []
