"""A household's income month by month: who counts as a member, what the ledger tells of each, which months are known.

Who is away by law (in prison, conscripted) is not divided by; the reason is nowhere named, because it is nobody's
business here.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from detectors.calendar import birthday
from detectors.income import Account, Gap, Line, Terms, in_order, inside, pension, taxed, wage
from detectors.people import living
from households.ledger import Household, Member
from households.residence import elsewhere
from households.standing import authorised
from schemas.facts import Contribution, first_day, month_of
from schemas.facts_living import Fund, Income, Pension, Schooling
from schemas.facts_standing import Authorisation, Custody

LISTENS = (
    "employment.contribution",
    "pension.payment",
    "tax.income",
    "housing.fund",
    "employment.status",
    "education.enrolment",
    "justice.custody",
    "civil.authorisation",
    "civil.household",
    "vital.death",
)
CLOSING = ("employment.contribution", "pension.payment", "housing.fund")
LOOK_BACK = 24
_NEVER, _FOREVER = 0, 9999 * 12
Spells = list[tuple[int, int]]


class _Told(NamedTuple):
    """What the ledger tells of one person: lines, and the months a status explains. `barred`: not to be looked at.

    `by_month`: the lines that count, where every one is of a single month; None where there are sums of several.
    """

    wages: dict[str, list[Line]]
    other: list[Line]
    by_month: dict[int, list[Line]] | None
    studies: Spells
    untold: Spells
    barred: Spells


@dataclass(slots=True)
class Book:
    """The household's income facts from a month on, read once and added up as often as asked."""

    household: Household
    terms: Terms
    chain: tuple[str, ...]
    oldest: int
    _told: dict[tuple[str, bool], _Told] = field(default_factory=dict)
    _taxed: dict[str, list[Income]] = field(default_factory=dict)
    _accounts: dict[tuple[tuple[int, ...], int], Account] = field(default_factory=dict)
    _open: dict[int, str | None] = field(default_factory=dict)
    _last: int | None = None

    def open_feed(self, month: int) -> str | None:
        """The first required feed that has not closed a month; None when the month is complete."""
        if month not in self._open:
            closed = self.household.coverage.closed
            still = (feed for feed in self.terms.closes if not closed(feed, month, self.chain))
            self._open[month] = next(still, None)
        return self._open[month]

    @property
    def last_closed(self) -> int:
        """The newest month that every required feed has reached; long ago where one never closed any."""
        if self._last is None:
            coverage = self.household.coverage
            ends = [coverage.last_closed(feed, self.chain) for feed in self.terms.closes]
            self._last = min((_NEVER if end is None else end for end in ends), default=_FOREVER)
        return self._last

    def newest(self, day: int) -> int | None:
        """The newest month that was over on a day and is complete; None without one near the last anybody closed."""
        last = min(month_of(day) - 1, self.last_closed)
        return next((month for month in range(last, last - LOOK_BACK, -1) if self.open_feed(month) is None), None)

    def counted(self, day: int) -> list[Member]:
        """Who counts on a day: members alive, not known to live elsewhere by now, not away by law."""
        household, left_out = self.household, self.terms.not_counted
        here = living(household, day)
        if household.head.stubs:
            here = [each for each in here if elsewhere(household.head, each.person) is None]
        return [each for each in here if not _away(household, each.person, day, left_out)]

    def accounts(self, day: int, count: int) -> list[Account]:
        """So many successive evaluations, the newest first, of the people who count on a day; none without a month."""
        members, month = self.counted(day), self.newest(day)
        if month is None or not members:
            return []
        told = tuple(self._of(each.person, day) for each in members)
        return [self._account(members, told, month - back) for back in range(count)]

    def _account(self, members: Sequence[Member], of_each: tuple[_Told, ...], last: int) -> Account:
        asked = (tuple(map(id, of_each)), last)  # kept in `_told`, so nobody else can get the id
        known = self._accounts.get(asked)
        if known is None:
            known = self._accounts[asked] = self._added_up(members, of_each, last)
        return known

    def _added_up(self, members: Sequence[Member], of_each: tuple[_Told, ...], last: int) -> Account:
        first = last - self.terms.months + 1
        lines: list[Line] = []
        gaps: list[Gap] = []
        silent: list[tuple[str, int]] = []
        for member, told in zip(members, of_each, strict=True):
            own, known, undivided = _own(told, self.terms, first, last)
            lines += own
            quiet = 0
            for month in range(first, last + 1):
                if month in undivided:
                    gaps.append(Gap(member.person, month, Income.feed))
                elif month in known or _needs_none(member, told, month, self.terms):
                    continue
                elif (feed := self._unknown(told, month)) is not None:
                    gaps.append(Gap(member.person, month, feed))
                else:
                    quiet += 1
            if quiet:
                silent.append((member.person, quiet))
        least = sum([each.counted for each in lines])
        most = least + sum([each.ceiling for each in lines])
        return Account(tuple(members), first, last, tuple(lines), tuple(gaps), tuple(silent), least, most)

    def _unknown(self, told: _Told, month: int) -> str | None:
        """The feed that would tell of a month without a record; None where the month counts as without income."""
        if _within(told.barred, month):
            return Authorisation.feed
        if _within(told.untold, month):
            return Income.feed
        return self.open_feed(month) or (Income.feed if self.terms.silence_is_unknown else None)

    def _of(self, person: str, day: int) -> _Told:
        """Tax records are looked at while the person allows it; else their months are only known to be told of."""
        records = self._taxed.get(person)
        if records is None:
            records = self._taxed[person] = self.household.of_kind(Income, person, first_day(self.oldest))
        may = not records or authorised(self.household, person, "TAX", day)
        told = self._told.get((person, may))
        if told is None:
            told = self._told[person, may] = self._read(person, records, may)
        return told

    def _read(self, person: str, records: list[Income], may: bool) -> _Told:
        household, terms, since = self.household, self.terms, first_day(self.oldest)
        wages: dict[str, list[Line]] = {feed: [] for feed in terms.wages_by}
        other = [pension(person, each, terms) for each in household.of_kind(Pension, person, since)]
        if Contribution.feed in wages:
            paid = household.contributions(person, since)
            wages[Contribution.feed] = [wage(person, each, each.base_fen, terms) for each in paid if each.base_fen]
        if Fund.feed in wages:
            funds = household.of_kind(Fund, person, since)
            wages[Fund.feed] = [wage(person, each, each.base_fen, terms) for each in funds if each.deposit_fen]
        for each in records if may else ():
            if each.kind != "WAGES":
                other.append(taxed(person, each, terms))
            elif Income.feed in wages:
                wages[Income.feed].append(wage(person, each, each.amount_fen, terms))
        studies = [_months(each.day, each.until) for each in household.of_kind(Schooling, person)]
        untold = [_months(each.day, each.until) for each in household.employments(person) if each.kind in terms.untold]
        barred = [] if may else [(each.month_from, each.month) for each in records]
        ordered = {feed: in_order(lines) for feed, lines in wages.items()}
        by_month = _by_month(ordered, in_order(other), terms)
        return _Told(ordered, in_order(other), by_month, studies, untold, barred)


