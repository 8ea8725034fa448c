"""Which days the records of a household show an item of the catalogue, and on which it applies to these people at all.

Shared by whoever asks about items of help. A record shows an item for the period it is about: a payment for its month,
a relief for its billing period, aid for its school year, insurance for the time it lasts. Days are ordinals.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from detectors.calendar import birthday, months_later
from detectors.findings import EvidenceItem
from detectors.lacking import month_span
from detectors.people import any_of
from detectors.spans import Stretch, inside
from households.ledger import Household, Member
from households.queries import EVER, FOREVER
from policy.catalogue import Item
from schemas.facts import AnyFact, Benefit, Fact, Rent, first_day, month_of
from schemas.facts_living import Enrolment, SchoolAid, Schooling
from schemas.feeds.medical import Plan
from schemas.labels import RentItem

Kind = TypeVar("Kind", bound=Fact)
TENANT_MONTHS = 3
"""So long after the first day of a billing period somebody still counts as a tenant."""


class Period(NamedTuple):
    """A record and the days it is about."""

    span: Stretch
    fact: AnyFact


class Holding(NamedTuple):
    """Days on which an item applies, days on which it is on record, and the records that make it apply."""

    may: tuple[Stretch, ...]
    has: tuple[Stretch, ...]
    because: tuple[Period, ...]

    def evidence(self, day: int) -> tuple[EvidenceItem, ...]:
        """The records that make the item apply on a day."""
        facts = (each.fact for each in self.because if inside((each.span,), day))
        return tuple(EvidenceItem(fact.key, fact.feed, fact.source, fact.day, _shown(fact)) for fact in facts)


class Records:
    """A household's records of one look: each kind of each person is read once, one that nobody has not at all."""

    def __init__(self, household: Household) -> None:
        self._household = household
        self._read: dict[tuple[type[Fact], str], list[Any]] = {}

    def last_paid(self, codes: frozenset[str]) -> int | None:
        """The newest day of a payment of these codes to anybody here, 0 where there is none; kept per page.

        None where not every record of a page may count: people moved, or a whole month was replaced.
        """
        household = self._household
        if household.head.stubs or household.spoken(Benefit.feed):
            return None
        for name in sorted(household.pages, reverse=True):
            memo = household.page_memo.setdefault(name, {})
            last = memo.get((Benefit, codes))
            if last is None:
                facts = (fact for told in household.pages[name].values() for fact in told)
                days = (fact.day for fact in facts if isinstance(fact, Benefit) and _counts(fact, codes))
                last = memo[Benefit, codes] = max(days, default=0)
            if last:
                return last
        return 0

    def of(self, kind: type[Kind], people: Sequence[str]) -> list[Kind]:
        """Live facts of a kind of these people."""
        if kind.paged and not any_of(self._household, kind):
            return []
        found: list[Kind] = []
        for person in people:
            known = self._read.get((kind, person))
            if known is None:
                known = self._read[kind, person] = self._household.of_kind(kind, person)
            found += known
        return found


Read = Callable[[Records, Sequence[str], Item], tuple[list[Period] | None, list[Stretch]]]


def shown_until(records: Records, people: Sequence[str], item: Item, today: int) -> int:
    """The end of what the newest record begun by today shows of an item; 1 where none does. Quick."""
    if item.seen_in == "benefit":
        last = None if item.each else records.last_paid(item.codes)
        if last is not None and last <= today:
            return first_day(month_of(last) + 1) if last else EVER
        paid = [each.day for each in records.of(Benefit, people) if _is_paid(each, item) and each.day <= today]
        return first_day(month_of(max(paid)) + 1) if paid else EVER
    return max(
        (span.after for span in _READ[item.seen_in](records, people, item)[1] if span.first <= today), default=EVER
    )


