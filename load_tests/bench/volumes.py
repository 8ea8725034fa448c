"""What happens to watched people month by month, as records of `households.events.v1`: the volumes of a watched city.

Households of two; per person and month 0.86 bills, one benefit, and for every second person one contribution. A month
is told when it is over, so every fact is of a day that has passed; then its batches close. Most households stay below
60 % of every line by construction; one in fifty holds a lower scheme, earns so little and pays so much more for
treatment that RIGID-RATIO stands and each bill updates it. The upper 64 bits of a person's number say which copy of the
same people it is (see `copies`).
"""

import random
from collections.abc import Iterable, Iterator
from datetime import date

import zstandard

from load_tests.bench.ground import POLICY
from policy.bundle import Bundle
from schemas.facts import AnyFact, Benefit, Bill, Contribution, Declared, Membership, Status, first_day
from schemas.records import (
    BatchPartBody,
    BatchPartRecord,
    FactBody,
    FactRecord,
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    TickBody,
    TickRecord,
)

CITY, FIRST = "339901000000", 2024 * 12
DETECTORS = ("MED-SELFPAY", "RIGID-RATIO", "JOB-LOSS", "RENT-ARREARS", "MEMBER-DEATH", "DEATH-ON-BENEFIT")
MONTHLY = ("medical.settlement", "civil.benefit", "employment.contribution")
PER_HOUSEHOLD, BILLS = 2, 0.86
INCOME_FEN, POOR_FEN, POOR_EVERY, POOR_BILLS = 600_000, 300_000, 50, 8
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1).toordinal()
COPY = 1 << 64


def begin(persons: int, detectors: Iterable[str] = DETECTORS) -> Iterator[Record]:
    """Policy, time, these detectors live, and who lives where."""
    bundle, at = Bundle.load(POLICY), at_ms(FIRST)
    yield PolicyRecord("", at, "", 0, 0, PolicyBody(bundle.hash, zstandard.compress(bundle.canonical())))
    yield tick(FIRST)
    for code in detectors:
        yield GoliveRecord("", at, "", 0, 0, GoliveBody(CITY, code, 20))
    for number in range(persons):
        fact = membership(number)
        yield FactRecord(fact.household, at, "", 0, number, FactBody(fact.person, fact))


def membership(number: int) -> Membership:
    """Where a person has lived since two years before the first month; the first of two declares an income."""
    home, person, since = household_name(number), person_name(number), first_day(FIRST - 24)
    head = number % PER_HOUSEHOLD == 0
    income = POOR_FEN if _poor(number) else INCOME_FEN
    declared = Declared(CITY, CITY, CITY, CITY, income, "期间", "文书") if head else None
    statuses = (Status("DIBIAN" if _poor(number) else "DIBAO", since, None, "某局", "某号"),)
    start = (f"{home}|{person}|{since}", at_ms(FIRST), 0, f"m{number % COPY}", "民政", False, since)
    return Membership(*start, home, person, "HEAD" if head else "SPOUSE", None, 715_000, statuses, declared)


def month_of(rng: random.Random, persons: int, month: int) -> Iterator[Record]:
    """Everybody's facts of a month, in random order."""
    for number in shuffled(rng, range(persons)):
        yield _record(number, month, _benefit(number, month))
        if number % 2:
            yield _record(number, month, contribution(number, month))
        if rng.random() < BILLS:
            yield _record(number, month, _bill(rng, number, month))


def dump(rng: random.Random, numbers: Iterable[int], month: int) -> Iterator[Record]:
    """One contribution of a month for each of these people, in random order."""
    return (_record(number, month, contribution(number, month)) for number in shuffled(rng, numbers))


def closing(month: int, feeds: Iterable[str] = MONTHLY) -> list[Record]:
    """The month's batches are complete: absence counts from here on."""
    at, period = at_ms(month + 1), period_of(month)
    bodies = [BatchPartBody(feed, f"{feed}-{period}", 0, 1, period, (CITY,), "delta", 0, at) for feed in feeds]
    return [BatchPartRecord("", at, "feeds", 0, 0, body) for body in bodies]


def tick(month: int) -> Record:
    """A month has begun."""
    return TickRecord("", at_ms(month), "", 0, 0, TickBody(at_ms(month)))


def contribution(number: int, month: int) -> Contribution:
    """Insurance of a month."""
    employer, event = f"E{number % 900:04d}", f"c{month}-{number % COPY:07d}"
    key = f"{person_name(number)}|{period_of(month)}|{employer}"
    return Contribution(key, at_ms(month + 1), 0, event, "人社", False, first_day(month), employer, 450_000)


def shuffled(rng: random.Random, numbers: Iterable[int]) -> list[int]:
    """The same people in random order."""
    order = list(numbers)
    rng.shuffle(order)
    return order


def at_ms(month: int) -> int:
    """The first moment of a month, in milliseconds since 1970."""
    return (first_day(month) - EPOCH) * DAY_MS


def period_of(month: int) -> str:
    """A month as departments write it."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def household_name(number: int) -> str:
    """The household of a person; the copy is in the first sixteen digits."""
    copy, own = divmod(number, COPY)
    return f"h_{copy_name(copy)}{_mixed(own // PER_HOUSEHOLD):016x}"


def person_name(number: int) -> str:
    """A person's pseudonym; the copy is in the first sixteen digits."""
    copy, own = divmod(number, COPY)
    return f"p_{copy_name(copy)}{_mixed(own):016x}"


def copy_name(copy: int) -> str:
    """How every name of a copy begins."""
    return f"{_mixed(copy):016x}"


def _mixed(number: int) -> int:
    """Another number of 64 bits for each: names as evenly spread as digests, which rows of nought are not."""
    number = (number + 1) * 0x9E3779B97F4A7C15 % COPY
    return (number ^ number >> 29) * 0xBF58476D1CE4E5B9 % COPY


def _poor(number: int) -> bool:
    return number % COPY // PER_HOUSEHOLD % POOR_EVERY == 0


def _bill(rng: random.Random, number: int, month: int) -> AnyFact:
    day, paid = first_day(month) + rng.randrange(28), rng.randrange(1_000, 8_000)
    paid *= POOR_BILLS if _poor(number) else 1
    key = f"S{month}-{number:07d}"
    event = f"{key}~0a1b2c3d"
    return Bill(key, at_ms(month + 1), 0, event, "医保", False, day, paid, paid // 4, 0, paid * 3, "OUTPATIENT")


def _benefit(number: int, month: int) -> AnyFact:
    key, event = f"{person_name(number)}|DIBAO|{month}", f"b{month}-{number:07d}"
    return Benefit(key, at_ms(month + 1), 0, event, "民政", False, first_day(month), "DIBAO", 98_000)


def _record(number: int, month: int, fact: AnyFact) -> Record:
    body = FactBody(person_name(number), fact)
    return FactRecord(household_name(number), at_ms(month + 1), "feeds", 0, number % COPY, body)