def _by_month(wages: dict[str, list[Line]], other: list[Line], terms: Terms) -> dict[int, list[Line]] | None:
    if any(each.first != each.last for lines in (*wages.values(), other) for each in lines):
        return None
    months: dict[int, list[Line]] = {}
    for each in inside(wages, other, terms, 0, _FOREVER)[0]:
        months.setdefault(each.first, []).append(each)
    return months


def _own(told: _Told, terms: Terms, first: int, last: int) -> tuple[list[Line], Container[int], Container[int]]:
    """A person's lines of a window, the months they tell of, and those only an undivided sum tells of."""
    if told.by_month is None:
        lines, undivided = inside(told.wages, told.other, terms, first, last)
        return lines, {month for each in lines for month in range(each.first, each.last + 1)}, undivided
    months = told.by_month
    return [each for month in range(first, last + 1) for each in months.get(month, ())], months, ()


def _away(household: Household, person: str, day: int, left_out: frozenset[str]) -> bool:
    if person not in household.head.lasting:
        return False
    spells = [
        *((each.category, each.day, each.until or each.expected_to) for each in household.of_kind(Custody, person)),
        *((each.kind, each.day, each.until) for each in household.employments(person)),
    ]
    return any(kind in left_out and first <= day and (end is None or day < end) for kind, first, end in spells)


def _needs_none(member: Member, told: _Told, month: int, terms: Terms) -> bool:
    """Whether nothing is expected of a month: too young to earn throughout, or at school."""
    young = member.born is not None and first_day(month + 1) <= birthday(member.born, terms.earns_from)
    return young or _within(told.studies, month)


def _months(day: int, until: int | None) -> tuple[int, int]:
    return month_of(day), _FOREVER if until is None else month_of(max(day, until - 1))


def _within(spells: Spells, month: int) -> bool:
    return any(first <= month <= last for first, last in spells)