def holding_of(records: Records, people: Sequence[str], member: Member | None, item: Item) -> Holding:
    """What the ledger says of an item and these people, since it came into the catalogue, at the ages it is for."""
    applies, has = _READ[item.seen_in](records, people, item)
    if applies is not None and not applies:
        return Holding((), (), ())
    always = [Stretch(EVER, FOREVER)]
    may = always if applies is None else [each.span for each in applies]
    for limit in ([Stretch(item.since, FOREVER)], always if item.ages is None else _of_age(member, item.ages)):
        may = [each for one in may for other in limit if (each := _both(one, other)) is not None]
    return Holding(tuple(may), tuple(has), tuple(applies or ()))


def _shown(fact: AnyFact) -> int:
    """What a record says in one number: rent in fen, the year insured, else that it is there."""
    return fact.amount_fen if isinstance(fact, Rent) else fact.year if isinstance(fact, Enrolment) else 1


def _both(one: Stretch, other: Stretch) -> Stretch | None:
    first, after = max(one.first, other.first), min(one.after, other.after)
    return Stretch(first, after) if first < after else None


def _of_age(member: Member | None, ages: tuple[int, int]) -> list[Stretch]:
    """Days on which somebody is of these ages; an unknown date of birth is no age."""
    if member is None or member.born is None:
        return []
    return [Stretch(birthday(member.born, ages[0]), birthday(member.born, ages[1]))]


def _payments(records: Records, people: Sequence[str], item: Item) -> tuple[list[Period] | None, list[Stretch]]:
    paid = records.of(Benefit, people)
    return None, [month_span(each.month) for each in paid if _is_paid(each, item)]


def _is_paid(benefit: Benefit, item: Item) -> bool:
    return _counts(benefit, item.codes)


def _counts(benefit: Benefit, codes: frozenset[str]) -> bool:
    return not benefit.gone and benefit.scheme in codes and benefit.amount_fen > 0


def _insurance(records: Records, people: Sequence[str], item: Item) -> tuple[list[Period] | None, list[Stretch]]:
    """Who pays for resident insurance may have it paid; an employer's insurance needs no subsidy."""
    spans = [(each, insured_span(each)) for each in records.of(Enrolment, people)]
    applies = [Period(span, each) for each, span in spans if each.plan == Plan.RESIDENT]
    return applies, [span for each, span in spans if each.subsidised or each.plan == Plan.EMPLOYEE]


def insured_span(enrolment: Enrolment) -> Stretch:
    """The days somebody is insured by one record: to its end, and never beyond its year."""
    after = date(enrolment.year + 1, 1, 1).toordinal()
    return Stretch(enrolment.day, after if enrolment.until is None else min(enrolment.until, after))


def _rent(records: Records, people: Sequence[str], item: Item) -> tuple[list[Period] | None, list[Stretch]]:
    rents = records.of(Rent, people)
    bills = [each for each in rents if each.item == RentItem.bill]
    reliefs = [each for each in rents if each.item == RentItem.relief and each.amount_fen > 0]
    applies = [Period(Stretch(each.day, months_later(each.day, TENANT_MONTHS)), each) for each in bills]
    return applies, [month_span(each.month) for each in reliefs]


def _school(records: Records, people: Sequence[str], item: Item) -> tuple[list[Period] | None, list[Stretch]]:
    spells = [each for each in records.of(Schooling, people) if each.stage in item.stages]
    aids = [each for each in records.of(SchoolAid, people) if each.amount_fen > 0] if spells else []
    applies = [Period(Stretch(each.day, FOREVER if each.until is None else each.until), each) for each in spells]
    return applies, [_school_year(each.school_year) for each in aids]


def _school_year(year: int) -> Stretch:
    return Stretch(date(year, 9, 1).toordinal(), date(year + 1, 9, 1).toordinal())


def _unseen(records: Records, people: Sequence[str], item: Item) -> tuple[list[Period] | None, list[Stretch]]:
    return None, []


_READ: dict[str, Read] = {
    "benefit": _payments,
    "enrolment": _insurance,
    "rent": _rent,
    "school": _school,
    "nowhere": _unseen,
}
