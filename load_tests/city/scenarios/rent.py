"""RENT-ARREARS: two or more billing periods of a public rental unpaid, and what only looks like it."""

from collections.abc import Iterable
from datetime import date, timedelta

from load_tests.city import rows
from load_tests.city.households import Household
from load_tests.city.rows import Row
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "RENT-ARREARS"
SCENARIOS, scenario = scenario_book(DETECTOR)


def _tenants(stage: Stage) -> tuple[Household, str]:
    household = stage.family(("HEAD", 62, False), ("SPOUSE", 61, False), scheme="DIBIAN", tenant=True)
    return household, household.tenancy


def _due(period: date) -> date:
    return period + timedelta(days=24)


def _bills(stage: Stage, household: Household, unpaid: Iterable[int]) -> dict[int, Row]:
    """Every month's bill, sent punctually; months in `unpaid` were not paid when their file was made."""
    owing = set(unpaid)
    sent = {}
    for offset in range(stage.span.months):
        period = stage.span.month(offset)
        paid = 0 if offset in owing else household.rent_fen
        sent[offset] = stage.send(_bill(household, period, paid), period)
    return sent


def _bill(household: Household, period: date, paid_fen: int) -> Row:
    head = household.members[0].identity
    return rows.rent(head, household.tenancy, period, household.rent_fen, paid_fen, _due(period))


def _pay(stage: Stage, household: Household, bill: Row, offset: int, paid_on: date | None = None) -> None:
    """The bill is paid; the housing bureau's file of month `offset` says so, and on which day when it was late."""
    arrives = stage.month(offset + 1, 8)
    row = rows.corrected(bill, paid=household.rent_fen, until=paid_on)
    stage.send(row, stage.span.month(offset), arrives=arrives)


@scenario("租金连续欠缴")
def unpaid(stage: Stage) -> None:
    household, contract = _tenants(stage)
    first = stage.spread(3, -5)
    periods = 2 + stage.variant % 3
    _bills(stage, household, range(first, first + periods))
    stage.expect(household, household.members[0], DETECTOR, contract, since_of(stage, first))


@scenario("欠缴后补缴", months=9)
def paid_up(stage: Stage) -> None:
    household, contract = _tenants(stage)
    first = stage.spread(3, -6)
    bills = _bills(stage, household, (first, first + 1))
    for offset in (first, first + 1):
        _pay(stage, household, bills[offset], first + 3, paid_on=stage.month(first + 3, 16))
    stage.expect(household, household.members[0], DETECTOR, contract, since_of(stage, first), "lapsed")


@scenario("欠一期，次月补上", look_alike=True)
def one_period(stage: Stage) -> None:
    household, _ = _tenants(stage)
    first = stage.spread(3, -4)
    bills = _bills(stage, household, (first,))
    _pay(stage, household, bills[first], first + 1)


@scenario("经同意缓缴", look_alike=True)
def deferred(stage: Stage) -> None:
    household, contract = _tenants(stage)
    first = stage.spread(3, -5)
    _bills(stage, household, (first, first + 1))
    until = stage.span.end + timedelta(days=365)
    for offset in (first, first + 1):
        period = stage.span.month(offset)
        row = rows.deferral(
            household.members[0].identity, contract, period, household.rent_fen, _due(period), until
        )
        stage.send(row, period)


@scenario("租金已减免", look_alike=True)
def relieved(stage: Stage) -> None:
    household, contract = _tenants(stage)
    first = stage.spread(3, -5)
    _bills(stage, household, (first, first + 1))
    for offset in (first, first + 1):
        period = stage.span.month(offset)
        stage.send(rows.relief(household.members[0].identity, contract, period, household.rent_fen), period)


@scenario("收款晚入账", look_alike=True, months=9)
def booked_late(stage: Stage) -> None:
    household, contract = _tenants(stage)
    first = stage.spread(3, -6)
    bills = _bills(stage, household, (first, first + 1))
    for offset in (first, first + 1):
        _pay(stage, household, bills[offset], first + 3)
    stage.expect(household, household.members[0], DETECTOR, contract, since_of(stage, first), "withdrawn")


def since_of(stage: Stage, first: int) -> date:
    """The day after the second unpaid bill was due."""
    return _due(stage.span.month(first + 1)) + timedelta(days=1)

