"""Case work of one partition: alerts, commands and ticks in, case events out; pure, and equal after any restart.

State is the fold of the events alone: what `on_*` returns it has already applied. Each alert revision and each command
leads to at most one event, so a crash never leaves an input half answered; a tick read again continues where its events
ended. Time is the timestamp of the input.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from cases.baseline import Portion, due_for_release
from cases.context import Context
from cases.deadlines import Deadlines
from cases.digests import payload_digest
from cases.grouping import Grouping
from cases.identity import case_id_of, number_of, series_of
from cases.lanes import lane_of
from cases.lifecycle import decide, reason_of
from cases.quiet import Rest, calls_for_work, holder_of, merges_into, rest_of
from cases.storm import storm_name, storm_of
from cases.view import Case
from schemas.alerts import Alert, Areas
from schemas.case_commands import CaseCommand, CaseEvidence, StormRelease, Verify
from schemas.case_words import Handling, Lane, Refusal, Role, State, Step
from schemas.cases import (
    TYPES,
    AlertNote,
    AnnotatedBody,
    AnyBody,
    CaseEvent,
    Cause,
    Clock,
    JoinedBody,
    OpenedBody,
    OverdueBody,
    RefusedBody,
    ReleasedBody,
    VerifiedBody,
    beijing,
)
from streams.case_history import CaseHistory

SERVICE = "lidm"


class _About(NamedTuple):
    """Whose work an alert is."""

    household: str
    lane: Lane
    areas: Areas | None
    per_day: int | None
    quota_area: str | None


class Casework(CaseHistory):
    """The cases of partition `partition` of `partitions`."""

    def __init__(self, partition: int, partitions: int, deadlines: Deadlines) -> None:
        super().__init__()
        self._partition, self._partitions, self._deadlines = partition, partitions, deadlines

    # ---- inputs -----------------------------------------------------------------------------------------------------

    def on_alert(self, alert: Alert, ts_ms: int) -> list[CaseEvent]:
        """Opens, joins or annotates; nothing when this or a later revision was seen in this household."""
        if alert.revision <= self._revisions.get((alert.household, alert.alert_id), 0):
            return []
        note, lane, at = AlertNote.of(alert), lane_of(alert.family), beijing(ts_ms)
        holder = holder_of(self.view.of_lane(alert.household, lane), alert.alert_id)
        self._remember(alert.household, alert.alert_id, alert.revision)
        cause = Cause(alert_id=note.alert_id, revision=note.revision)
        pressing = holder is not None and self._presses(holder, note, at)
        if not pressing and not calls_for_work(note, holder):
            return [self._annotate(holder, note, cause, at)] if holder else []
        if (rest := self._rest(alert.household, lane, note, at)) is not None:
            return [self._annotate(holder or rest.case, note, cause, at, rest)]
        about = _About(alert.household, lane, alert.areas, alert.per_day, alert.quota_area)
        return [self._work_on(about, note, cause, at)]

    def on_command(self, command: CaseCommand, ts_ms: int) -> list[CaseEvent]:
        """Answers a command once, with what happened or with a refusal."""
        if command.command_id in self._commands:
            return []
        at, case = beijing(ts_ms), self.view.cases.get(command.case_id)
        answer: AnyBody | Refusal = Refusal.UNKNOWN_CASE
        if case is not None and case.household == command.household:
            open_case = self.view.open_in(case.household, case.lane)
            rival = open_case if open_case is not case else None
            answer = decide(Context(case, command, at, self._deadlines, rival))
        if isinstance(answer, Refusal):
            answer = RefusedBody(action=command.action, refusal=answer)
        evidence = tuple(command.evidence) if isinstance(answer, VerifiedBody) and isinstance(command, Verify) else ()
        known = case if case is not None and case.household == command.household else None
        cause = Cause(command_id=command.command_id)
        event = self._event(
            command.case_id,
            command.household,
            known.lane if known else None,
            cause,
            at,
            answer,
            reason_of(answer),
            command.actor,
            command.role,
            evidence,
        )
        return [event]

    def on_storm_release(self, order: StormRelease, ts_ms: int) -> list[CaseEvent]:
        """A person looked at a storm: what was held of it until then goes to the officers."""
        at, storm = beijing(ts_ms), storm_name(order.detector, order.on)
        held = [c for c in self.view.open_cases() if c.held and c.storm == storm and c.opened_at < at]
        return [self._let_go(case, order, at) for case in held]

    def on_tick(self, at_ms: int) -> list[CaseEvent]:
        """It is at least `at_ms`: releases the day's portion of the baseline, takes up alerts whose rest is over while
        they are in force, says once what ran over its deadline."""
        if at_ms < self._now_ms:
            return []
        self._now_ms = at_ms
        at, cause = beijing(at_ms), Cause(tick_ms=at_ms)
        events = [self._release(case, cause, at) for case in self._releasable(at)]
        events += self._take_up(at_ms, at)
        for case, clock in list(self._run_out(at)):
            events.append(self._say(case, cause, at, OverdueBody(clock=clock), clock.step.value))
        return events

    # ---- grouping ---------------------------------------------------------------------------------------------------

    def _rules(self, at: datetime) -> Grouping:
        return self._deadlines.on(at.date()).grouping

    def _rest(self, household: str, lane: Lane, note: AlertNote, at: datetime) -> Rest | None:
        return rest_of(self.view.of_lane(household, lane), lane, note, at.date(), self._rules(at))

    def _take_up(self, at_ms: int, at: datetime) -> Iterator[CaseEvent]:
        # Where something happened since, the next tick does it: a tick read again must come to the same.
        for case in list(self.view.cases.values()):
            for alert_id in list(case.resting):
                note, lane = case.alerts[alert_id], case.lane
                others = list(self.view.of_lane(case.household, lane))
                here = note.standing and holder_of(others, alert_id) is case
                before = all(each.updated_at is None or each.updated_at < at for each in others)
                if here and before and self._rest(case.household, lane, note, at) is None:
                    cause = Cause(alert_id=alert_id, revision=note.revision, tick_ms=at_ms)
                    about = _About(case.household, lane, case.areas, case.per_day, case.quota_area)
                    yield self._work_on(about, note, cause, at, Handling.REST_OVER)

    def _work_on(
        self, about: _About, note: AlertNote, cause: Cause, at: datetime, why: Handling | None = None
    ) -> CaseEvent:
        """Somebody has to look at it: in the open case, in one closed a short while ago, or in a new one."""
        case = self.view.open_in(about.household, about.lane)
        if case is None and not note.baseline:
            responsible = about.areas.responsible if about.areas else None
            case = merges_into(self.view.of_lane(about.household, about.lane), responsible, at.date(), self._rules(at))
        if case is None:
            return self._open(about, note, cause, at, why)
        return self._join(case, note, cause, at, why)

    def _storm(self, lane: Lane, note: AlertNote, at: datetime) -> str | None:
        if storm_name(note.detector, at.date()) in self._storms_over:
            return None
        opened = self._openings.get(note.detector, Counter())
        return storm_of(note, lane, at.date(), opened, self._rules(at), self._partitions)

    def _leads_on(self, case: Case, note: AlertNote, at: datetime) -> bool:
        """Whether an alert takes a held case along: none of the stock, nor one more of the same storm unless urgent."""
        if note.baseline or case.storm is None:
            return not note.baseline
        return note.detector != case.opening.detector or self._presses(case, note, at)

    def _presses(self, case: Case, note: AlertNote, at: datetime) -> bool:
        """Whether an alert has become urgent while its case waits in a storm."""
        return case.state is State.STORM and note.standing and self._rules(at).is_urgent(note, case.lane)

    def _wakes(self, case: Case, note: AlertNote, at: datetime) -> bool:
        """Whether an urgent alert ends a pause."""
        paused = case.closed is None and case.snoozed_until is not None and at.date() < case.snoozed_until
        return paused and note.standing and self._rules(at).is_urgent(note, case.lane)

    # ---- decisions --------------------------------------------------------------------------------------------------

    def _open(self, about: _About, note: AlertNote, cause: Cause, at: datetime, why: Handling | None) -> CaseEvent:
        series = series_of(at, about.areas, self._partition)
        storm = self._storm(about.lane, note, at)
        held = note.baseline or storm is not None
        body = OpenedBody(
            clocks=() if held else self._first_clocks(about.lane, note.severity, at),
            number=number_of(series, self._counts[series] + 1),
            alert=note,
            areas=about.areas,
            held=held,
            per_day=about.per_day,
            storm=storm,
            quota_area=about.quota_area,
        )
        case_id = case_id_of(about.household, about.lane, note.alert_id, note.revision)
        return self._event(case_id, about.household, about.lane, cause, at, body, _reason(why, note, storm=storm))

    def _join(self, case: Case, note: AlertNote, cause: Cause, at: datetime, why: Handling | None) -> CaseEvent:
        reopened, released = case.closed is not None, case.held and self._leads_on(case, note, at)
        woken = self._wakes(case, note, at)
        if reopened or released:
            clocks: tuple[Clock, ...] | None = self._first_clocks(case.lane, max(case.severity, note.severity), at)
        else:
            clocks = self._tightened(case, note, at, woken)
        body = JoinedBody(
            clocks=clocks, alert=note, released=released, reopened=reopened or None, woken=woken or None
        )
        return self._say(case, cause, at, body, _reason(why, note, reopened=reopened))

    def _annotate(
        self, case: Case, note: AlertNote, cause: Cause, at: datetime, rest: Rest | None = None
    ) -> CaseEvent:
        if rest is not None:
            return self._say(case, cause, at, AnnotatedBody(alert=note, rests_until=rest.until), rest.why.value)
        woken = self._wakes(case, note, at)
        body = AnnotatedBody(clocks=self._tightened(case, note, at, woken), alert=note, woken=woken or None)
        return self._say(case, cause, at, body, note.state)

    def _tightened(self, case: Case, note: AlertNote, at: datetime, woken: bool) -> tuple[Clock, ...] | None:
        """The running clocks, none later than the new severity allows; None where it is no worse than before."""
        if not woken and (not note.standing or note.severity <= case.severity):
            return None
        fresh = (self._deadlines.clock(c.step, case.lane, note.severity, at, c.referral) for c in case.clocks)
        return tuple(min(pair, key=attrgetter("due")) for pair in zip(case.clocks, fresh, strict=True))

    def _release(self, case: Case, cause: Cause, at: datetime) -> CaseEvent:
        clocks = self._first_clocks(case.lane, case.severity, at)
        body = ReleasedBody(clocks=clocks, quota_of=case.opening.detector, quota_area=case.quota_area)
        return self._say(case, cause, at, body, "baseline")

    def _let_go(self, case: Case, order: StormRelease, at: datetime) -> CaseEvent:
        clocks = self._first_clocks(case.lane, case.severity, at)
        body = ReleasedBody(clocks=clocks, quota_of=order.detector, storm=case.storm, note=order.reason)
        why, cause = Handling.STORM.value, Cause(command_id=order.command_id)
        return self._event(case.case_id, case.household, case.lane, cause, at, body, why, order.actor, order.role)

    def _releasable(self, at: datetime) -> list[Case]:
        # Only what was there before the tick: a tick read again must not act on what it has not seen the first time.
        held = [case for case in self.view.open_cases() if case.held and not case.storm and case.opened_at < at]
        used = self._released if at.date() == self._released_on else Counter[Portion]()
        return list(due_for_release(held, used, self._partitions)) if held else []

    def _run_out(self, at: datetime) -> Iterator[tuple[Case, Clock]]:
        for case in self.view.open_cases():
            for clock in case.clocks:
                if clock.due <= at and clock not in case.overdue:
                    yield case, clock

    def _first_clocks(self, lane: Lane, severity: int, at: datetime) -> tuple[Clock, ...]:
        return tuple(self._deadlines.clock(step, lane, severity, at) for step in (Step.CLOSE, Step.ACCEPT))

    # ---- writing ----------------------------------------------------------------------------------------------------

    def _say(self, case: Case, cause: Cause, at: datetime, body: AnyBody, reason: str) -> CaseEvent:
        return self._event(case.case_id, case.household, case.lane, cause, at, body, reason)

    def _event(
        self,
        case_id: str,
        household: str,
        lane: Lane | None,
        cause: Cause,
        at: datetime,
        body: AnyBody,
        reason_code: str,
        actor: str = SERVICE,
        role: Role = Role.SYSTEM,
        evidence: tuple[CaseEvidence, ...] = (),
    ) -> CaseEvent:
        event = CaseEvent(
            case_id=case_id,
            household=household,
            lane=lane,
            seq=self.view.next_seq(case_id),
            previous_digest=self.view.last_digest(case_id),
            type=TYPES[type(body)],
            at=at,
            actor=actor,
            role=role,
            reason_code=reason_code,
            evidence=evidence,
            cause=cause,
            payload_digest=payload_digest(evidence, body),
            body=body,
        )
        self.restore(event)
        return event


def _reason(why: Handling | None, note: AlertNote, *, reopened: bool = False, storm: str | None = None) -> str:
    said = why or (Handling.MERGED if reopened else Handling.STORM if storm else None)
    return said.value if said else note.detector
