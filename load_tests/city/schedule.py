"""When each department delivers: weekly deltas, and the monthly file that closes the month before."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from load_tests.city.calendar import Span, at, month_name, month_start


@dataclass(frozen=True, slots=True)
class Cadence:
    """A feed's habit: `closes_on` is the day of the next month, `weekly` adds deltas on the last day of each week."""

    feed: str
    department: str
    source: str
    layout: str
    closes_on: int
    weekly: bool


CADENCES: tuple[Cadence, ...] = (
    Cadence("medical.settlement", "市医疗保障局", "urn:xinghe:medical-insurance", "csv", 5, True),
    Cadence("medical.reimbursement", "市医疗保障局", "urn:xinghe:medical-insurance", "jsonl", 5, True),
    Cadence("employment.status", "市人力资源和社会保障局", "urn:xinghe:human-resources", "jsonl", 6, True),
    Cadence("employment.contribution", "市人力资源和社会保障局", "urn:xinghe:human-resources", "csv", 10, False),
    Cadence("housing.security", "市住房保障中心", "urn:xinghe:housing", "csv", 8, False),
    Cadence("civil.benefit", "市民政局", "urn:xinghe:civil", "csv", 4, False),
    Cadence("vital.death", "市卫生健康委员会", "urn:xinghe:health", "jsonl", 7, True),
)
CADENCE = {cadence.feed: cadence for cadence in CADENCES}


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned delivery of a feed: rows known by `at`; `closes` is the first day of the month it completes."""

    feed: str
    at: datetime
    covers_from: date
    covers_to: date
    closes: date | None

    @property
    def month(self) -> date:
        """First day of the month a closing delivery completes. Raises ValueError for a weekly delta."""
        if self.closes is None:
            raise ValueError("a weekly delta closes no month")
        return self.closes

    @property
    def batchid(self) -> str:
        """The department's number for this delivery."""
        kind = month_name(self.closes) if self.closes else "W"
        return f"{self.feed}-{self.at:%Y%m%d}-{kind}"


def slots_of_week(first: date, after: date, span: Span) -> Iterator[Slot]:
    """Every planned delivery of a week, in the order of their moments."""
    found: list[Slot] = []
    for cadence in CADENCES:
        found.extend(_closings(cadence, first, after, span))
        if cadence.weekly and first < span.end:
            last = after - timedelta(days=1)
            found.append(Slot(cadence.feed, at(last, 20), first, min(after, span.end), None))
    yield from sorted(found, key=lambda slot: (slot.at, slot.feed))


def _closings(cadence: Cadence, first: date, after: date, span: Span) -> Iterator[Slot]:
    for day in (first + timedelta(days=n) for n in range((after - first).days)):
        if day.day == cadence.closes_on:
            closed = month_start(day, -1)
            if span.first <= closed < span.end:
                yield Slot(cadence.feed, at(day, 9), closed, month_start(day, 0), closed)


def arrival(feed: str, day: date) -> date:
    """The day by which a punctual department has delivered a fact of `day`."""
    cadence = CADENCE[feed]
    if cadence.weekly:
        return day
    return month_start(day, 1) + timedelta(days=cadence.closes_on - 1)
