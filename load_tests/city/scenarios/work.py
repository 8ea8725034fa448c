"""JOB-LOSS: the only contributor's insurance stops for two closed months, and what only looks like it."""

from datetime import date

from load_tests.city import rows
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "JOB-LOSS"
CAUSE = "{person}"
SCENARIOS, scenario = scenario_book(DETECTOR)


def _earner(stage: Stage, *others: tuple[str, int, bool]) -> tuple[Household, Person]:
    household = stage.family(("HEAD", 41, True), *(others or (("CHILD", 9, False),)), scheme="DIBAO")
    return household, household.members[0]


def _lost(stage: Stage, household: Household, person: Person, stopped: int) -> date:
    """Insurance until month `stopped` (not included); the first day after the silent months that count."""
    stage.works(person, 0, stopped)
    return stage.span.month(stopped + stage.lines.silent_months)


@scenario("唯一参保人停保两个月")
def stopped(stage: Stage) -> None:
    household, person = _earner(stage)
    gone = stage.spread(3, -3)
    since = _lost(stage, household, person, gone)
    stands = int(stage.lines.page["job_loss"]["stands_months"])
    known = stage.span.month(gone + stage.lines.silent_months + stands)
    stage.expect_stretch(household, person, DETECTOR, CAUSE, since, known)


@scenario("停保后又有新单位参保")
def found_work(stage: Stage) -> None:
    household, person = _earner(stage, ("SPOUSE", 40, False))
    gone = stage.spread(3, -5)
    since = _lost(stage, household, person, gone)
    stage.works(person, gone + 3, stage.span.months, "E33990199999")
    stage.expect(household, person, DETECTOR, CAUSE, since, "lapsed")


@scenario("失业以后配偶退休，家里再没有参保人")
def spouse_retires(stage: Stage) -> None:
    household = stage.family(("HEAD", 41, True), ("SPOUSE", 57, True), scheme="DIBAO")
    head, spouse = household.members
    gone = stage.spread(3, -4)
    stage.works(head, 0, gone)
    since = _lost(stage, household, spouse, gone + 1)
    day = stage.month(gone + 1)
    stage.send(rows.employment(spouse.identity, "RETIRED", day), day)
    known = stage.span.month(gone + stage.lines.silent_months + int(stage.lines.page["job_loss"]["stands_months"]))
    stage.expect_stretch(household, head, DETECTOR, CAUSE, since, known)


@scenario("单位补缴", look_alike=True)
def paid_late(stage: Stage) -> None:
    household, person = _earner(stage)
    gone = stage.spread(3, -5)
    since = _lost(stage, household, person, gone)
    for month in stage.months(gone, gone + 3):
        row = rows.contribution(person.identity, month, person.workplace)
        stage.send(row, month, arrives=stage.month(gone + 4, 10))
    stage.works(person, gone + 3, stage.span.months)
    stage.expect(household, person, DETECTOR, CAUSE, since, "withdrawn")


@scenario("单位晚报一个月", look_alike=True)
def one_month_late(stage: Stage) -> None:
    _, person = _earner(stage)
    gap = stage.spread(3, -4)
    stage.works(person, 0, gap)
    stage.works(person, gap + 1, stage.span.months)
    month = stage.month(gap)
    stage.send(rows.contribution(person.identity, month, person.workplace), month, arrives=stage.month(gap + 2, 10))


@scenario("停保是因为退休", look_alike=True)
def retired(stage: Stage) -> None:
    household = stage.family(("HEAD", 58, True), ("SPOUSE", 57, False), scheme="DIBAO")
    gone = stage.spread(4, -3)
    _lost(stage, household, household.members[0], gone)
    day = stage.month(gone)
    stage.send(rows.employment(household.members[0].identity, "RETIRED", day), day)


@scenario("停保是因为生育", look_alike=True, months=9)
def maternity(stage: Stage) -> None:
    household = stage.family(("HEAD", 30, True), ("SPOUSE", 33, False), scheme="DIBAO")
    gone = stage.spread(3, -6)
    _lost(stage, household, household.members[0], gone)
    day, back = stage.month(gone), stage.month(gone + 4)
    stage.send(rows.employment(household.members[0].identity, "MATERNITY", day, back), day)
    stage.works(household.members[0], gone + 4, stage.span.months)


@scenario("家里另有人参保", look_alike=True)
def second_earner(stage: Stage) -> None:
    household = stage.family(("HEAD", 44, True), ("SPOUSE", 42, True), scheme="DIBAO")
    _lost(stage, household, household.members[0], stage.spread(4, -3))
    stage.works(household.members[1], 0, stage.span.months)


@scenario("换了单位没有断保", look_alike=True)
def changed_employer(stage: Stage) -> None:
    _, person = _earner(stage)
    change = stage.spread(3, -3)
    stage.works(person, 0, change)
    stage.works(person, change, stage.span.months, "E33990188888")

