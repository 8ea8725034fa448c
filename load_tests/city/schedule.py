"""When each department delivers: weekly deltas, and the monthly file that closes the month before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from load_tests.city.calendar import Span, at, month_name, month_start


@dataclass(frozen=True, slots=True)
class Cadence:
    """A feed's habit: `closes_on` is the day of the next month (0: it tells events and closes none), `weekly` adds
    deltas on the last day of each week."""

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
_MEDICAL = ("市医疗保障局", "urn:xinghe:medical-insurance")
_PEOPLE = ("市人力资源和社会保障局", "urn:xinghe:human-resources")
_SCHOOLS = ("市教育局", "urn:xinghe:education")
_CIVIL = ("市民政局", "urn:xinghe:civil")
_CHECKS = ("市居民家庭经济状况核对中心", "urn:xinghe:means-checks")
_POLICE = ("市公安局", "urn:xinghe:police")
_CALLS = ("市政务热线", "urn:xinghe:hotline")
_POWER = ("市供电公司", "urn:xinghe:power")
MORE_CADENCES: tuple[Cadence, ...] = (
    Cadence("medical.enrolment", *_MEDICAL, "csv", 5, False),
    Cadence("pension.payment", *_PEOPLE, "csv", 9, False),
    Cadence("education.enrolment", *_SCHOOLS, "csv", 6, False),
    Cadence("education.fee", *_SCHOOLS, "jsonl", 6, False),
    Cadence("education.aid", *_SCHOOLS, "csv", 6, False),
    Cadence("civil.temp_aid", *_CIVIL, "csv", 4, True),
    Cadence("civil.authorisation", *_CIVIL, "jsonl", 0, True),
    Cadence("utility.bill", *_POWER, "csv", 8, False),
    Cadence("utility.usage", *_POWER, "csv", 3, False),
    Cadence("disability.certificate", "市残疾人联合会", "urn:xinghe:disabled", "jsonl", 7, True),
    Cadence("hotline.ticket", *_CALLS, "jsonl", 0, True),
    Cadence("grid.lead", "市基层治理中心", "urn:xinghe:grid", "jsonl", 0, True),
    Cadence("self.report", *_CIVIL, "jsonl", 0, True),
    Cadence("emergency.incident", "市应急管理局", "urn:xinghe:emergency", "csv", 0, True),
    Cadence("traffic.accident", *_POLICE, "jsonl", 0, True),
    Cadence("safety.incident", "市居家安全平台", "urn:xinghe:safety", "jsonl", 0, True),
    Cadence("justice.custody", "市司法局", "urn:xinghe:justice", "jsonl", 0, True),
    Cadence("household.change", *_POLICE, "jsonl", 0, True),
    Cadence("vehicle.registration", *_POLICE, "csv", 0, True),
    Cadence("property.registration", "市自然资源和规划局", "urn:xinghe:land", "csv", 0, True),
    Cadence("business.registration", "市市场监督管理局", "urn:xinghe:market", "csv", 0, True),
    Cadence("finance.check_reply", *_CHECKS, "jsonl", 0, True),
    Cadence("check.reply", *_CHECKS, "jsonl", 0, True),
    Cadence("referral.feedback", *_CIVIL, "jsonl", 0, True),
)
"""What departments deliver beside `CADENCES` in a city of every rule."""
CADENCE = {cadence.feed: cadence for cadence in (*CADENCES, *MORE_CADENCES)}


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


def slots_of_week(first: date, after: date, span: Span, cadences: Iterable[Cadence] = CADENCES) -> Iterator[Slot]:
    """Every planned delivery of a week, in the order of their moments."""
    found: list[Slot] = []
    for cadence in cadences:
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
