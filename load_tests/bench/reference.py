"""The expected alerts, from the rule's words alone: no ledger, no detector, no policy loader.

Rule (星河市, 大额自付医疗): what a person paid inside the catalogue over the twelve months up to today is above the
line of the person's scheme. Severity 2, from twice the line 3, from three times 4. `since` is the first day of the
unbroken stretch above the line that reaches today. A bill sent twice is one bill.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from load_tests.bench.bills import LINES_FEN, Bill, Plan, year_before


class Expected(NamedTuple):
    """What an alert must say at the end."""

    since: str
    severity: int
    measure: int
    line: int


def expected(bench: Plan, sent: Iterable[int] | None = None) -> dict[str, Expected]:
    """By household: the alert in force once these bills (indices, all by default) are known."""
    mine: dict[int, dict[int, Bill]] = {}
    for at in bench.order if sent is None else sent:
        bill = bench.bills[at]
        mine.setdefault(bill.person, {})[bill.number] = bill
    found = {}
    for owner, bills in mine.items():
        resident = bench.people[owner]
        told = _judge(list(bills.values()), LINES_FEN[resident.scheme], bench.today)
        if told is not None:
            found[resident.household] = told
    return found


def _judge(bills: list[Bill], line: int, today: date) -> Expected | None:
    paid = _paid(bills, today)
    if paid <= line:
        return None
    since = today
    while _paid(bills, since - timedelta(days=1)) > line:
        since -= timedelta(days=1)
    severity = 4 if paid >= 3 * line else 3 if paid >= 2 * line else 2
    return Expected(since.isoformat(), severity, paid, line)


def _paid(bills: list[Bill], on: date) -> int:
    before = year_before(on)
    return sum(bill.self_paid_fen for bill in bills if before < bill.day <= on)

