"""What follows from a command that passed its guards: the event's body, with every clock that runs from here on."""

from cases.context import Context
from cases.parts import FINAL
from schemas.case_commands import Accept, Close, Contact, Contest, Feedback, Inhibit, Lift, Refer, Snooze, Verify
from schemas.case_words import Step
from schemas.cases import (
    AcceptedBody,
    ClosedBody,
    ContactOpenedBody,
    ContestedBody,
    FeedbackBody,
    InhibitedBody,
    LiftedBody,
    Referral,
    ReferredBody,
    SnoozedBody,
    VerifiedBody,
)


def accepted(context: Context) -> AcceptedBody:
    """The visit is due."""
    context.asked(Accept)
    return AcceptedBody(clocks=(*context.running(Step.CLOSE), context.clock(Step.VERIFY)))


def verified(context: Context) -> VerifiedBody:
    """The visit is done."""
    command = context.asked(Verify)
    return VerifiedBody(
        clocks=context.running(Step.CLOSE, Step.FEEDBACK),
        result=command.result,
        reply=command.reply,
        note=command.note,
    )


def referred(context: Context) -> ReferredBody:
    """Each department owes an answer; referrals are named R1, R2 … within the case."""
    command, first = context.asked(Refer), len(context.case.referrals) + 1
    named = tuple(
        Referral(referral=f"R{number}", **asked.model_dump()) for number, asked in enumerate(command.referrals, first)
    )
    clocks = (context.clock(Step.FEEDBACK, asked.referral) for asked in named)
    return ReferredBody(clocks=(*context.case.clocks, *clocks), referrals=named)


def fed_back(context: Context) -> FeedbackBody:
    """A last word stops that department's clock."""
    command = context.asked(Feedback)
    final = command.result in FINAL
    return FeedbackBody(
        clocks=tuple(clock for clock in context.case.clocks if not final or clock.referral != command.referral),
        referral=command.referral,
        result=command.result,
        amount_fen=command.amount_fen,
        note=command.note,
    )


def closed(context: Context) -> ClosedBody:
    """Nothing is due any more."""
    command = context.asked(Close)
    return ClosedBody(clocks=(), outcome=command.outcome, reply=command.reply, note=command.note)


def contested(context: Context) -> ContestedBody:
    """A verification is due again, where one was done or promised."""
    command, case = context.asked(Contest), context.case
    if case.accepted_at is None:
        return ContestedBody(clocks=case.clocks, statement=command.statement, reopened=False)
    reopened = case.closed is not None
    close = (context.clock(Step.CLOSE),) if reopened else context.running(Step.CLOSE)
    clocks = (*close, *context.running(Step.FEEDBACK), context.clock(Step.VERIFY))
    return ContestedBody(clocks=clocks, statement=command.statement, reopened=reopened)


def snoozed(context: Context) -> SnoozedBody:
    """Every clock rests until the day."""
    command = context.asked(Snooze)
    clocks = tuple(context.deadlines.paused(clock, context.at, command.until) for clock in context.case.clocks)
    return SnoozedBody(clocks=clocks, until=command.until, reason=command.reason, note=command.note)


def inhibited(context: Context) -> InhibitedBody:
    """What comes of this rule is noted, unless it is worse than anything it said until now."""
    command = context.asked(Inhibit)
    about = [note.severity for note in context.case.alerts.values() if note.detector == command.detector]
    return InhibitedBody(
        detector=command.detector, until=command.until, severity=max(about), reason=command.reason, note=command.note
    )


def lifted(context: Context) -> LiftedBody:
    """What was noted meanwhile and is still so comes back with the next tick."""
    command = context.asked(Lift)
    return LiftedBody(detector=command.detector, note=command.note)


def contact_opened(context: Context) -> ContactOpenedBody:
    """The opening is on record before the vault is read."""
    return ContactOpenedBody(purpose=context.asked(Contact).purpose)
