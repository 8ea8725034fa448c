"""What detectors ask a household: only live facts that belong here, always in the same order (day, kind, key).

A person's facts belong to the household the person lives in now; a household left keeps what is dated inside its own
memberships. What is known by a number of its own (a bill, a rent) and told of two people here is one fact: the newer
record counts. Days are ordinals, windows half-open. Asking changes nothing.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple, TypeVar, cast

from households.answers import Answers
from households.coverage import Coverage
from households.overruled import NOBODY, overruled_now
from households.pages import Pages, place
from households.residence import covered, elsewhere, rank
from households.state import HOUSEHOLD, Head
from households.wholes import NOTHING_SAID, Spoke, as_it_stands, spoken_of
from policy.schemes import OTHER, Schemes
from schemas.facts import (
    AnyFact,
    Benefit,
    Bill,
    Contribution,
    Death,
    Declared,
    Employment,
    Fact,
    Membership,
    Refund,
    Rent,
    Status,
)
from schemas.feed_units import is_unit

F = TypeVar("F", bound=Fact)
Measure = Callable[[AnyFact], int]

EVER = 1
FOREVER = date.max.toordinal()
_KEPT_VIEWS = 16
_PAGE_OF: dict[int, str] = {}


class Total:
    """What to add up: a measure of facts, from a half-year on. Compared by identity: make one and keep it."""

    __slots__ = ("measure", "oldest")

    def __init__(self, measure: Measure, oldest: str) -> None:
        self.measure, self.oldest = measure, oldest


class Member(NamedTuple):
    """A person of the household on a day; the dead still count (ask `deaths`). `until` is half-open."""

    person: str
    relation: str
    born: int | None
    statuses: tuple[Status, ...]
    since: int
    until: int | None


class Queries:
    """The reading side of `Household`."""

    __slots__ = (
        "_areas", "_declared", "_members", "_overruled", "_refunds", "_spoken", "_spoken_at", "_tiers", "answers",
        "coverage", "head", "id", "memo", "page_memo", "pages", "totals",
    )  # fmt: skip

    def __init__(self, household: str, head: Head, pages: Pages, coverage: Coverage) -> None:
        self.id, self.head, self.pages, self.coverage = household, head, pages, coverage
        self.page_memo: dict[str, dict[object, int]] = {}
        self.totals: dict[Total, int] = {}
        self.forget_views()

    def forget_views(self) -> None:
        """Answers kept from earlier questions may be wrong now.

        `memo` holds what detectors worked out from memberships alone, `page_memo` from the facts of one page; the
        latter is forgotten page by page, whenever a fact of the page changes. `answers`: `households.answers`.
        """
        self.answers: Answers | None = None
        self.memo: dict[object, tuple[str, ...]] = {}
        self._declared: dict[int, Declared | None] = {}
        self._members: dict[int, list[Member]] = {}
        self._tiers: dict[tuple[str, int, Schemes], str] = {}
        self._refunds: dict[str, int] | None = None
        self._overruled: dict[type[Fact], frozenset[tuple[str, str]]] = {}
        self._areas: Declared | None = None
        self._spoken: dict[str, Spoke] = {}
        self._spoken_at: object = None

    def total(self, sum_of: Total) -> int:
        """The sum of a measure over all facts from a page on, kept up to date while facts are added."""
        total = self.totals.get(sum_of)
        if total is None:
            total = sum([self.pages.sum(name, sum_of.measure) for name in self.pages if name >= sum_of.oldest])
            self.totals[sum_of] = total
        return total

    # ---- who lives here
    def members_on(self, day: int | date) -> list[Member]:
        """The household on a day, its head first, then by person."""
        day = day if isinstance(day, int) else day.toordinal()
        members = self._members.get(day)
        if members is None:
            if len(self._members) >= _KEPT_VIEWS:
                self._members.clear()
            members = self._members[day] = self._members_on(day)
        return members

    def relation(self, person: str, day: int | date) -> str:
        """Relation code of a person on a day; `HOUSEHOLD` for the household itself, `OTHER` for a stranger."""
        if person == HOUSEHOLD:
            return "HOUSEHOLD"
        return next((each.relation for each in self.members_on(day) if each.person == person), "OTHER")

    def status_of(self, person: str, day: int | date) -> tuple[Status, ...]:
        """The schemes a person (or anybody, for `household`) holds on a day."""
        day = day if isinstance(day, int) else day.toordinal()
        return tuple(
            status
            for member in self.members_on(day)
            if person in (member.person, HOUSEHOLD)
            for status in member.statuses
            if status.since <= day and (status.until is None or day < status.until)
        )

    def tier_of(self, person: str, day: int | date, schemes: Schemes) -> str:
        """The highest ranked scheme a person (or anybody, for `household`) holds on a day, else `OTHER`."""
        day = day if isinstance(day, int) else day.toordinal()
        asked = (person, day, schemes)
        tier = self._tiers.get(asked)
        if tier is None:
            if len(self._tiers) >= _KEPT_VIEWS:
                self._tiers.clear()
            held = [status.scheme for status in self.status_of(person, day)]
            tier = self._tiers[asked] = schemes.highest(held, day) if held else OTHER
        return tier

    def declared_on(self, day: int | date) -> Declared | None:
        """What civil affairs decided for the household, as valid on a day; None for a household nobody declared."""
        day = day if isinstance(day, int) else day.toordinal()
        if day in self._declared:
            return self._declared[day]
        if len(self._declared) >= _KEPT_VIEWS:
            self._declared.clear()
        telling = [each for each in self.head.members if each.declared is not None and each.covers(day)]
        found = self._declared[day] = max(telling, key=rank).declared if telling else None
        return found

    @property
    def declared(self) -> Declared | None:
        """The newest decision for the household."""
        if self._areas is None:
            telling = [each for each in self.head.members if each.declared is not None and not each.gone]
            self._areas = max(telling, key=rank).declared if telling else None
        return self._areas

    @property
    def responsible_area(self) -> str:
        """Whose standard and money, as declared last; empty when nobody declared the household."""
        declared = self._areas or self.declared
        return declared.responsible_area if declared is not None else ""

    # ---- what happened to them
    def bills(self, person: str | None = None, day_from: int = EVER, day_to: int = FOREVER) -> list[Bill]:
        """Medical bills of a person, of everybody for None."""
        return self._paged(Bill, person, day_from, day_to)

    def refunds(self, person: str | None = None, day_from: int = EVER, day_to: int = FOREVER) -> list[Refund]:
        """Later payers and refunds, by the day they were paid."""
        return self._paged(Refund, person, day_from, day_to)

    def refunds_of(self, settle_no: str) -> int:
        """Fen paid back on one bill by everybody, ever."""
        if self._refunds is None:
            self._refunds = {}
            for refund in self._paged(Refund, None, EVER, FOREVER):
                self._refunds[refund.settle_no] = self._refunds.get(refund.settle_no, 0) + refund.amount_fen
        return self._refunds.get(settle_no, 0)

    def contributions(
        self, person: str | None = None, day_from: int = EVER, day_to: int = FOREVER
    ) -> list[Contribution]:
        """Months in which an employer paid insurance."""
        return self._paged(Contribution, person, day_from, day_to)

    def rents(self, person: str | None = None, day_from: int = EVER, day_to: int = FOREVER) -> list[Rent]:
        """Bills, reliefs and deferrals of public rental."""
        return self._paged(Rent, person, day_from, day_to)

    def benefits(self, person: str | None = None, day_from: int = EVER, day_to: int = FOREVER) -> list[Benefit]:
        """Benefits paid, by month."""
        return self._paged(Benefit, person, day_from, day_to)

    def employments(self, person: str | None = None) -> list[Employment]:
        """Spells of employment status."""
        return self._lasting(Employment, person)

    def deaths(self, person: str | None = None) -> list[Death]:
        """Reports of deaths, one per source."""
        return self._lasting(Death, person)

    def of_kind(self, kind: type[F], person: str | None = None, day_from: int = EVER, day_to: int = FOREVER) -> list[F]:
        """Facts of any kind, by their day; a spell is found by the day it began."""
        if kind.paged:
            return self._paged(kind, person, day_from, day_to)
        return [fact for fact in self._lasting(kind, person) if day_from <= fact.day < day_to]

    # ---- how
    def belongs(self, person: str, facts: list[AnyFact]) -> list[AnyFact]:
        """Those of a person's facts that belong to this household (tombstones included)."""
        if person in self.head.stubs and elsewhere(self.head, person) is not None:
            return [fact for fact in facts if covered(self.head, person, fact.day)]
        return facts

    def spoken(self, feed: str) -> Spoke:
        """What whole batches of a feed may say of facts held here; empty, and next to nothing done, where none does."""
        coverage = self.coverage
        if feed not in coverage.wholes or is_unit(self.id):  # no department's batch speaks of what the service says
            return NOTHING_SAID
        if self._spoken_at is not coverage.edition:
            self._spoken, self._spoken_at = {}, coverage.edition
        said = self._spoken.get(feed)
        if said is None:
            said = self._spoken[feed] = spoken_of(self, feed)
        return said

    def overruled(self, kind: type[Fact]) -> frozenset[tuple[str, str]]:
        """(person, key) of records that do not count, because a newer one says that the fact is another person's.

        Only of kinds whose natural key names no person. A newer reversal overrules as well. What belongs elsewhere
        does not, so that the answer never depends on what a household happens to have heard.
        """
        if not kind.keyed_alone:
            return NOBODY
        known = self._overruled.get(kind)
        if known is None:
            known = self._overruled[kind] = overruled_now(self.pages, self.belongs, kind)
        return known

    def _paged(self, kind: type[F], person: str | None, day_from: int, day_to: int) -> list[F]:
        first, last = page_of(day_from), page_of(day_to - 1)
        strict = bool(self.head.stubs) or bool(self.spoken(kind.feed))
        overruled = self.overruled(kind)
        found: list[AnyFact] = []
        for name in sorted(self.pages):
            if first <= name <= last and self.pages.may_hold_kind(name, kind):
                page = self.pages[name]
                for who in page if person is None else (person,):
                    facts = page.get(who)
                    if facts:
                        hits: list[AnyFact]
                        hits = [f for f in facts if f.__class__ is kind and day_from <= f.day < day_to and not f.gone]
                        if hits and strict:
                            told = as_it_stands(self, who, self.belongs(who, hits))
                            hits = [each for each in told if not each.gone]
                        if hits and overruled:
                            hits = [each for each in hits if (who, each.key) not in overruled]
                        found += hits
        if person is None and len(found) > 1:
            found.sort(key=place)
        return cast(list[F], found)

    def _lasting(self, kind: type[F], person: str | None) -> list[F]:
        lasting = self.head.lasting
        found: list[AnyFact] = []
        for who in lasting if person is None else (person,):
            told: list[AnyFact] = [fact for fact in lasting.get(who, ()) if fact.__class__ is kind]
            if told:
                told = as_it_stands(self, who, self.belongs(who, told))
                found += [fact for fact in told if not fact.gone]
        return cast(list[F], sorted(found, key=place) if person is None else found)

    def _members_on(self, day: int) -> list[Member]:
        newest: dict[str, Membership] = {}
        stubs = self.head.stubs
        for each in self.head.members:
            if each.covers(day) and (each.person not in stubs or covered(self.head, each.person, day)):
                known = newest.get(each.person)
                if known is None or rank(known) < rank(each):
                    newest[each.person] = each
        chosen = sorted(newest.values(), key=lambda each: (each.relation != "HEAD", each.person))
        return [Member(each.person, each.relation, each.born, each.statuses, each.day, each.until) for each in chosen]


def page_of(day: int) -> str:
    """Name of the half-year a day lies in (`2026H1`); names sort as the days do."""
    name = _PAGE_OF.get(day)
    if name is None:
        when = date.fromordinal(min(max(day, EVER), FOREVER))
        name = _PAGE_OF[day] = f"{when.year:04d}H{1 if when.month <= 6 else 2}"
    return name
