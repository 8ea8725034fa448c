"""Case events on `cases.events.v1`, the truth about every case: JSON, keyed by household.

An event is one link of its case's chain: `seq` counts from 1, `previous_digest` is the digest of the event before.
The commands that lead to them may be imported from here too.
"""

from datetime import date, datetime, timedelta, timezone

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from schemas.alerts import Alert, AlertState, Areas, Family
from schemas.case_commands import (
    Accept,
    CaseCommand,
    CaseEvidence,
    CaseTick,
    Close,
    Contact,
    Contest,
    Feedback,
    Refer,
    ReferralRequest,
    Snooze,
    Verify,
    decode_command,
    encode_command,
)
from schemas.case_words import (
    Action,
    EventType,
    FeedbackResult,
    Lane,
    Outcome,
    Refusal,
    Reply,
    Role,
    SnoozeReason,
    Step,
    VerifyResult,
)

__all__ = [  # the commands, passed on
    "Accept",
    "CaseCommand",
    "CaseEvidence",
    "CaseTick",
    "Close",
    "Contact",
    "Contest",
    "Feedback",
    "Refer",
    "ReferralRequest",
    "Snooze",
    "Verify",
    "decode_command",
    "encode_command",
]

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")


def beijing(ms: int) -> datetime:
    """The moment of a broker timestamp, in China's time zone."""
    return datetime.fromtimestamp(ms // 1000, BEIJING).replace(microsecond=ms % 1000 * 1000)


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


class Referral(ReferralRequest):
    """A referral with its short name inside the case."""

    referral: str


class Body(_Wire):
    """What an event adds. `clocks`: all deadlines that run from here on; None: unchanged."""

    clocks: tuple[Clock, ...] | None = None


class OpenedBody(Body):
    """A new case; `held`: part of a golive baseline, released at `per_day`."""

    number: str
    alert: AlertNote
    areas: Areas | None
    held: bool
    per_day: int | None = None


class JoinedBody(Body):
    """An alert came into force for an open case; `released`: it was held and no longer is."""

    alert: AlertNote
    released: bool = False


class AnnotatedBody(Body):
    """An alert of the case changed."""

    alert: AlertNote


class ReleasedBody(Body):
    """A held case goes to the officers; `quota_of` names the detector whose daily quota it used."""

    quota_of: str


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
    EventType.REFUSED: RefusedBody,
}
TYPES: dict[type[Body], EventType] = {body: kind for kind, body in BODIES.items()}


class Cause(_Wire):
    """The input an event answers: a command, one revision of an alert, or a tick."""

    command_id: str | None = None
    alert_id: str | None = None
    revision: int | None = None
    tick_ms: int | None = None


class CaseEvent(_Wire):
    """One link of a case's chain; `at` is the timestamp of the input, `payload_digest` covers evidence and body."""

    case_id: str
    household: str
    lane: Lane | None = None
    seq: int
    previous_digest: str
    type: EventType
    at: datetime
    actor: str
    role: Role
    reason_code: str
    evidence: tuple[CaseEvidence, ...] = ()
    cause: Cause
    payload_digest: str
    body: AnyBody

    @field_validator("body", mode="before")
    @classmethod
    def _body_of_type(cls, value: object, info: ValidationInfo) -> object:
        kind = info.data.get("type")
        return BODIES[kind].model_validate(value) if kind is not None and isinstance(value, dict) else value

    @property
    def at_ms(self) -> int:
        """`at` as a broker timestamp."""
        return round(self.at.timestamp() * 1000)


def encode_event(event: CaseEvent) -> bytes:
    """The message value of an event."""
    return event.model_dump_json(exclude_none=True).encode()


def decode_event(value: bytes) -> CaseEvent:
    """The event of a message value. Raises pydantic.ValidationError."""
    return CaseEvent.model_validate_json(value)
