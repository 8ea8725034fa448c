"""MEMBER-DEATH and DEATH-ON-BENEFIT: somebody died; who is left needs a visit, and later payments need a look."""

from datetime import date, timedelta

from load_tests.city import rows
from load_tests.city.calendar import month_start
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book

MEMBER_DEATH = "MEMBER-DEATH"
ON_BENEFIT = "DEATH-ON-BENEFIT"
SCENARIOS, scenario = scenario_book(MEMBER_DEATH)
_AMOUNT_FEN = 62_000
_REBATE_FEN = 800


def _benefits(stage: Stage, person: Person, first: int, after: int) -> None:
    for month in stage.months(first, after):
        stage.send(rows.benefit(person.identity, person.scheme or "DIBAO", month, _AMOUNT_FEN), month)


def _dies(stage: Stage, person: Person, day: date, source: str = "health", late_days: int = 2) -> None:
    stage.send(rows.death(person.identity, day, source), day, arrives=day + timedelta(days=late_days))


@scenario("家庭成员去世，待遇按时停发，按户的减免继续")
def leaves_family(stage: Stage) -> None:
    household = stage.family(("HEAD", 70, False), ("SPOUSE", 68, False), scheme="DIBAO")
    offset = stage.spread(3, -3)
    day = stage.month(offset, 13)
    head, spouse = household.members
    _benefits(stage, head, 0, offset + 1)
    _benefits(stage, spouse, 0, stage.span.months)
    (of_the_home,) = stage.lines.page["death_on_benefit"]["left_out"]
    for month in stage.months(0, stage.span.months):
        stage.send(rows.benefit(head.identity, of_the_home, month, _REBATE_FEN), month)
    _dies(stage, head, day)
    expect_member_death(stage, household, head, day)


@scenario("去世后仍有发放", rule=ON_BENEFIT)
def still_paid(stage: Stage) -> None:
    household = stage.family(("HEAD", 81, False), scheme="DIBAO")
    head = household.members[0]
    offset = stage.spread(3, -5)
    day = stage.month(offset, 9)
    _benefits(stage, head, 0, offset + 3)
    _dies(stage, head, day, late_days=30)
    if stage.variant % 2:
        _dies(stage, head, day, "police", late_days=45)
    expect_on_benefit(stage, household, head, offset)


@scenario("登记错人，后来撤销", look_alike=True)
def wrong_person(stage: Stage) -> None:
    household = stage.family(("HEAD", 66, False), ("SPOUSE", 65, False), scheme="DIBAO")
    head, spouse = household.members
    offset = stage.spread(3, -5)
    day = stage.month(offset, 9)
    for person in (head, spouse):
        _benefits(stage, person, 0, stage.span.months)
    _dies(stage, head, day)
    stage.send(rows.reversed_row(rows.death(head.identity, day)), day, arrives=stage.month(offset + 3, 2))
    before = len(stage.script.expected)
    expect_member_death(stage, household, head, day)
    expect_on_benefit(stage, household, head, offset)
    stage.end_all(before, "withdrawn")


@scenario("独居老人去世，待遇按时停发", look_alike=True)
def alone(stage: Stage) -> None:
    household = stage.family(("HEAD", 83, False), scheme="TEKUN")
    offset = stage.spread(3, -3)
    _benefits(stage, household.members[0], 0, offset + 1)
    _dies(stage, household.members[0], stage.month(offset, 17))


def expect_member_death(stage: Stage, household: Household, person: Person, day: date) -> None:
    """Stands as long as the bureau has decided (twelve months), then it has passed."""
    months = int(stage.lines.page["member_death"]["stands_months"])
    after = month_start(day, months) + timedelta(days=day.day - 1)
    stage.expect_stretch(household, person, MEMBER_DEATH, "{person}", day, after)


def expect_on_benefit(stage: Stage, household: Household, person: Person, offset: int) -> None:
    """Since the first month paid for after the month of death."""
    stage.expect(household, person, ON_BENEFIT, "{person}", stage.month(offset + 1))
