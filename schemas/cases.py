"""Case events on `cases.events.v1`, the truth about every case: JSON, keyed by household.

An event is one link of its case's chain: `seq` counts from 1, `previous_digest` is the digest of the event before.
What events say (`schemas.case_bodies`) and the commands that lead to them may be imported from here too.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from schemas.calendar import SHANGHAI
from schemas.case_bodies import (
    BODIES,
    TYPES,
    AcceptedBody,
    AlertNote,
    AnnotatedBody,
    AnyBody,
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
    Referral,
    ReferredBody,
    RefusedBody,
    ReleasedBody,
    SnoozedBody,
    VerifiedBody,
)
from schemas.case_commands import (
    Accept,
    CaseCommand,
    CaseEvidence,
    CaseTick,
    Close,
    Contact,
    Contest,
    Feedback,
    Inhibit,
    Lift,
    Refer,
    ReferralRequest,
    Snooze,
    Verify,
    decode_command,
    encode_command,
)
from schemas.case_words import EventType, Lane, Role

__all__ = [  # what is passed on
    "BODIES",
    "TYPES",
    "Accept",
    "AcceptedBody",
    "AlertNote",
    "AnnotatedBody",
    "AnyBody",
    "CaseCommand",
    "CaseEvidence",
    "CaseTick",
    "Clock",
    "Close",
    "ClosedBody",
    "Contact",
    "ContactOpenedBody",
    "Contest",
    "ContestedBody",
    "Feedback",
    "FeedbackBody",
    "Inhibit",
    "InhibitedBody",
    "JoinedBody",
    "Lift",
    "LiftedBody",
    "OpenedBody",
    "OverdueBody",
    "Refer",
    "Referral",
    "ReferralRequest",
    "ReferredBody",
    "RefusedBody",
    "ReleasedBody",
    "Snooze",
    "SnoozedBody",
    "VerifiedBody",
    "Verify",
    "decode_command",
    "encode_command",
]



def beijing(ms: int) -> datetime:
    """The moment of a broker timestamp, in China's time zone."""
    return datetime.fromtimestamp(ms // 1000, SHANGHAI).replace(microsecond=ms % 1000 * 1000)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
