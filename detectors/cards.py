"""What rules about feeds ask of a unit's facts: its days and periods as known on a day, and unbroken runs."""

from collections.abc import Iterable, Sequence
from datetime import date

from detectors.findings import EvidenceItem, Findings
from households.ledger import Household
from schemas.feed import FEEDS
from schemas.feeds.report_cards import FeedDay, FeedPeriod

LATE_CARD_DAYS = 2
"""A card for a day is made that day and until the day is read; later than this the service itself is behind."""


def days_until(household: Household, on: date) -> list[FeedDay]:
    """The days told so far, in order, one fact a day."""
    known = {each.day: each for each in sorted(household.of_kind(FeedDay), key=lambda each: each.version)}
    today = on.toordinal()
    return [known[day] for day in sorted(known) if day <= today]


def periods_until(household: Household, on: date) -> list[FeedPeriod]:
    """The months told so far, in order, one fact a month."""
    known = {each.day: each for each in sorted(household.of_kind(FeedPeriod), key=lambda each: each.version)}
    today = on.toordinal()
    return [known[day] for day in sorted(known) if day <= today]


def covering(days: Sequence[FeedDay], on: date) -> Findings:
    """Findings that say when the cards themselves stopped: then nothing ends because nothing more is told."""
    findings = Findings()
    if days:
        last, today = days[-1].day, on.toordinal()
        if today > last + LATE_CARD_DAYS:
            findings.lacks(FeedDay.feed, date.fromordinal(last).isoformat())
        else:
            findings.recheck(date.fromordinal(last + LATE_CARD_DAYS + 1))
    return findings


def run(judged: Iterable[tuple[int, bool]]) -> int | None:
    """The first day of the unbroken run of wrong ones up to the newest (day, wrong); None where the newest is right."""
    first = None
    for day, wrong in judged:
        first = (first or day) if wrong else None
    return first


def sender(fact: FeedDay | FeedPeriod) -> str:
    """The department and its data, as a sentence begins."""
    title = FEEDS[fact.about].title if fact.about in FEEDS else fact.about
    return f"{fact.department}报送的「{title}」"


def evidence(fact: FeedDay | FeedPeriod, value: int) -> EvidenceItem:
    """A day or month of the report card as an input."""
    return EvidenceItem(fact.key, fact.feed, fact.source, fact.day, value)
