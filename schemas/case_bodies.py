"""What case events say: clocks, the part of an alert a case remembers, and a body for each type of event.

Fields added later are optional and None where they say nothing: None enters no digest, so that old chains stay whole.
"""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from schemas.alerts import Alert, AlertState, Areas, Family
from schemas.case_commands import ReferralRequest
from schemas.case_words import (
    Action,
    EventType,
    FeedbackResult,
    InhibitReason,
    Outcome,
    Refusal,
    Reply,
    SnoozeReason,
    Step,
    VerifyResult,
)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Clock(_Wire):
    """A running deadline: overdue from `due` on; `referral` for department feedback."""

    step: Step
    since: datetime
    due: datetime
    natural: bool
    referral: str | None = None


class AlertNote(_Wire):
    """What a case remembers of one revision of an alert."""

    alert_id: str
    revision: int
    state: AlertState
    detector: str
    family: Family
    subject: str
    cause: str
    since: date
    severity: int
    reason: str
    baseline: bool
    moved_to: str | None = None
    continues: str | None = None

    @classmethod
    def of(cls, alert: Alert) -> "AlertNote":
        """The part of an alert that case work needs."""
        return cls.model_validate(alert.model_dump(include=set(cls.model_fields)))

    @property
    def standing(self) -> bool:
        """Whether the breach is in force in this household."""
        return self.state in ("raised", "updated")

    @property
    def about(self) -> str:
        """Rule and cause: what is the same matter in one household, whatever the alert."""
        return f"{self.detector}/{self.cause}"


class Referral(ReferralRequest):
    """A referral with its short name inside the case."""

    referral: str


class Body(_Wire):
    """What an event adds. `clocks`: all deadlines that run from here on; None: unchanged."""

    clocks: tuple[Clock, ...] | None = None


class OpenedBody(Body):
    """A new case. `held`: part of a golive baseline, released at `per_day` in `quota_area`, or of the `storm` named,
    released by a person."""

    number: str
    alert: AlertNote
    areas: Areas | None
    held: bool
    per_day: int | None = None
    storm: str | None = None
    quota_area: str | None = None


class JoinedBody(Body):
    """An alert came into force for a case. `released`: it was held and no longer is; `reopened`: it had been closed
    recently; `woken`: it was snoozed and no longer is."""

    alert: AlertNote
    released: bool = False
    reopened: bool | None = None
    woken: bool | None = None


class AnnotatedBody(Body):
    """An alert of the case changed. `rests_until`: before that day it calls for no work unless it gets worse."""

    alert: AlertNote
    rests_until: date | None = None
    woken: bool | None = None


class ReleasedBody(Body):
    """A held case goes to the officers; `quota_of` names the detector whose daily quota it used, `quota_area` where
    that went live. Out of a storm a person lets it go, for a reason, and it uses none."""

    quota_of: str
    storm: str | None = None
    note: str | None = None
    quota_area: str | None = None


class AcceptedBody(Body):
    """Somebody took the case."""


class VerifiedBody(Body):
    """What the visit found."""

    result: VerifyResult
    reply: Reply | None = None
    note: str | None = None


class ReferredBody(Body):
    """New referrals."""

    referrals: tuple[Referral, ...]


class FeedbackBody(Body):
    """A department's answer."""

    referral: str
    result: FeedbackResult
    amount_fen: int | None = None
    note: str | None = None


class ClosedBody(Body):
    """The end."""

    outcome: Outcome
    reply: Reply | None = None
    note: str | None = None


class ContestedBody(Body):
    """The household disagrees; a verification must follow. `reopened`: the case had been closed."""

    statement: str
    reopened: bool


class SnoozedBody(Body):
    """Clocks rest until a date."""

    until: date
    reason: SnoozeReason
    note: str | None = None


class InhibitedBody(Body):
    """Alerts of a rule, none worse than `severity`, call nobody to this household before a date."""

    detector: str
    until: date
    severity: int
    reason: InhibitReason
    note: str | None = None


class LiftedBody(Body):
    """They do again."""

    detector: str
    note: str | None = None


class ContactOpenedBody(Body):
    """The vault may be opened once for this."""

    purpose: str


class OverdueBody(Body):
    """A clock ran out."""

    clock: Clock


class RefusedBody(Body):
    """A command that changed nothing."""

    action: Action
    refusal: Refusal


AnyBody = (
    OpenedBody
    | JoinedBody
    | AnnotatedBody
    | ReleasedBody
    | AcceptedBody
    | VerifiedBody
    | ReferredBody
    | FeedbackBody
    | ClosedBody
    | ContestedBody
    | SnoozedBody
    | ContactOpenedBody
    | OverdueBody
    | InhibitedBody
    | LiftedBody
    | RefusedBody
)
BODIES: dict[EventType, type[AnyBody]] = {
    EventType.OPENED: OpenedBody,
    EventType.JOINED: JoinedBody,
    EventType.ANNOTATED: AnnotatedBody,
    EventType.RELEASED: ReleasedBody,
    EventType.ACCEPTED: AcceptedBody,
    EventType.VERIFIED: VerifiedBody,
    EventType.REFERRED: ReferredBody,
    EventType.FEEDBACK: FeedbackBody,
    EventType.CLOSED: ClosedBody,
    EventType.CONTESTED: ContestedBody,
    EventType.SNOOZED: SnoozedBody,
    EventType.CONTACT_OPENED: ContactOpenedBody,
    EventType.OVERDUE: OverdueBody,
    EventType.INHIBITED: InhibitedBody,
    EventType.LIFTED: LiftedBody,
    EventType.REFUSED: RefusedBody,
}
TYPES: dict[type[Body], EventType] = {body: kind for kind, body in BODIES.items()}
