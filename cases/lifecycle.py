"""What may happen to a case: one table of states and actions, guards that answer with a reason, and what follows.

Every cell of the table is a Move or the reason why not. `decide` is pure and returns the body of the event to come.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cases.context import Context
from cases.guards import (
    answerable,
    inhibitable,
    liftable,
    not_urgent,
    outcome_fits,
    pausable,
    referrals_answered,
    replied,
    still_contestable,
    with_evidence,
    with_need,
    without_twin,
)
from cases.steps import (
    accepted,
    closed,
    contact_opened,
    contested,
    fed_back,
    inhibited,
    lifted,
    referred,
    snoozed,
    verified,
)
from schemas.case_words import Action, Refusal, State
from schemas.cases import (
    TYPES,
    AnyBody,
    ClosedBody,
    FeedbackBody,
    InhibitedBody,
    RefusedBody,
    SnoozedBody,
    VerifiedBody,
)

Guard = Callable[[Context], Refusal | None]


@dataclass(frozen=True)
class Move:
    """An allowed action: guards are asked in order, the case then stands in one of `to`."""

    to: frozenset[State]
    guards: tuple[Guard, ...] = ()


Cell = Move | Refusal
Row = Mapping[Action, Cell]


def _move(*to: State, guards: tuple[Guard, ...] = ()) -> Move:
    return Move(frozenset(to), guards)


_S = State
_SETTLED = (_S.VERIFIED, _S.REFERRED, _S.FED_BACK)
_VERIFY = _move(*_SETTLED, guards=(with_evidence,))
_CLOSE = _move(_S.CLOSED, guards=(referrals_answered, replied, outcome_fits))
_REFER = _move(_S.REFERRED, guards=(with_need, without_twin))


def _everything(cell: Cell) -> dict[Action, Cell]:
    return dict.fromkeys(Action, cell)


def _quiet(state: State) -> dict[Action, Cell]:
    return {Action.INHIBIT: _move(state, guards=(inhibitable,)), Action.LIFT: _move(state, guards=(liftable,))}


def _aside(state: State) -> dict[Action, Cell]:
    pause = _move(state, guards=(not_urgent, pausable))
    return {Action.SNOOZE: pause, Action.CONTACT: _move(state)} | _quiet(state)


TABLE: Mapping[State, Row] = {
    _S.HELD: _everything(Refusal.HELD),
    _S.STORM: _everything(Refusal.STORM),
    _S.OPEN: _everything(Refusal.NOT_ACCEPTED)
    | _aside(_S.OPEN)
    | {Action.ACCEPT: _move(_S.ACCEPTED), Action.CONTEST: _move(_S.OPEN)},
    _S.ACCEPTED: _everything(Refusal.NOT_VERIFIED)
    | _aside(_S.ACCEPTED)
    | {
        Action.ACCEPT: Refusal.ALREADY_ACCEPTED,
        Action.VERIFY: _VERIFY,
        Action.FEEDBACK: _move(_S.ACCEPTED, guards=(answerable,)),
        Action.CONTEST: _move(_S.ACCEPTED),
    },
    _S.VERIFIED: _aside(_S.VERIFIED)
    | {
        Action.ACCEPT: Refusal.ALREADY_ACCEPTED,
        Action.VERIFY: _VERIFY,
        Action.REFER: _REFER,
        Action.FEEDBACK: Refusal.NO_REFERRAL,
        Action.CLOSE: _CLOSE,
        Action.CONTEST: _move(_S.ACCEPTED),
    },
    _S.REFERRED: _aside(_S.REFERRED)
    | {
        Action.ACCEPT: Refusal.ALREADY_ACCEPTED,
        Action.VERIFY: Refusal.REFERRAL_RUNNING,
        Action.REFER: _REFER,
        Action.FEEDBACK: _move(_S.REFERRED, _S.FED_BACK, guards=(answerable,)),
        Action.CLOSE: _CLOSE,
        Action.CONTEST: _move(_S.ACCEPTED),
    },
    _S.FED_BACK: _aside(_S.FED_BACK)
    | {
        Action.ACCEPT: Refusal.ALREADY_ACCEPTED,
        Action.VERIFY: _VERIFY,
        Action.REFER: _REFER,
        Action.FEEDBACK: _move(_S.FED_BACK, guards=(answerable,)),
        Action.CLOSE: _CLOSE,
        Action.CONTEST: _move(_S.ACCEPTED),
    },
    _S.CLOSED: _everything(Refusal.CLOSED)
    | _quiet(_S.CLOSED)
    | {Action.CONTEST: _move(_S.ACCEPTED, guards=(still_contestable,))},
}

STEPS: Mapping[Action, Callable[[Context], AnyBody]] = {
    Action.ACCEPT: accepted,
    Action.VERIFY: verified,
    Action.REFER: referred,
    Action.FEEDBACK: fed_back,
    Action.CLOSE: closed,
    Action.CONTEST: contested,
    Action.SNOOZE: snoozed,
    Action.CONTACT: contact_opened,
    Action.INHIBIT: inhibited,
    Action.LIFT: lifted,
}


def decide(context: Context) -> AnyBody | Refusal:
    """The body of the event that answers a command, or why it changes nothing."""
    cell = TABLE[context.case.state][context.command.action]
    if isinstance(cell, Refusal):
        return cell
    for guard in cell.guards:
        if refusal := guard(context):
            return refusal
    return STEPS[context.command.action](context)


def reason_of(body: AnyBody) -> str:
    """The reason code of an event that answers a command."""
    match body:
        case RefusedBody():
            return body.refusal.value
        case VerifiedBody() | FeedbackBody():
            return body.result.value
        case ClosedBody():
            return body.outcome.value
        case SnoozedBody() | InhibitedBody():
            return body.reason.value
        case _:
            return TYPES[type(body)].value
