"""COMPOUND: need of different kinds begins close together; each rule keeps its own alert."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import month_start
from load_tests.city.households import Household
from load_tests.city.roster import Held
from load_tests.city.scenarios import rent
from load_tests.city.scenarios.calls import asks, burns, pair
from load_tests.city.scenarios.disability import expect_new, paid
from load_tests.city.scenarios.living import bill, expect_arrears, overdue
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "COMPOUND"
HOUSEHOLD = "household"
SCENARIOS, scenario = scenario_book(DETECTOR)


def _expect(stage: Stage, household: Household, since: date, after: date | None) -> None:
    stage.expect_stretch(household, household.members[0], DETECTOR, HOUSEHOLD, since, after)


@scenario("求助以后又失火")
def asks_and_burns(stage: Stage) -> None:
    household, _ = pair(stage)
    first = stage.month(stage.spread(3, -3), 6)
    struck = first + timedelta(days=30)
    after = asks(stage, household, first)
    burns(stage, household, struck)
    _expect(stage, household, struck, after)


def _tenants(stage: Stage, unpaid: int) -> tuple[Household, date]:
    """Two months of rent unpaid, and never paid; the day from which that is arrears."""
    household = stage.family(("HEAD", 58, False), ("SPOUSE", 57, False), scheme="DIBIAN", tenant=True)
    for offset in (unpaid, unpaid + 1):
        month = stage.span.month(offset)
        due = month + timedelta(days=24)
        row = rows.rent(household.members[0].identity, household.tenancy, month, household.rent_fen, 0, due)
        stage.send(row, month)
    since = rent.since_of(stage, unpaid)
    stage.expect(household, household.members[0], rent.DETECTOR, household.tenancy, since)
    return household, since


def _certified(stage: Stage, household: Household, day: date) -> date:
    head = household.members[0]
    offset = (day.year - stage.span.first.year) * 12 + day.month - stage.span.first.month
    stage.send(records.certificate(head.identity, day, 1), day)
    paid(stage, head, offset, stage.span.months, "CANJI_HULI", "CANJI_SHENGHUO")
    return expect_new(stage, household, head, day)


@scenario("欠租以后又新评重残")
def rent_and_disability(stage: Stage) -> None:
    unpaid = stage.spread(3, -5)
    household, since = _tenants(stage, unpaid)
    day = stage.month(unpaid + 3, 8)
    _expect(stage, household, max(day, since), _certified(stage, household, day))


@scenario("退出低保不久又求助")
def left_and_asks(stage: Stage) -> None:
    household = stage.family(("HEAD", 61, False), ("SPOUSE", 60, False), scheme="DIBAO")
    offset = stage.spread(3, -4)
    leaves(stage, household, stage.month(offset, 1))
    day = stage.month(offset + 1, 15)
    _expect(stage, household, day, asks(stage, household, day))


def leaves(stage: Stage, household: Household, day: date) -> None:
    """Everybody's scheme ends on a day; the office says so in that week."""
    for person in household.members:
        since = month_start(stage.span.first, -24)
        stage.decided(household, person, day, Held(household.scheme or "DIBAO", since, day))


@scenario("先求助，半年以后才失火", look_alike=True, months=12)
def apart(stage: Stage) -> None:
    household, _ = pair(stage)
    offset = stage.spread(3, -7)
    asks(stage, household, stage.month(offset, 6))
    burns(stage, household, stage.month(offset + 5, 13))


@scenario("同时欠租、欠电费，都是支出", look_alike=True, months=9)
def one_dimension(stage: Stage) -> None:
    unpaid = stage.spread(3, -5)
    household, _ = _tenants(stage, unpaid)
    for offset in (unpaid, unpaid + 1):
        bill(stage, household.members[0], offset)
    expect_arrears(stage, household, unpaid, overdue(stage, unpaid + 1))


@scenario("欠租四个多月以后才评重残", look_alike=True, months=12)
def far_apart(stage: Stage) -> None:
    unpaid = stage.spread(3, -7)
    household, _ = _tenants(stage, unpaid)
    _certified(stage, household, stage.month(unpaid + 6, 8))
