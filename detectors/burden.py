"""What a household paid itself for treatment: net of later payers and refunds, per day, inside a rolling year.

Shared by MED-SELFPAY and RIGID-RATIO. Amounts are fen, days are ordinals; a bill of day d lies in the rolling year
of day D when `year_ago(D) < d <= D`.
"""

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


class Counting(NamedTuple):
    """Which parts of a bill are a burden, as the rule of the place says; `measure` counts them, never below zero."""

    outside: bool
    account: bool
    measure: Measure

    @classmethod
    def of(cls, rule: Rule) -> "Counting":
        """Read from the keys `counts` and `personal_account_counts`."""
        outside, account = rule.word("counts") == "all_personal_burden", rule.flag("personal_account_counts")
        return cls(outside, account, _MEASURES[outside, account])


class Charge(NamedTuple):
    """One bill with what it cost the person in the end."""

    day: int
    fen: int
    bill: Bill


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


def at_most(household: Household, first: int, counting: Counting) -> int:
    """An upper bound of what everybody together paid since a day: no refund, no credit, no move can make it more.

    Cheap on purpose: sums of whole pages, which the household keeps up to date. Most households end here.
    """
    return household.total(spent_since(first, counting))


def spent_since(first: int, counting: Counting) -> Total:
    """What `at_most` adds up; the same object for the same question."""
    return _total(counting.measure, page_of(first))


@lru_cache(maxsize=256)
def _total(measure: Measure, oldest: str) -> Total:
    return Total(measure, oldest)


def _measure(outside: bool, account: bool) -> Measure:
    def paid(bill: AnyFact) -> int:
        if bill.__class__ is not Bill or bill.gone:
            return 0
        fen = bill.in_catalogue_fen
        if outside:
            fen += bill.out_of_catalogue_fen
        if account:
            fen += bill.account_fen
        return fen if fen > 0 else 0

    return paid


_MEASURES = {(outside, account): _measure(outside, account) for outside in (False, True) for account in (False, True)}


def charges(household: Household, people: Iterable[str], counting: Counting) -> list[Charge]:
    """Every bill of these people, two years back and into the days to come, with its net burden, by day and key."""
    found = [
        Charge(bill.day, _net(household, bill, counting), bill) for person in people for bill in household.bills(person)
    ]
    return sorted((each for each in found if each.fen), key=lambda each: (each.day, each.bill.key))


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
    """The bills behind a sum, in their order."""
    return tuple(
        EvidenceItem(each.bill.key, Bill.feed, each.bill.source, each.day, each.fen) for each in window_charges
    )


def _net(household: Household, bill: Bill, counting: Counting) -> int:
    """What a bill cost in the end; payers cannot give back more than it cost. A credit note stays negative."""
    fen = bill.in_catalogue_fen
    if counting.outside:
        fen += bill.out_of_catalogue_fen
    if counting.account:
        fen += bill.account_fen
    return max(0, fen - household.refunds_of(bill.key)) if fen > 0 else fen
