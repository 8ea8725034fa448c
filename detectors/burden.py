"""What a household paid itself for treatment and for school: net of later payers, per day, inside a rolling year.

Shared by MED-SELFPAY and RIGID-RATIO. Amounts are fen, days are ordinals; a bill of day d lies in the rolling year
of day D when `year_ago(D) < d <= D`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from detectors.calendar import anniversary, year_ago
from detectors.findings import EvidenceItem
from households.ledger import Household
from households.queries import Measure, Total, page_of
from policy.parameters import Rule
from schemas.facts import AnyFact, Bill
from schemas.facts_living import SchoolAid, SchoolFee


class Counting(NamedTuple):
    """Which parts of a bill are a burden, as the rule of the place says; `measure` counts them, never below zero."""

    outside: bool
    account: bool
    measure: Measure

    @classmethod
    def of(cls, rule: Rule) -> "Counting":
        """Read from the keys `counts` and `personal_account_counts`."""
        outside, account = rule.word("counts") == "all_personal_burden", rule.flag("personal_account_counts")
        return cls(outside, account, _measure(outside, account))

    def with_fees(self, stages: tuple[str, ...]) -> Measure:
        """The measure that counts school fees of these stages as well."""
        return _measure(self.outside, self.account, stages)


class Charge(NamedTuple):
    """One bill or fee with what it cost the person in the end."""

    day: int
    fen: int
    fact: Bill | SchoolFee


class Window(NamedTuple):
    """A stretch of days half-open [first, after) and whether bills leave it one by one or all on its last day."""

    name: str
    label: str
    first: int
    after: int
    rolling: bool


def rolling_year(on: int) -> Window:
    """The twelve months up to and including a day."""
    return Window("rolling_12m", "近12个月", year_ago(on) + 1, on + 1, True)


def medical_year(on: int) -> Window:
    """The calendar year of a day, up to and including it."""
    year = date.fromordinal(on).year
    return Window("medical_year", f"{year}年度", date(year, 1, 1).toordinal(), on + 1, False)


def at_most(household: Household, first: int, measure: Measure) -> int:
    """An upper bound of what everybody together paid since a day: no refund, no aid, no move can make it more.

    Cheap on purpose: sums of whole pages, which the household keeps up to date. Most households end here.
    """
    return household.total(spent_since(first, measure))


def spent_since(first: int, measure: Measure) -> Total:
    """What `at_most` adds up; the same object for the same question."""
    return _total(measure, page_of(first))


@lru_cache(maxsize=256)
def _total(measure: Measure, oldest: str) -> Total:
    return Total(measure, oldest)


@lru_cache(maxsize=64)
def _measure(outside: bool, account: bool, stages: tuple[str, ...] = ()) -> Measure:
    def paid(fact: AnyFact) -> int:
        if fact.__class__ is Bill:
            fen = fact.in_catalogue_fen
            if outside:
                fen += fact.out_of_catalogue_fen
            if account:
                fen += fact.account_fen
        elif fact.__class__ is SchoolFee and fact.stage in stages:
            fen = fact.amount_fen
        else:
            return 0
        return fen if fen > 0 and not fact.gone else 0

    return paid


def charges(household: Household, people: Iterable[str], counting: Counting) -> list[Charge]:
    """Every bill of these people, two years back and into the days to come, with its net burden, by day and key."""
    found = [
        Charge(bill.day, _net(household, bill, counting), bill) for person in people for bill in household.bills(person)
    ]
    return in_order(each for each in found if each.fen)


def fees(
    household: Household, people: Iterable[str], stages: Iterable[str], aid_deducted: Iterable[str]
) -> list[Charge]:
    """The school fees of these people with what aid and repayments of the same school year leave of them.

    The earliest fee is covered first, and nobody gets back more than the year cost. By day and key.
    """
    found: list[Charge] = []
    for person in people:
        by_year: dict[int, list[SchoolFee]] = defaultdict(list)
        for fee in household.of_kind(SchoolFee, person):
            if fee.stage in stages:
                by_year[fee.school_year].append(fee)
        aid = household.of_kind(SchoolAid, person) if by_year else []
        for year, told in by_year.items():
            covered = sum(each.amount_fen for each in aid if each.school_year == year and each.aid in aid_deducted)
            covered = max(0, covered - sum(min(0, each.amount_fen) for each in told))
            for fee in sorted(told, key=lambda each: (each.day, each.key)):
                net = max(0, fee.amount_fen - covered)
                covered = max(0, covered - max(0, fee.amount_fen))
                found.append(Charge(fee.day, net, fee))
    return in_order(each for each in found if each.fen)


def in_order(some: Iterable[Charge]) -> list[Charge]:
    """Charges by day and key."""
    return sorted(some, key=lambda each: (each.day, each.fact.key))


def inside(all_charges: Sequence[Charge], window: Window) -> list[Charge]:
    """The charges of a window."""
    return [each for each in all_charges if window.first <= each.day < window.after]


def above_since(all_charges: Sequence[Charge], window: Window, needed: int) -> int | None:
    """The first day of the unbroken stretch, up to the window's last day, in which the sum is at least `needed`.

    None when it is less on that last day. Bills leaving the rolling year count as well as bills entering it.
    """
    changes: dict[int, int] = {}
    for day, fen, _ in all_charges:
        if day < window.after and (window.rolling or day >= window.first):
            changes[day] = changes.get(day, 0) + fen
            if window.rolling and (leaves := anniversary(day)) < window.after:
                changes[leaves] = changes.get(leaves, 0) - fen
    total, since = 0, None
    for day in sorted(changes):
        total += changes[day]
        if total < needed:
            since = None
        elif since is None:
            since = day
    return since


def next_change(all_charges: Sequence[Charge], window: Window) -> date | None:
    """The first day after the window's last one on which its sum differs without a new fact."""
    days = [each.day for each in all_charges if each.day >= window.after]
    if window.rolling:
        days += [anniversary(each.day) for each in inside(all_charges, window)]
    else:
        days.append(date(date.fromordinal(window.first).year + 1, 1, 1).toordinal())
    return date.fromordinal(min(days)) if days else None


def evidence(window_charges: Iterable[Charge]) -> tuple[EvidenceItem, ...]:
    """The bills and fees behind a sum, in their order."""
    return tuple(
        EvidenceItem(each.fact.key, each.fact.feed, each.fact.source, each.day, each.fen) for each in window_charges
    )


def _net(household: Household, bill: Bill, counting: Counting) -> int:
    """What a bill cost in the end; payers cannot give back more than it cost. A credit note stays negative."""
    fen = bill.in_catalogue_fen
    if counting.outside:
        fen += bill.out_of_catalogue_fen
    if counting.account:
        fen += bill.account_fen
    return max(0, fen - household.refunds_of(bill.key)) if fen > 0 else fen
