"""Cases as the fold of their events; nothing about a case is known that is not in `cases.events.v1`.

`CaseView.apply` takes events in `seq` order per case. Read twice it changes nothing; a gap, a broken chain or a second,
different event under one (case_id, seq) raises Stop. `recall` takes a case as an earlier fold left it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter

from cases.chains import Chain
from cases.digests import event_digest, payload_digest
from cases.parts import Inhibition, ReferralState
from schemas.alerts import Areas
from schemas.case_commands import CaseEvidence
from schemas.case_words import Lane, Refusal, Reply, State
from schemas.cases import (
    AcceptedBody,
    AlertNote,
    AnnotatedBody,
    CaseEvent,
    Clock,
    ClosedBody,
    ContactOpenedBody,
    ContestedBody,
    FeedbackBody,
    InhibitedBody,
    JoinedBody,
    LiftedBody,
    OpenedBody,
    OverdueBody,
    ReferredBody,
    RefusedBody,
    ReleasedBody,
    SnoozedBody,
    VerifiedBody,
)
from schemas.errors import Stop


@dataclass(slots=True)
class Case:
    """One household's open work in one lane, as of its last event; `place` in the order of opening, from 0."""

    case_id: str
    number: str
    household: str
    lane: Lane
    areas: Areas | None
    opened_at: datetime
    opening: AlertNote
    held: bool
    per_day: int | None
    place: int
    storm: str | None = None
    alerts: dict[str, AlertNote] = field(default_factory=dict)
    accepted_by: str | None = None
    accepted_at: datetime | None = None
    verified: VerifiedBody | None = None
    verified_at: datetime | None = None
    evidence: tuple[CaseEvidence, ...] = ()
    reply: Reply | None = None
    referrals: dict[str, ReferralState] = field(default_factory=dict)
    contested: str | None = None
    snoozed_until: date | None = None
    closed: ClosedBody | None = None
    closed_at: datetime | None = None
    closed_severity: int = 0
    closed_over: dict[str, int] = field(default_factory=dict)
    contacts_opened: int = 0
    refusals: int = 0
    clocks: tuple[Clock, ...] = ()
    overdue: list[Clock] = field(default_factory=list)
    continues: list[str] = field(default_factory=list)
    updated_at: datetime | None = None
    released_on: date | None = None
    quota_area: str | None = None
    resting: dict[str, date] = field(default_factory=dict)
    inhibited: dict[str, Inhibition] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Where the case stands; follows from what was done, so it cannot contradict it."""
        if self.closed is not None:
            return State.CLOSED
        if self.held:
            return State.STORM if self.storm else State.HELD
        if self.accepted_at is None:
            return State.OPEN
        if self.verified is None:
            return State.ACCEPTED
        if not self.referrals:
            return State.VERIFIED
        return State.REFERRED if self.unanswered else State.FED_BACK

    @property
    def unanswered(self) -> list[str]:
        """Referrals without a last word."""
        return [name for name, referral in self.referrals.items() if not referral.settled]

    @property
    def severity(self) -> int:
        """The highest severity among the alerts in force; 0 when none is."""
        return max((note.severity for note in self.alerts.values() if note.standing), default=0)

    @property
    def baseline(self) -> bool:
        """Whether only breaches that were there at golive (存量) led to this case."""
        return all(note.baseline for note in self.alerts.values())

    def _fold(self, event: CaseEvent) -> None:
        body = event.body
        self.clocks = self.clocks if body.clocks is None else body.clocks
        self.updated_at = event.at
        match body:
            case OpenedBody() | JoinedBody() | AnnotatedBody():
                self._take(body)
            case ReleasedBody():
                self.held, self.released_on = False, event.at.date()
            case OverdueBody():
                self.overdue.append(body.clock)
            case ContactOpenedBody():
                self.contacts_opened += 1
            case RefusedBody():
                self.refusals += 1
            case _:
                self._fold_work(event)

    def _fold_work(self, event: CaseEvent) -> None:
        body = event.body
        match body:
            case AcceptedBody():
                self.accepted_by, self.accepted_at = event.actor, event.at
            case VerifiedBody():
                self.verified, self.verified_at, self.evidence = body, event.at, event.evidence
                self.reply, self.contested = body.reply or self.reply, None
            case ReferredBody():
                self.referrals |= {asked.referral: ReferralState(asked) for asked in body.referrals}
            case FeedbackBody():
                self.referrals[body.referral].answer = body
            case SnoozedBody():
                self.snoozed_until = body.until
            case InhibitedBody():
                self.inhibited[body.detector] = Inhibition(body.until, body.severity, body.reason, event.actor)
            case LiftedBody():
                self.inhibited.pop(body.detector, None)
            case ClosedBody():
                self._close(body, event.at)
            case ContestedBody():
                self.contested, self.verified, self.evidence = body.statement, None, ()
                self.closed = self.closed_at = None

    def _close(self, body: ClosedBody, at: datetime) -> None:
        self.closed, self.closed_at, self.reply = body, at, body.reply or self.reply
        self.closed_severity = max((note.severity for note in self.alerts.values()), default=0)
        looked_at = (note for note in self.alerts.values() if note.alert_id not in self.resting)
        self.closed_over = {note.about: note.severity for note in sorted(looked_at, key=attrgetter("severity"))}

    def _take(self, body: OpenedBody | JoinedBody | AnnotatedBody) -> None:
        note = body.alert
        if isinstance(body, AnnotatedBody) and body.rests_until is not None:
            self.resting[note.alert_id] = body.rests_until
        elif not isinstance(body, AnnotatedBody) or not note.standing:
            self.resting.pop(note.alert_id, None)
        if isinstance(body, JoinedBody):
            self.held = self.held and not body.released
            if body.reopened:
                self._reopen()
        if not isinstance(body, OpenedBody) and body.woken:
            self.snoozed_until = None
        self.alerts[note.alert_id] = note
        if note.continues and note.continues not in self.continues:
            self.continues.append(note.continues)

    def _reopen(self) -> None:
        """Somebody has to sign for it, visit and listen anew; what was referred and answered stays."""
        self.closed = self.closed_at = None
        self.accepted_by = self.accepted_at = None
        self.verified = self.verified_at = self.reply = self.contested = self.snoozed_until = None
        self.evidence = ()


class CaseView:
    """All cases of the events applied, with the questions the lifecycle and the screens ask."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.chains: dict[str, Chain] = {}
        self.events = 0
        self.opened = 0
        self.touched: dict[str, None] = {}
        self._of_lane: defaultdict[tuple[str, Lane], list[str]] = defaultdict(list)
        self._numbers: dict[str, str] = {}

    def apply(self, event: CaseEvent) -> bool:
        """Folds one event; False when it was known. Raises Stop when history contradicts itself."""
        chain = self.chain(event.case_id)
        digest = event_digest(event)
        if event.seq <= len(chain.links):
            if chain.links[event.seq - 1] != digest:
                raise Stop(f"个案 {event.case_id} 第 {event.seq} 条记录有两种内容")
            self._pass(event)
            return False
        if event.seq != len(chain.links) + 1 or event.previous_digest != chain.last:
            raise Stop(f"个案 {event.case_id} 第 {event.seq} 条记录与上一条不相接")
        if event.payload_digest != payload_digest(event.evidence, event.body):
            raise Stop(f"个案 {event.case_id} 第 {event.seq} 条记录内容与摘要不符")
        if isinstance(event.body, OpenedBody):
            self._open(event, event.body)
        if event.case_id in self.cases:
            self.cases[event.case_id]._fold(event)  # noqa: SLF001  the view owns its cases
        chain.add(event, digest)
        self.chains[event.case_id] = chain
        self.events += 1
        self.touched[event.case_id] = None
        return True

    def recall(self, case_id: str, chain: Chain, case: Case | None) -> None:
        """Takes a case as an earlier fold left it, unless more is known. Cases are in order again after `settle`."""
        known = self.chains.get(case_id)
        if known is not None and len(known.links) >= len(chain.links):
            return
        self.events += len(chain.links) - (len(known.links) if known else 0)
        self.chains[case_id] = chain
        self.touched.pop(case_id, None)
        if case is not None:
            self.cases[case_id] = case

    def settle(self) -> None:
        """Puts recalled cases among the others, in the order of opening."""
        self.cases = dict(sorted(self.cases.items(), key=lambda item: item[1].place))
        self._numbers = {case.number: case_id for case_id, case in self.cases.items()}
        self._of_lane.clear()
        for case_id, case in self.cases.items():
            self._of_lane[case.household, case.lane].append(case_id)

    def next_seq(self, case_id: str) -> int:
        """The number the next event of a case gets."""
        return len(self.chain(case_id).links) + 1

    def last_digest(self, case_id: str) -> str:
        """Digest of a case's last event."""
        return self.chain(case_id).last

    def chain(self, case_id: str) -> Chain:
        """The history of a case_id, empty when it has none."""
        return self.chains.get(case_id) or Chain()

    def find(self, name: str) -> Case | None:
        """A case by id, by sayable number, or by the beginning of its id (8 characters or more) when only one fits."""
        exact = self.cases.get(self._numbers.get(name, name))
        if exact is not None or len(name) < 8:
            return exact
        fits = [case for case_id, case in self.cases.items() if case_id.startswith(name)]
        return fits[0] if len(fits) == 1 else None

    def open_in(self, household: str, lane: Lane) -> Case | None:
        """The one open case of a household in a lane."""
        return next((case for case in self.of_lane(household, lane) if case.closed is None), None)

    def of_lane(self, household: str, lane: Lane) -> Iterator[Case]:
        """The household's cases in a lane, newest first."""
        return (self.cases[case_id] for case_id in reversed(self._of_lane.get((household, lane), ())))

    def open_cases(self) -> Iterator[Case]:
        """Every case that is not closed, in the order of opening."""
        return (case for case in self.cases.values() if case.closed is None)

    def _pass(self, event: CaseEvent) -> None:
        """A recalled case may be ahead of the events read so far: whoever opens next comes after it."""
        if isinstance(event.body, OpenedBody):
            self.opened = max(self.opened, self.cases[event.case_id].place + 1)

    def _open(self, event: CaseEvent, body: OpenedBody) -> None:
        if event.lane is None or event.case_id in self.cases:
            raise Stop(f"个案 {event.case_id} 建立了两次或没有类别")
        self._numbers[body.number] = event.case_id
        self._of_lane[event.household, event.lane].append(event.case_id)
        self.cases[event.case_id] = Case(
            case_id=event.case_id,
            number=body.number,
            household=event.household,
            lane=event.lane,
            areas=body.areas,
            opened_at=event.at,
            opening=body.alert,
            held=body.held,
            per_day=body.per_day,
            place=self.opened,
            storm=body.storm,
            quota_area=body.quota_area,
        )
        self.opened += 1


def refusal_of(event: CaseEvent) -> Refusal | None:
    """Why the command behind an event was refused, None when it was not."""
    return event.body.refusal if isinstance(event.body, RefusedBody) else None
