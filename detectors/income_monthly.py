"""Monthly evaluations of a household's income: on which month, with whose terms, since when; and two cheap bounds.

Every evaluation belongs to a month all of whose required batches are closed and is about the people who live here on
the day asked, so it changes only when a month begins, a batch closes or somebody comes, goes or dies.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from detectors.findings import Findings
from detectors.income import RULE, Account, Terms
from detectors.income_book import LOOK_BACK, Book
from detectors.people import edges
from detectors.quiet import none_of
from households.coverage import month_name
from households.ledger import Household, Member
from policy.parameters import Line, Policy, Rule
from schemas.facts import AnyFact, Contribution, Employment, first_day, month_of
from schemas.facts_living import Fund, Income, Pension
from schemas.facts_standing import Authorisation, Custody


@dataclass(slots=True)
class Monthly:
    """What both rules need on a day: the place's terms, the standard L, and the books.

    Raises PolicyMissing where the place sets no terms or no standard.
    """

    household: Household
    today: int
    terms: Terms
    level: Line
    valid_from: int
    chain: tuple[str, ...]

    @classmethod
    def of(cls, household: Household, on: date, policy: Policy, *rules: Rule) -> "Monthly":
        """Read for the household's area; `rules` are those the detector counts with itself."""
        area = household.responsible_area
        counting = policy.rule(RULE, area)
        starts = (*(each.since for each in rules), counting.since, policy.rule("dibao_month", area).since)
        level, terms = policy.standard("dibao_month", area), counting.read(Terms.of)
        chain = policy.areas.chain(area, on)
        return cls(household, on.toordinal(), terms, level, max(starts).toordinal(), chain)

    def recent(self, count: int) -> Book:
        """The book for so many evaluations up to today."""
        book = Book(self.household, self.terms, self.chain, month_of(self.today))
        book.oldest = (book.newest(self.today) or book.oldest) - self.terms.months - count + 1
        return book

    def look_again(self, book: Book, findings: Findings) -> None:
        """The day on which a month is over that is complete already; later ones say so by closing."""
        this = month_of(self.today)
        for month in range(this, min(book.last_closed, this + LOOK_BACK) + 1):
            if book.open_feed(month) is None:
                findings.recheck(date.fromordinal(first_day(month + 1)))
                return

    def lacking(self, accounts: Sequence[Account], findings: Findings) -> None:
        """Name the feeds that leave months unknown, with the last month each has closed."""
        feeds = {gap.feed for each in accounts for gap in each.gaps}
        if not accounts:
            feeds = set(self.terms.closes)
        elif not feeds:
            feeds = {Income.feed}
        for feed in sorted(feeds):
            findings.lacks(feed, month_name(self.household.coverage.last_closed(feed, self.chain)))

    def since(self, count: int, holds: Callable[[Book, int], bool]) -> date:
        """The first day of the unbroken stretch up to today on which the people of each day were so, by today's terms.

        A day on which the answer was unknown breaks the stretch.
        """
        oldest = month_of(self.valid_from) - LOOK_BACK - self.terms.months - count
        book = Book(self.household, self.terms, self.chain, oldest)
        found = self.today
        for day in sorted(self._turns(), reverse=True):
            if self.household.declared_on(day) is None or not holds(book, day):
                break
            found = day
        return date.fromordinal(found)

    def _turns(self) -> Iterable[int]:
        """Days since the terms hold on which who counts, which month is the newest or what may be seen can change."""
        household, after = self.household, self.valid_from
        days = {first_day(month) for month in range(month_of(after) + 1, month_of(self.today) + 1)}
        days |= {after, *edges(household, after, self.today)}
        days |= {day for facts in household.head.lasting.values() for each in facts for day in _edges(each)}
        return [day for day in days if after <= day <= self.today]


def _edges(fact: AnyFact) -> Iterator[int]:
    """The days on which somebody begins or ceases to be away, or to allow something; of other facts the first."""
    ends: tuple[int | None, ...] = ()
    if isinstance(fact, Custody):
        ends = (fact.until, fact.expected_to)
    elif isinstance(fact, Employment):
        ends = (fact.until,)
    elif isinstance(fact, Authorisation):
        ends = (fact.valid_to, fact.withdrawn)
    yield fact.day
    yield from (day for day in ends if day is not None)


def surely_earned(household: Household, members: Sequence[Member], terms: Terms, last: int) -> int:
    """No more than `Account.at_least` of the window that ends with a month; 0 where taxes tell something as well.

    Quick on purpose: it reads no terms but the deductions and makes no lines. Most households end here.
    """
    order = [feed for feed in terms.wages_by if feed != Income.feed]
    if order[:1] != [Contribution.feed] or none_of(household, (Contribution,)) or not none_of(household, (Income,)):
        return 0
    first, after = first_day(last - terms.months + 1), first_day(last + 1)
    total = 0
    for member in members:
        for paid in household.contributions(member.person, first, after):
            fen = paid.base_fen - terms.job_cost_fen
            if paid.employer_kind == "POST":
                fen -= paid.base_fen * terms.post_excluded // 100
            total += max(0, fen)
        for each in household.of_kind(Pension, member.person, first, after):
            total += min(each.amount_fen, each.amount_fen - each.basic_fen)
    return total


def told_of(household: Household, members: Sequence[Member], month: int) -> int:
    """No less than what `Account.earned` can say of a month: every record of it alone, before any rule."""
    day = first_day(month)
    total = 0
    for member in members:
        person = member.person
        total += sum([each.base_fen for each in household.contributions(person, day, day + 1)])
        total += sum([each.base_fen for each in household.of_kind(Fund, person, day, day + 1)])
        total += sum([max(0, each.amount_fen) for each in household.of_kind(Pension, person, day, day + 1)])
        total += sum([max(0, each.amount_fen) for each in household.of_kind(Income, person, day, day + 1)])
    return total
