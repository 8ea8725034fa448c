"""Commands of case work on `cases.commands.v1`: JSON, keyed by household, and the ticks that travel with them.

A command names case and household and is decided once, by its `command_id`. No text may hold an identity or phone
number: such a command is rejected, and the rejection never quotes it.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from schemas.case_words import (
    Action,
    EvidenceKind,
    FeedbackResult,
    InhibitReason,
    Outcome,
    Reply,
    Role,
    SnoozeReason,
    VerifyResult,
)
from schemas.errors import Reject
from schemas.explain import step_of
from schemas.free_text import has_private_number
from schemas.plain_identity import carries_identity


def _public(text: str) -> str:
    if has_private_number(text):
        raise ValueError("PLAIN_IDENTITY")
    return text


def _public_id(text: str) -> str:
    if carries_identity(text):
        raise ValueError("PLAIN_IDENTITY")
    return text


Text = Annotated[str, Field(max_length=2000), AfterValidator(_public)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$"), AfterValidator(_public_id)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CaseEvidence(_Wire):
    """What proves a verification: kind, when, what was seen, where it is kept."""

    kind: EvidenceKind
    on: date | None = None
    note: Text = ""
    ref: Text | None = None


class ReferralRequest(_Wire):
    """One department (or 助联体 member) asked for one aid item."""

    department: Text
    item: Text
    note: Text | None = None


class _Command(_Wire):
    type: str
    command_id: Id
    case_id: Id
    household: Id
    actor: Text
    role: Role = Role.OFFICER

    @property
    def action(self) -> Action:
        """What is asked."""
        return Action(self.type)


class Accept(_Command):
    """签收."""

    type: Literal["accept"] = "accept"


class Verify(_Command):
    """核查: the result, its evidence, and how the right of reply was honoured (review lane)."""

    type: Literal["verify"] = "verify"
    result: VerifyResult
    evidence: list[CaseEvidence] = []
    reply: Reply | None = None
    note: Text | None = None


class Refer(_Command):
    """转介 to any number of departments at once."""

    type: Literal["refer"] = "refer"
    referrals: Annotated[list[ReferralRequest], Field(min_length=1, max_length=50)]


class Feedback(_Command):
    """反馈 to one referral (R1, R2 …)."""

    type: Literal["feedback"] = "feedback"
    referral: Id
    result: FeedbackResult
    amount_fen: Annotated[int, Field(ge=0)] | None = None
    note: Text | None = None


class Close(_Command):
    """办结 with an outcome."""

    type: Literal["close"] = "close"
    outcome: Outcome
    reply: Reply | None = None
    note: Text | None = None


class Contest(_Command):
    """异议 by the household: the verification has to be done again."""

    type: Literal["contest"] = "contest"
    statement: Text


class Snooze(_Command):
    """暂缓: clocks pause until a date, for a named reason."""

    type: Literal["snooze"] = "snooze"
    until: date
    reason: SnoozeReason
    note: Text | None = None


class Inhibit(_Command):
    """暂不提示: alerts of one rule call nobody to this household until a date, unless they are worse than now."""

    type: Literal["inhibit"] = "inhibit"
    detector: Id
    until: date
    reason: InhibitReason
    note: Text | None = None


class Lift(_Command):
    """恢复提示 before the date."""

    type: Literal["lift"] = "lift"
    detector: Id
    note: Text | None = None


class Contact(_Command):
    """Asks to see who the household is; the event that answers is the log of the opening."""

    type: Literal["contact"] = "contact"
    purpose: Annotated[Text, Field(min_length=2)]


class StormRelease(_Wire):
    """突增放行: the cases held of one rule and day go to the officers; travels on every partition."""

    type: Literal["storm_release"] = "storm_release"
    command_id: Id
    detector: Id
    on: date
    reason: Annotated[Text, Field(min_length=2)]
    actor: Text
    role: Role = Role.SUPERVISOR


class CaseTick(_Wire):
    """It is at least `at_ms`; travels with the commands, on every partition."""

    type: Literal["tick"] = "tick"
    at_ms: int


CaseCommand = Accept | Verify | Refer | Feedback | Close | Contest | Snooze | Contact | Inhibit | Lift
CaseOrder = CaseCommand | CaseTick | StormRelease
_input: TypeAdapter[CaseOrder] = TypeAdapter(Annotated[CaseOrder, Field(discriminator="type")])


def encode_command(command: CaseOrder) -> bytes:
    """The message value of a command, a tick or the release of a storm."""
    return command.model_dump_json(exclude_none=True).encode()


def decode_command(value: bytes) -> CaseOrder:
    """What a message value asks. Raises Reject, whose message never quotes the value."""
    try:
        return _input.validate_json(value)
    except ValidationError as error:
        raise _rejection(error) from None


def _rejection(error: ValidationError) -> Reject:
    first = error.errors(include_input=False, include_url=False)[0]
    pointer = "".join(map(step_of, first["loc"])) or "/"
    if "PLAIN_IDENTITY" in first["msg"]:
        return Reject("PLAIN_IDENTITY", pointer, "文字中不能出现证件号码或手机号码")
    code = {"json_invalid": "NOT_JSON", "missing": "MISSING_FIELD", "extra_forbidden": "UNKNOWN_FIELD"}
    return Reject(code.get(first["type"], "BAD_FIELD"), pointer, f"个案操作内容有误：{pointer}")
