"""Parts of a case that several modules ask about: a referral with its answer, and a rule that is to call nobody."""

from dataclasses import dataclass
from datetime import date

from schemas.case_words import FeedbackResult, InhibitReason
from schemas.cases import FeedbackBody, Referral

FINAL = (FeedbackResult.PROVIDED, FeedbackResult.ALREADY, FeedbackResult.DECLINED)


@dataclass(slots=True)
class ReferralState:
    """A referral and the newest answer to it."""

    asked: Referral
    answer: FeedbackBody | None = None

    @property
    def settled(self) -> bool:
        """Whether the department gave its last word."""
        return self.answer is not None and self.answer.result in FINAL


@dataclass(slots=True)
class Inhibition:
    """Alerts of a rule, none worse than `severity`, call nobody before `until`: who said so, and why."""

    until: date
    severity: int
    reason: InhibitReason
    by: str
