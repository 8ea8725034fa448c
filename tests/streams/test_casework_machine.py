"""Whatever people and alerts do, in any order, read twice, across restarts: cases stay lawful and histories agree."""

from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cases.deadlines import default_deadlines
from cases.digests import broken_link
from cases.lifecycle import TABLE, Move
from cases.view import refusal_of
from schemas.alerts import Alert, AlertState, Family
from schemas.case_commands import (
    Accept,
    CaseCommand,
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
from schemas.case_words import (
    FeedbackResult,
    InhibitReason,
    Outcome,
    Refusal,
    Reply,
    SnoozeReason,
    State,
    VerifyResult,
)
from schemas.cases import CaseEvent, beijing, decode_event, encode_event
from streams.casework import Casework
from tests.cases.builders import SEEN, alert, ms

HOUSEHOLDS = ("h_1", "h_2")
FAMILIES: tuple[Family, ...] = ("risk", "entitlement", "review", "quality")
STATES: tuple[AlertState, ...] = ("raised", "updated", "updated", "withdrawn", "lapsed", "moved")
DETECTORS = ("MED-SELFPAY", "MED-SELFPAY", "JOB-LOSS", "DISASTER-ACCIDENT")
ITEMS = st.sampled_from([{"department": d, "item": i} for d in ("医保局", "民政局") for i in ("救助", "补贴")])


class CaseMachine(RuleBasedStateMachine):
    """Drives one partition, remembers its inputs and events, and forgets everything else at every restart."""

    def __init__(self) -> None:
        super().__init__()
        self.now = ms("2026-01-05 09:00")
        self.work = self._fresh()
        self.events: list[CaseEvent] = []
        self.inputs: list[tuple[str, Any, int]] = []
        self.revisions: dict[str, int] = {}
        self.commands = 0

    @staticmethod
    def _fresh() -> Casework:
        return Casework(1, 2, default_deadlines())

    def _feed(self, kind: str, value: Any, at_ms: int) -> list[CaseEvent]:
        if kind == "alert":
            events = self.work.on_alert(value, at_ms)
        elif kind == "command":
            events = self.work.on_command(value, at_ms)
        else:
            events = self.work.on_tick(at_ms)
        self.events += events
        return events

    @initialize()
    def something_to_do(self) -> None:
        self._alert("risk", "raised", HOUSEHOLDS[0], 2, False)

    def _alert(
        self,
        family: Family,
        state: AlertState,
        household: str,
        severity: int,
        baseline: bool,
        detector: str = DETECTORS[0],
    ) -> None:
        name = f"{household}.{family}.{detector}"
        self.revisions[name] = self.revisions.get(name, 0) + 1
        told = alert(
            name,
            self.revisions[name],
            state,
            family=family,
            household=household,
            severity=severity,
            detector=detector,
            baseline=baseline,
            per_day=2 if baseline else None,
        )
        self.inputs.append(("alert", told, self.now))
        assert len(self._feed("alert", told, self.now)) <= 1

    @rule(
        family=st.sampled_from(FAMILIES),
        state=st.sampled_from(STATES),
        household=st.sampled_from(HOUSEHOLDS),
        severity=st.integers(1, 4),
        baseline=st.booleans(),
        detector=st.sampled_from(DETECTORS),
    )
    def alert_comes(
        self, family: Family, state: AlertState, household: str, severity: int, baseline: bool, detector: str
    ) -> None:
        self._alert(family, state, household, severity, baseline, detector)

    def _command(self, kind: type[CaseCommand], pick: int, **fields: Any) -> None:
        cases = list(self.work.view.cases.values())
        case = cases[pick % len(cases)]
        before, clocks, answered = case.state, case.clocks, list(case.unanswered)
        self.commands += 1
        who = {"command_id": f"c{self.commands}", "case_id": case.case_id, "household": case.household, "actor": "王"}
        command = kind.model_validate({**who, **fields})
        self.inputs.append(("command", command, self.now))
        [event] = self._feed("command", command, self.now)
        cell, refusal = TABLE[before][command.action], refusal_of(event)
        if refusal is None:
            assert isinstance(cell, Move)
            assert case.state in cell.to
            if case.state is State.CLOSED:
                assert not case.unanswered
                assert case.evidence
        else:
            assert isinstance(cell, Move) or refusal is cell
            assert (case.state, case.clocks, case.unanswered) == (before, clocks, answered)

    pick = st.integers(0, 30)

    @rule(pick=pick)
    def accept(self, pick: int) -> None:
        self._command(Accept, pick)

    @rule(pick=pick, result=st.sampled_from(VerifyResult), seen=st.booleans(), reply=st.sampled_from([None, *Reply]))
    def verify(self, pick: int, result: VerifyResult, seen: bool, reply: Reply | None) -> None:
        self._command(Verify, pick, result=result, evidence=[SEEN] if seen else [], reply=reply)

    @rule(pick=pick, referrals=st.lists(ITEMS, min_size=1, max_size=3))
    def refer(self, pick: int, referrals: list[dict[str, str]]) -> None:
        self._command(Refer, pick, referrals=referrals)

    @rule(pick=pick, n=st.integers(1, 3), result=st.sampled_from(FeedbackResult), note=st.sampled_from([None, "无"]))
    def feedback(self, pick: int, n: int, result: FeedbackResult, note: str | None) -> None:
        self._command(Feedback, pick, referral=f"R{n}", result=result, note=note)

    @rule(pick=pick, outcome=st.sampled_from(Outcome), reply=st.sampled_from([None, Reply.HEARD]))
    def close(self, pick: int, outcome: Outcome, reply: Reply | None) -> None:
        self._command(Close, pick, outcome=outcome, reply=reply)

    @rule(pick=pick)
    def contest(self, pick: int) -> None:
        self._command(Contest, pick, statement="有不同意见")

    @rule(pick=pick, days=st.integers(-1, 90), reason=st.sampled_from(SnoozeReason))
    def snooze(self, pick: int, days: int, reason: SnoozeReason) -> None:
        self._command(Snooze, pick, until=beijing(self.now).date() + timedelta(days=days), reason=reason)

    @rule(pick=pick)
    def contact(self, pick: int) -> None:
        self._command(Contact, pick, purpose="入户前联系")

    @rule(pick=pick, days=st.integers(-1, 100), detector=st.sampled_from(DETECTORS))
    def inhibit(self, pick: int, days: int, detector: str) -> None:
        until = beijing(self.now).date() + timedelta(days=days)
        self._command(Inhibit, pick, detector=detector, until=until, reason=InhibitReason.WISH)

    @rule(pick=pick, detector=st.sampled_from(DETECTORS))
    def lift(self, pick: int, detector: str) -> None:
        self._command(Lift, pick, detector=detector)

    @rule(pick=pick, steps=st.integers(2, 5), outcome=st.sampled_from([Outcome.TEMP_AID, Outcome.INFORMED]))
    def diligent(self, pick: int, steps: int, outcome: Outcome) -> None:
        """The usual way, as far as somebody gets: random single commands rarely come to its end."""
        asked = [{"department": f"局{self.commands}", "item": "救助"}]
        way: list[tuple[type[CaseCommand], dict[str, Any]]] = [
            (Accept, {}),
            (Verify, {"result": VerifyResult.NEED, "evidence": [SEEN], "reply": Reply.HEARD}),
            (Refer, {"referrals": asked}),
            (Close, {"outcome": outcome}),
            (Feedback, {"referral": "R1", "result": FeedbackResult.PROVIDED}),
        ]
        for kind, fields in way[:steps]:
            self._command(kind, pick, **fields)

    @rule(number=st.integers(1, 5))
    def goes_live(self, number: int) -> None:
        for n in range(number):
            self._alert("risk", "raised", f"h_{len(self.revisions)}.{n}", 1 + n % 4, True)

    @rule(hours=st.integers(0, 24 * 30))
    def tick(self, hours: int) -> None:
        self.now += hours * 3_600_000
        self.inputs.append(("tick", None, self.now))
        self._feed("tick", None, self.now)

    @rule(pick=st.integers(0, 1000))
    def read_again(self, pick: int) -> None:
        for kind, value, at_ms in self.inputs[pick % len(self.inputs) :]:
            assert self._feed(kind, value, max(at_ms, self.now) if kind != "tick" else at_ms) == []

    @rule()
    def restart(self) -> None:
        before, self.work = self.work, self._fresh()
        for event in self.events:
            assert self.work.restore(decode_event(encode_event(event)))
        assert self.work.view.cases == before.view.cases

    @rule(pick=st.integers(0, 1000))
    def crash(self, pick: int) -> None:
        """The last inputs were answered, their offsets not committed: everything since some point is read again."""
        self.restart()
        self.read_again(pick)

    @rule()
    def unknown_case(self) -> None:
        self.commands += 1
        who = {"command_id": f"c{self.commands}", "case_id": "none", "household": "h_1", "actor": "王"}
        [event] = self._feed("command", Accept.model_validate(who), self.now)
        assert refusal_of(event) is Refusal.UNKNOWN_CASE

    @invariant()
    def one_open_case_per_household_and_lane(self) -> None:
        places = [(case.household, case.lane) for case in self.work.view.open_cases()]
        assert len(places) == len(set(places))

    @invariant()
    def clocks_follow_the_state(self) -> None:
        for case in self.work.view.cases.values():
            silent = case.state in (State.HELD, State.CLOSED)
            assert silent == (case.clocks == ())
            waiting = {clock.referral for clock in case.clocks if clock.referral}
            assert silent or waiting == set(case.unanswered)

    @invariant()
    def every_standing_alert_has_a_case(self) -> None:
        newest: dict[tuple[str, str], Alert] = {}
        for kind, value, _ in self.inputs:
            if kind == "alert":
                newest[value.household, value.alert_id] = value
        for (household, alert_id), told in newest.items():
            if told.state in ("raised", "updated"):
                holders = [c for c in self.work.view.cases.values() if c.household == household]
                assert any(alert_id in case.alerts and case.alerts[alert_id].standing for case in holders)

    @invariant()
    def what_is_urgent_never_rests(self) -> None:
        for case in self.work.view.cases.values():
            notes = [case.alerts[alert_id] for alert_id in case.resting]
            assert not [n for n in notes if n.standing and (n.severity == 4 or n.detector == "DISASTER-ACCIDENT")]

    def teardown(self) -> None:
        for case_id in {event.case_id for event in self.events}:
            assert broken_link([event for event in self.events if event.case_id == case_id]) is None
        numbers = [case.number for case in self.work.view.cases.values()]
        assert len(numbers) == len(set(numbers))


TestCaseMachine = CaseMachine.TestCase
TestCaseMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
