"""INSURANCE-GAP and PACKAGE-GAP: who is not insured this year; which help of the catalogue nobody's file shows."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import months_after
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.rows import Row
from load_tests.city.scenarios.stage import Stage, scenario_book

INSURANCE, PACKAGE = "INSURANCE-GAP", "PACKAGE-GAP"
HOUSEHOLD = "household"
FEED = "medical.enrolment"
SCENARIOS, scenario = scenario_book(INSURANCE)


def _couple(stage: Stage, scheme: str = "DIBAO") -> tuple[Household, Person]:
    """The head's insurance is told by the scenario."""
    household = stage.family(("HEAD", 59, False), ("SPOUSE", 58, False), scheme=scheme)
    head = household.members[0]
    stage.apart(FEED, head)
    return household, head


def _insured(stage: Stage, person: Person, year: int, *, subsidised: bool = True, plan: str = "RESIDENT") -> Row:
    """Insurance from New Year on: told in the December file before, of the first year in the first files."""
    row = records.insured(person.identity, year, subsidised=subsidised, plan=plan)
    first = year == stage.span.first.year
    return stage.send(row, stage.span.first if first else date(year - 1, 12, 1))


def _years(stage: Stage) -> list[int]:
    return list(range(stage.span.first.year, stage.span.last_tick.year + 1))


def _second(stage: Stage) -> int:
    """The first year whose collection period lies in the simulated time."""
    return stage.span.first.year + 1


def _counts_from(stage: Stage, year: int) -> date:
    return date(year, int(stage.lines.page["insurance_gap"]["collection_ends_month"]) + 1, 1)


def _expect_uninsured(stage: Stage, household: Household, person: Person, since: date) -> None:
    turn = date(since.year + 1, 1, 1)
    stage.expect_stretch(household, person, INSURANCE, f"{{person}}/{since.year}", since, turn)


@scenario("新年度没有参保记录", months=14)
def not_enrolled(stage: Stage) -> None:
    household, head = _couple(stage)
    for year in _years(stage):
        if year != _second(stage):
            _insured(stage, head, year)
    _expect_uninsured(stage, household, head, _counts_from(stage, _second(stage)))


@scenario("年中断保，三个月没有接上", months=10)
def stopped(stage: Stage) -> None:
    household, head = _couple(stage)
    offset = 3 + stage.variant % 3
    for year in _years(stage):
        row = _insured(stage, head, year)
        if year == stage.span.first.year:
            ended = stage.span.month(offset)
            stage.send(rows.corrected(row, until=ended), ended)
    months = int(stage.lines.page["insurance_gap"]["stopped_months"])
    _expect_uninsured(stage, household, head, months_after(stage.span.month(offset), months))


@scenario("参保登记晚一个月到", look_alike=True, months=14)
def told_late(stage: Stage) -> None:
    household, head = _couple(stage)
    since = _counts_from(stage, _second(stage))
    for year in _years(stage):
        if year != _second(stage):
            _insured(stage, head, year)
    row = records.insured(head.identity, _second(stage), subsidised=True)
    stage.send(row, since, arrives=since + timedelta(days=20))
    stage.expect(household, head, INSURANCE, f"{{person}}/{since.year}", since, "withdrawn")


@scenario("当兵，由部队保障", look_alike=True, months=14)
def soldier(stage: Stage) -> None:
    household = stage.family(("HEAD", 50, False), ("CHILD", 21, False), scheme="DIBAO")
    child = household.members[1]
    stage.apart(FEED, child)
    stage.known(rows.employment(child.identity, "MILITARY", stage.span.first))


@scenario("居民医保改为职工医保", look_alike=True, months=10)
def changed_plan(stage: Stage) -> None:
    _, head = _couple(stage)
    offset = stage.spread(3, -4)
    ended = stage.span.month(offset + (stage.span.month(offset).month == 1))  # what ends at New Year is no change
    for year in _years(stage):
        if year <= ended.year:
            row = _insured(stage, head, year)
            if year == ended.year:
                stage.send(rows.corrected(row, until=ended), ended)
                new = records.insured(head.identity, year, subsidised=False, since=ended, plan="EMPLOYEE")
                stage.send(new, ended)
        else:
            _insured(stage, head, year, subsidised=False, plan="EMPLOYEE")


@scenario("低保边缘家庭参保没有资助", rule=PACKAGE)
def not_subsidised(stage: Stage) -> None:
    household, head = _couple(stage, "DIBIAN")
    for year in _years(stage):
        _insured(stage, head, year, subsidised=False)
    days = timedelta(days=int(stage.lines.page["package_gap"]["insurance_days"]))
    stage.expect(
        household, head, PACKAGE, HOUSEHOLD, by_catalogue(stage, stage.span.first + days, stage.span.last_tick)
    )


@scenario("参保由单位缴费，不需要资助", look_alike=True, rule=PACKAGE)
def by_employer(stage: Stage) -> None:
    _, head = _couple(stage, "DIBIAN")
    for year in _years(stage):
        _insured(stage, head, year, subsidised=False, plan="EMPLOYEE")


@scenario("本人说明不要参保资助", look_alike=True, rule=PACKAGE)
def not_wanted(stage: Stage) -> None:
    _, head = _couple(stage, "DIBIAN")
    for year in _years(stage):
        _insured(stage, head, year, subsidised=False)
    for offset in range(0, stage.span.months, 11):
        day = stage.month(offset, 16)
        row = records.answer(head.identity, f"ZJ{stage.serial()}", "医保资助参保", day, "DECLINED", "UNWANTED")
        stage.send(row, day)


def _tenants(stage: Stage, gone: int, back: int | None) -> Household:
    """A tenant with 低保 whose relief is not on record in months [gone, back)."""
    household = stage.family(("HEAD", 62, False), ("SPOUSE", 61, False), scheme="DIBAO", tenant=True)
    head = household.members[0].identity
    for offset, month in enumerate(stage.months(0, stage.span.months)):
        due, relief = month + timedelta(days=24), household.rent_fen // 10
        punctual = offset < gone or (back is not None and offset >= back)
        paid = household.rent_fen - (relief if punctual else 0)
        stage.send(rows.rent(head, household.tenancy, month, household.rent_fen, paid, due), month)
        row = rows.relief(head, household.tenancy, month, relief)
        if punctual:
            stage.send(row, month)
        elif back is not None:
            stage.send(row, month, arrives=stage.month(back + 1, 8))
    return household


def _expect_no_relief(stage: Stage, household: Household, gone: int, until: date) -> None:
    days = int(stage.lines.page["package_gap"]["within_days"])
    since = by_catalogue(stage, stage.span.month(gone) + timedelta(days=days), until)
    stage.expect(household, household.members[0], PACKAGE, HOUSEHOLD, since)


def by_catalogue(stage: Stage, since: date, until: date) -> date:
    """What is still missing when the bureau publishes a new catalogue is missing from it since that day."""
    published: date = stage.lines.page["package_gap"]["catalogue_since"]
    return max(since, published) if published < until else since


@scenario("公租房租金减免中断", rule=PACKAGE)
def no_relief(stage: Stage) -> None:
    gone = stage.spread(3, -4)
    _expect_no_relief(stage, _tenants(stage, gone, None), gone, stage.span.last_tick)


@scenario("租金减免晚报，后来补齐", look_alike=True, rule=PACKAGE)
def relief_late(stage: Stage) -> None:
    gone = stage.spread(3, -5)
    _expect_no_relief(stage, _tenants(stage, gone, gone + 2), gone, stage.month(gone + 3, 8))
    stage.end_all(0, "withdrawn")
