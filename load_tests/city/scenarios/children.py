"""CHILD-GUARDIAN: nobody of a child's parents is at home and able, and what only looks like it."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import months_after
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.deaths import expect_member_death
from load_tests.city.scenarios.disability import long_ago, paid
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "CHILD-GUARDIAN"
SCENARIOS, scenario = scenario_book(DETECTOR)


def _single_parent(stage: Stage) -> tuple[Household, Person, Person]:
    """A father, his mother and his child."""
    household = stage.family(("HEAD", 36, False), ("PARENT", 62, False), ("CHILD", 8, False))
    father, _, child = household.members
    return household, father, child


def _away(stage: Stage, parent: Person, day: date, until: date | None = None) -> rows.Row:
    row = records.custody(parent.identity, "PRISON", day, expected=months_after(day, 30), until=until)
    return stage.send(row, day)


@scenario("唯一的父母服刑，祖母在家")
def in_prison(stage: Stage) -> None:
    household, father, child = _single_parent(stage)
    day = stage.month(stage.spread(3, -3), 12)
    _away(stage, father, day)
    stage.expect(household, child, DETECTOR, "{person}", day)


@scenario("服刑的父母提前回家")
def came_home(stage: Stage) -> None:
    household, father, child = _single_parent(stage)
    offset = stage.spread(3, -5)
    day, home = stage.month(offset, 12), stage.month(offset + 2, 20)
    row = _away(stage, father, day)
    stage.send(rows.corrected(row, until=home), home)
    stage.expect(household, child, DETECTOR, "{person}", day, "lapsed")


@scenario("父亲去世，母亲重度残疾")
def orphaned(stage: Stage) -> None:
    household = stage.family(("HEAD", 37, False), ("SPOUSE", 36, False), ("CHILD", 7, False))
    father, mother, child = household.members
    stage.known(records.certificate(mother.identity, long_ago(stage), 1))
    paid(stage, mother, 0, stage.span.months, "CANJI_HULI")
    day = stage.month(stage.spread(3, -3), 9)
    stage.send(rows.death(father.identity, day), day, arrives=day + timedelta(days=3))
    expect_member_death(stage, household, father, day)
    stage.expect(household, child, DETECTOR, "{person}", day)


@scenario("登记机关写明父母，其中一人失踪、一人服刑")
def named(stage: Stage) -> None:
    household = stage.family(("HEAD", 66, False), ("CHILD", 35, False), ("GRANDCHILD", 6, False))
    _, mother, child = household.members
    father = stage.relative(child, 36)
    for parent in (mother.identity, father):
        row = records.kinship(child.identity, f"HB{stage.serial()}", stage.span.first, parent, "PARENT")
        stage.known(row)
    day = stage.month(stage.spread(3, -3), 12)
    _away(stage, mother, day)
    stage.expect(household, child, DETECTOR, "{person}", day)


@scenario("父亲服刑，母亲在家", look_alike=True)
def mother_there(stage: Stage) -> None:
    household = stage.family(("HEAD", 37, False), ("SPOUSE", 36, False), ("CHILD", 7, False))
    _away(stage, household.members[0], stage.month(stage.spread(3, -3), 12))


@scenario("已领孤儿基本生活费", look_alike=True)
def supported(stage: Stage) -> None:
    _, father, child = _single_parent(stage)
    for month in stage.months(0, stage.span.months):
        stage.send(rows.benefit(child.identity, "GUER", month, 180_000), month)
    _away(stage, father, stage.month(stage.spread(3, -3), 12))


@scenario("羁押登记登错了人，后来撤销", look_alike=True)
def wrong_person(stage: Stage) -> None:
    household, father, child = _single_parent(stage)
    day = stage.month(stage.spread(3, -4), 12)
    row = _away(stage, father, day)
    stage.send(rows.reversed_row(row), day, arrives=day + timedelta(days=16))
    stage.expect(household, child, DETECTOR, "{person}", day, "withdrawn")


@scenario("孩子已经成年", look_alike=True)
def grown(stage: Stage) -> None:
    household = stage.family(("HEAD", 45, False), ("CHILD", 19, False))
    _away(stage, household.members[0], stage.month(stage.spread(3, -3), 12))
