"""Guards: each asks one question about a command and answers with a reason or None. Typed by the command they guard."""

from datetime import timedelta

from cases.context import Context
from schemas.case_commands import Close, Feedback, Inhibit, Lift, Refer, Snooze, Verify
from schemas.case_words import FeedbackResult, Lane, Outcome, Refusal, VerifyResult

_R = VerifyResult
_HELP = (Lane.HELP, Lane.CHILD)
_AID = (
    Outcome.DIBAO,
    Outcome.TEKUN,
    Outcome.DIBIAN,
    Outcome.GANGXING,
    Outcome.FANGPIN,
    Outcome.TEMP_AID,
    Outcome.REFERRED_AID,
    Outcome.SERVICE,
    Outcome.CHARITY,
)
OUTCOMES: dict[Outcome, tuple[tuple[Lane, ...], tuple[VerifyResult, ...]]] = {
    **dict.fromkeys(_AID, (_HELP, (_R.NEED,))),
    Outcome.INFORMED: (tuple(Lane), (_R.NEED, _R.NO_NEED)),
    Outcome.NO_NEED: ((*_HELP, Lane.DATA), (_R.NO_NEED,)),
    Outcome.KEPT: ((Lane.REVIEW,), (_R.NEED, _R.NO_NEED)),
    Outcome.TO_REVIEW: ((Lane.REVIEW,), (_R.NEED, _R.NO_NEED)),
    Outcome.CORRECTED: (tuple(Lane), (_R.DATA_ERROR,)),
    Outcome.HANDED_OVER: (tuple(Lane), (_R.WRONG_AREA,)),
    Outcome.UNREACHABLE: (tuple(Lane), (_R.UNREACHABLE,)),
}


def with_evidence(context: Context) -> Refusal | None:
    """A verification leaves a trace."""
    return None if context.asked(Verify).evidence else Refusal.EVIDENCE_MISSING


def with_need(context: Context) -> Refusal | None:
    """Only a found need is referred."""
    found = context.case.verified
    return None if found is not None and found.result is VerifyResult.NEED else Refusal.NEED_NOT_FOUND


def without_twin(context: Context) -> Refusal | None:
    """The same item is not asked twice of one department while the first request runs, nor twice in one command."""
    asked = [(item.department, item.item) for item in context.asked(Refer).referrals]
    running = {
        (state.asked.department, state.asked.item) for state in context.case.referrals.values() if not state.settled
    }
    return Refusal.ALREADY_REFERRED if len(set(asked)) < len(asked) or running & set(asked) else None


def answerable(context: Context) -> Refusal | None:
    """Feedback belongs to a referral without a last word; a refusal to help says why."""
    command = context.asked(Feedback)
    referral = context.case.referrals.get(command.referral)
    if referral is None:
        return Refusal.NO_REFERRAL
    if referral.settled:
        return Refusal.ALREADY_ANSWERED
    return Refusal.REASON_MISSING if command.result is FeedbackResult.DECLINED and not command.note else None


def referrals_answered(context: Context) -> Refusal | None:
    """No case closes while a department owes an answer."""
    return Refusal.FEEDBACK_MISSING if context.case.unanswered else None


def replied(context: Context) -> Refusal | None:
    """A review closes only after the household could speak."""
    command = context.asked(Close)
    heard = context.case.reply or command.reply
    return Refusal.REPLY_MISSING if context.case.lane is Lane.REVIEW and heard is None else None


def outcome_fits(context: Context) -> Refusal | None:
    """The outcome must follow from what was found, in this lane."""
    command, found = context.asked(Close), context.case.verified
    if found is None:
        return Refusal.NOT_VERIFIED
    lanes, results = OUTCOMES[command.outcome]
    return None if context.case.lane in lanes and found.result in results else Refusal.OUTCOME_CONFLICT


def pausable(context: Context) -> Refusal | None:
    """Clocks rest until a day after today, not longer than the limit."""
    command, today = context.asked(Snooze), context.at.date()
    longest = today + timedelta(days=context.deadlines.on(today).snooze_max_days)
    return None if today < command.until <= longest else Refusal.BAD_DATE


def not_urgent(context: Context) -> Refusal | None:
    """Nobody lets an emergency, a disaster or a child wait."""
    rules = context.deadlines.on(context.at.date()).grouping
    return Refusal.URGENT if rules.any_urgent(context.case.alerts.values(), context.case.lane) else None


def inhibitable(context: Context) -> Refusal | None:
    """Only what the case knows, for a limited time, and never what is urgent."""
    command, today, case = context.asked(Inhibit), context.at.date(), context.case
    rules = context.deadlines.on(today).grouping
    about = [note for note in case.alerts.values() if note.detector == command.detector]
    if not about:
        return Refusal.NO_SUCH_ALERT
    if any(rules.is_urgent(note, case.lane) for note in about):
        return Refusal.URGENT
    longest = today + timedelta(days=rules.inhibit_max_days)
    return None if today < command.until <= longest else Refusal.BAD_DATE


def liftable(context: Context) -> Refusal | None:
    """Only what is inhibited now."""
    said = context.case.inhibited.get(context.asked(Lift).detector)
    return None if said is not None and context.at.date() < said.until else Refusal.NOT_INHIBITED


def still_contestable(context: Context) -> Refusal | None:
    """A closed case re-opens within the period, unless the lane has another open case to say it in."""
    if context.rival is not None:
        return Refusal.OTHER_CASE_OPEN
    closed_at = context.case.closed_at
    in_time = closed_at is not None and context.deadlines.contestable(closed_at, context.at)
    return None if in_time else Refusal.TOO_LATE
