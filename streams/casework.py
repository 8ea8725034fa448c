"""Case work of one partition: alerts, commands and ticks in, case events out; pure, and equal after any restart.

State is the fold of the events alone: what `on_*` returns it has already applied, and `restore` of the same events
leads to the same state, as does `recall` of some cases, `restore` of the events since, then `settle`. Each alert
revision and each command leads to at most one event, so a crash never leaves an input half answered; a tick read again
continues where its events ended. Time is the timestamp of the input.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime

from cases.baseline import due_for_release
from cases.context import Context
from cases.deadlines import Deadlines
from cases.digests import payload_digest
from cases.identity import case_id_of, number_of, series_of, split_number
from cases.lanes import lane_of
from cases.lifecycle import decide
from cases.snapshot import CaseRecord
from cases.view import Case, CaseView
from schemas.alerts import Alert
from schemas.case_commands import CaseCommand, CaseEvidence, Verify
from schemas.case_words import Lane, Refusal, Role, Step
from schemas.cases import (
    TYPES,
    AlertNote,
    AnnotatedBody,
    AnyBody,
    CaseEvent,
    Cause,
    Clock,
    ClosedBody,
    FeedbackBody,
    JoinedBody,
    OpenedBody,
    OverdueBody,
    RefusedBody,
    ReleasedBody,
    SnoozedBody,
    VerifiedBody,
    beijing,
)

SERVICE = "lidm"


class Casework:
    """The cases of partition `partition` of `partitions`."""

    def __init__(self, partition: int, partitions: int, deadlines: Deadlines) -> None:
        self.view = CaseView()
        self._partition, self._partitions, self._deadlines = partition, partitions, deadlines
        self._recalled = False
        self._forget_derived()

    def _forget_derived(self) -> None:
        self._revisions: dict[tuple[str, str], int] = {}
        self._commands: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._released: Counter[str] = Counter()
        self._released_on: date | None = None
        self._now_ms = 0

    # ---- history ----------------------------------------------------------------------------------------------------

    def restore(self, event: CaseEvent) -> bool:
        """Folds an event of our own past; False when it was known. Raises Stop when the past contradicts itself."""
        if not self.view.apply(event):
            return False
        cause, body = event.cause, event.body
        if cause.command_id is not None:
            self._commands.add(cause.command_id)
        if cause.alert_id is not None and cause.revision is not None:
            self._remember(event.household, cause.alert_id, cause.revision)
        if cause.tick_ms is not None:
            self._now_ms = max(self._now_ms, cause.tick_ms)
        if isinstance(body, OpenedBody):
            self._count_number(body.number)
        if isinstance(body, ReleasedBody):
            self._count_release(event.at.date(), body.quota_of)
        return True

    def recall(self, case_id: str, record: CaseRecord) -> None:
        """Takes a case as an earlier fold left it; may be ahead of the events restored so far."""
        self._recalled = True
        self.view.recall(case_id, record.chain, record.case)

    def begin(self, opened: int) -> None:
        """The events restored from here on come after so many openings."""
        self.view.opened = max(self.view.opened, opened)

    def record(self, case_id: str) -> CaseRecord:
        """A case as it stands, for `recall`."""
        return CaseRecord(self.view.chain(case_id), self.view.cases.get(case_id))

    def settle(self) -> None:
        """Everything is restored: what follows from the cases and their chains together is worked out again."""
        if not self._recalled:
            return
        self._recalled = False
        self._forget_derived()
        self.view.settle()
        for chain in self.view.chains.values():
            self._commands.update(chain.commands)
            self._now_ms = max(self._now_ms, chain.ticked_ms)
        for case in self.view.cases.values():
            self._count_number(case.number)
            for note in case.alerts.values():
                self._remember(case.household, note.alert_id, note.revision)
            if case.released_on is not None:
                self._count_release(case.released_on, case.opening.detector)

    # ---- inputs -----------------------------------------------------------------------------------------------------

    def on_alert(self, alert: Alert, ts_ms: int) -> list[CaseEvent]:
        """Opens, joins or annotates; nothing when this or a later revision was seen in this household."""
        if alert.revision <= self._revisions.get((alert.household, alert.alert_id), 0):
            return []
        note, lane, at = AlertNote.of(alert), lane_of(alert.family), beijing(ts_ms)
        holder = self.view.holder_of(alert.household, lane, alert.alert_id)
        self._remember(alert.household, alert.alert_id, alert.revision)
        if not _calls_for_work(note, holder):
            return [self._annotate(holder, note, at)] if holder else []
        case = self.view.open_in(alert.household, lane)
        return [self._join(case, note, at) if case else self._open(alert, note, lane, at)]

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
            _reason_code(answer),
            command.actor,
            command.role,
            evidence,
        )
        return [event]

    def on_tick(self, at_ms: int) -> list[CaseEvent]:
        """It is at least `at_ms`: releases the day's portion of the baseline, says once what ran over its deadline."""
        if at_ms < self._now_ms:
            return []
        self._now_ms = at_ms
        at, cause = beijing(at_ms), Cause(tick_ms=at_ms)
        events = [self._release(case, cause, at) for case in self._releasable(at)]
        for case, clock in list(self._run_out(at)):
            events.append(self._say(case, cause, at, OverdueBody(clock=clock), clock.step.value))
        return events

    # ---- decisions --------------------------------------------------------------------------------------------------

    def _open(self, alert: Alert, note: AlertNote, lane: Lane, at: datetime) -> CaseEvent:
        series = series_of(at, alert.areas, self._partition)
        body = OpenedBody(
            clocks=() if note.baseline else self._first_clocks(lane, note.severity, at),
            number=number_of(series, self._counts[series] + 1),
            alert=note,
            areas=alert.areas,
            held=note.baseline,
            per_day=alert.per_day,
        )
        case_id = case_id_of(alert.household, lane, note.alert_id, note.revision)
        cause = Cause(alert_id=note.alert_id, revision=note.revision)
        return self._event(case_id, alert.household, lane, cause, at, body, note.detector)

    def _join(self, case: Case, note: AlertNote, at: datetime) -> CaseEvent:
        released = case.held and not note.baseline
        first = self._first_clocks(case.lane, max(case.severity, note.severity), at) if released else None
        body = JoinedBody(clocks=first or self._tightened(case, note, at), alert=note, released=released)
        return self._say(case, Cause(alert_id=note.alert_id, revision=note.revision), at, body, note.detector)

    def _annotate(self, case: Case, note: AlertNote, at: datetime) -> CaseEvent:
        body = AnnotatedBody(clocks=self._tightened(case, note, at), alert=note)
        return self._say(case, Cause(alert_id=note.alert_id, revision=note.revision), at, body, note.state)

    def _tightened(self, case: Case, note: AlertNote, at: datetime) -> tuple[Clock, ...] | None:
        """The running clocks, none later than the new severity allows; None where it is no worse than before."""
        if not note.standing or note.severity <= case.severity:
            return None
        fresh = (self._deadlines.clock(c.step, case.lane, note.severity, at, c.referral) for c in case.clocks)
        return tuple(min(pair, key=lambda clock: clock.due) for pair in zip(case.clocks, fresh, strict=True))

    def _release(self, case: Case, cause: Cause, at: datetime) -> CaseEvent:
        clocks = self._first_clocks(case.lane, case.severity, at)
        return self._say(case, cause, at, ReleasedBody(clocks=clocks, quota_of=case.opening.detector), "baseline")

    def _releasable(self, at: datetime) -> list[Case]:
        # Only what was there before the tick: a tick read again must not act on what it has not seen the first time.
        held = [case for case in self.view.open_cases() if case.held and case.opened_at < at]
        used = self._released if at.date() == self._released_on else Counter[str]()
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

    def _remember(self, household: str, alert_id: str, revision: int) -> None:
        seen = self._revisions.get((household, alert_id), 0)
        self._revisions[household, alert_id] = max(seen, revision)

    def _count_number(self, number: str) -> None:
        if split := split_number(number):
            self._counts[split[0]] = max(self._counts[split[0]], split[1])

    def _count_release(self, day: date, detector: str) -> None:
        if self._released_on is None or day > self._released_on:
            self._released_on, self._released = day, Counter()
        self._released[detector] += day == self._released_on


def _calls_for_work(note: AlertNote, holder: Case | None) -> bool:
    """Whether a revision needs somebody to act, rather than a remark on the case that knows the alert.

    `updated` calls for work where the alert is new here (somebody moved in), is back, or is worse than when its case
    was closed.
    """
    if note.state == "raised":
        return True
    if note.state != "updated":
        return False
    if holder is None:
        return True
    back = not holder.alerts[note.alert_id].standing
    return holder.closed is not None and (back or note.severity > holder.closed_severity)


def _reason_code(body: AnyBody) -> str:
    match body:
        case RefusedBody():
            return body.refusal.value
        case VerifiedBody() | FeedbackBody():
            return body.result.value
        case ClosedBody():
            return body.outcome.value
        case SnoozedBody():
            return body.reason.value
        case _:
            return TYPES[type(body)].value
