"""ASSET-CHANGE: a car, a home, a business, savings that came while a scheme was held, and what is none of that."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import months_after, years_before
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "ASSET-CHANGE"
SCENARIOS, scenario = scenario_book(DETECTOR)


def _held(stage: Stage, *scopes: str) -> tuple[Household, Person]:
    """A couple with 低保 that allowed registers of these scopes to be looked at."""
    household = stage.family(("HEAD", 52, False), ("SPOUSE", 51, False), scheme="DIBAO")
    for person in household.members:
        for scope in scopes:
            stage.known(records.allows(person.identity, stage.span.first - timedelta(days=40), scope))
    return household, household.members[0]


def _day(stage: Stage, months_inside: int = 2) -> date:
    return stage.month(stage.spread(3, -months_inside), 14)


def _expect(stage: Stage, household: Household, person: Person, cause: str, day: date) -> None:
    after = months_after(day, int(stage.lines.page["asset_change"]["stands_months"]))
    stage.expect_stretch(household, person, DETECTOR, cause, day, after)


def _car(stage: Stage, person: Person, day: date, sort: str = "CAR") -> rows.Row:
    number = stage.serial()
    return stage.send(records.vehicle(person.identity, f"CG{number}", f"v_{number}", day, sort=sort), day)


@scenario("低保家庭新登记一辆轿车")
def car(stage: Stage) -> None:
    household, head = _held(stage, "MEANS")
    day = _day(stage)
    _car(stage, head, day)
    _expect(stage, household, head, "{person}/vehicle", day)


@scenario("低保家庭新登记第二套住房")
def second_home(stage: Stage) -> None:
    household, head = _held(stage, "MEANS")
    first, number = years_before(stage.span.first, 12), stage.serial()
    stage.known(records.home(head.identity, f"BDC{number}A", f"u_{number}a", first))
    day = _day(stage)
    stage.send(records.home(head.identity, f"BDC{number}B", f"u_{number}b", day), day)
    _expect(stage, household, head, "household/home", day)


@scenario("低保家庭成员新任法定代表人")
def company(stage: Stage) -> None:
    household, head = _held(stage, "MEANS")
    day = _day(stage)
    stage.send(records.business(head.identity, f"9133990{stage.serial()}", day, "LEGAL", 50_000_000, 100), day)
    _expect(stage, household, head, "{person}/business", day)


@scenario("银行回复的存款超过限额")
def savings(stage: Stage) -> None:
    household, head = _held(stage, "FINANCE")
    day = _day(stage)
    stage.send(records.savings(head.identity, f"HD{stage.serial()}", day, "OVER_100K"), day)
    _expect(stage, household, head, "household/finance", day)


@scenario("新登记的车登错了人，后来更正", look_alike=True)
def wrong_owner(stage: Stage) -> None:
    household, head = _held(stage, "MEANS")
    day = _day(stage, 3)
    row = _car(stage, head, day)
    stage.send(rows.reversed_row(row), day, arrives=day + timedelta(days=13))
    stage.expect(household, head, DETECTOR, "{person}/vehicle", day, "withdrawn")


@scenario("新登记的是营运货车", look_alike=True)
def truck(stage: Stage) -> None:
    _, head = _held(stage, "MEANS")
    _car(stage, head, _day(stage), sort="TRUCK")


@scenario("没有授权，不能看登记", look_alike=True)
def not_allowed(stage: Stage) -> None:
    _, head = _held(stage)
    _car(stage, head, _day(stage))


@scenario("安置房登记", look_alike=True)
def resettled(stage: Stage) -> None:
    _, head = _held(stage, "MEANS")
    first, number = years_before(stage.span.first, 12), stage.serial()
    stage.known(records.home(head.identity, f"BDC{number}A", f"u_{number}a", first))
    day = _day(stage)
    stage.send(records.home(head.identity, f"BDC{number}B", f"u_{number}b", day, use="RESETTLEMENT"), day)


@scenario("小额个体经营", look_alike=True)
def small_trade(stage: Stage) -> None:
    _, head = _held(stage, "MEANS")
    day = _day(stage)
    stage.send(records.business(head.identity, f"9233990{stage.serial()}", day, "SOLE", 2_000_000), day)


@scenario("存款不多", look_alike=True)
def small_savings(stage: Stage) -> None:
    _, head = _held(stage, "FINANCE")
    day = _day(stage)
    stage.send(records.savings(head.identity, f"HD{stage.serial()}", day, "TO_50K"), day)
