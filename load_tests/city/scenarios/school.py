"""EDU-BURDEN and DROPOUT: what school costs a family, students without aid, children in no school."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import years_after
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book

BURDEN, DROPOUT, PACKAGE = "EDU-BURDEN", "DROPOUT", "PACKAGE-GAP"
HOUSEHOLD = "household"
SCENARIOS, scenario = scenario_book(BURDEN)
_OTHER_SCHOOL = "3133990202"
_DEAR_FEN = 1_200_000
_HOLIDAYS = (2, 7, 8)


def _student(stage: Stage, age: int = 19, scheme: str | None = None) -> tuple[Household, Person]:
    """Parents so well off that school fees alone are no rigid spending."""
    income = stage.calm_income_fen(3, 4_000_000)
    household = stage.family(
        ("HEAD", 46, False), ("SPOUSE", 45, False), ("CHILD", age, False), scheme=scheme, income_fen=income
    )
    return household, household.members[2]


@scenario("大学学费超过因学负担线", months=12)
def dear(stage: Stage) -> None:
    household, child = _student(stage)
    day = stage.school_year(2)
    stage.send(records.fee(child.identity, day.year, _DEAR_FEN, "COLLEGE"), day)
    stage.expect_stretch(household, child, BURDEN, "{person}/cost", day, years_after(day, 1))


@scenario("学费登记错误，后来冲销", look_alike=True, months=12)
def wrong_fee(stage: Stage) -> None:
    household, child = _student(stage)
    day = stage.school_year(4)
    row = stage.send(records.fee(child.identity, day.year, _DEAR_FEN, "SENIOR"), day)
    stage.send(rows.reversed_row(row), day, arrives=day + timedelta(days=70))
    stage.expect(household, child, BURDEN, "{person}/cost", day, "withdrawn")


@scenario("学费高，但资助抵扣以后不高", look_alike=True, months=12)
def aided(stage: Stage) -> None:
    _, child = _student(stage)
    day = stage.school_year(2)
    stage.send(records.fee(child.identity, day.year, _DEAR_FEN, "COLLEGE"), day)
    stage.send(records.school_aid(child.identity, day.year, 400_000), day)


@scenario("义务教育阶段自己选的学校", look_alike=True, months=12)
def chosen_school(stage: Stage) -> None:
    _, child = _student(stage, age=9)
    day = stage.school_year(2)
    stage.send(records.fee(child.identity, day.year, _DEAR_FEN, "PRIMARY"), day)


def _unaided(stage: Stage, months_inside: int) -> tuple[Person, date]:
    """A student of a family with 低保 from 1 September to the end of June."""
    household, child = _student(stage, scheme="DIBAO")
    day = stage.school_year(months_inside)
    left = date(day.year + 1, 7, 1)
    spell = stage.send(records.school(child.identity, day, "COLLEGE", number=_OTHER_SCHOOL), day)
    if left <= stage.span.last_tick:
        stage.send(rows.corrected(spell, until=left, ended="GRADUATED"), left)
    aid_months = int(stage.lines.page["edu_burden"]["aid_months"])
    package = day + timedelta(days=int(stage.lines.page["package_gap"]["school_days"]))
    stage.expect_stretch(household, child, BURDEN, "{person}/no_aid", _months_on(day, aid_months), left)
    stage.expect_stretch(household, child, PACKAGE, HOUSEHOLD, package, left)
    return child, day


def _months_on(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


@scenario("低保家庭的大学生没有资助记录", months=13)
def unaided(stage: Stage) -> None:
    _unaided(stage, 4)


@scenario("资助晚到，后来补上", look_alike=True, months=14)
def aided_late(stage: Stage) -> None:
    child, day = _unaided(stage, 6)
    stage.send(records.school_aid(child.identity, day.year, 300_000), day, arrives=_months_on(day, 5))
    stage.end_all(0, "withdrawn")


@scenario("低保边缘家庭的高中生没有资助记录", months=13, rule=PACKAGE)
def senior(stage: Stage) -> None:
    household, child = _student(stage, age=17, scheme="DIBIAN")
    day = stage.school_year(4)
    stage.send(records.school(child.identity, day, "SENIOR", number=_OTHER_SCHOOL), day)
    days = int(stage.lines.page["package_gap"]["school_days"])
    stage.expect(household, child, PACKAGE, HOUSEHOLD, day + timedelta(days=days))


def _pupil(stage: Stage, age: int = 10) -> tuple[Household, Person, rows.Row]:
    """A child at school since the September before, told by the scenario itself."""
    household = stage.family(("HEAD", 39, False), ("SPOUSE", 38, False), ("CHILD", age, False))
    child = household.members[2]
    stage.apart("education.enrolment", child)
    row = stage.known(records.school(child.identity, date(stage.span.first.year - 1, 9, 1), "PRIMARY"))
    return household, child, row


def _term_month(stage: Stage, months_before_end: int) -> date:
    """A day in a month without holidays that is followed by another one."""
    fitting = [
        offset
        for offset in range(3, stage.span.months - months_before_end + 1)
        if not {stage.span.month(offset).month, stage.span.month(offset + 1).month} & {*_HOLIDAYS}
    ]
    return stage.month(fitting[stage.variant % len(fitting)], 5)


def _leaves(stage: Stage, row: rows.Row, day: date, how: str) -> None:
    stage.send(rows.corrected(row, until=day, ended=how), day)


@scenario("义务教育阶段离校没有续学", rule=DROPOUT)
def left(stage: Stage) -> None:
    household, child, row = _pupil(stage)
    day = _term_month(stage, 3)
    _leaves(stage, row, day, "LEFT")
    days = int(stage.lines.page["dropout"]["left_days"])
    stage.expect(household, child, DROPOUT, "{person}", day + timedelta(days=days))


@scenario("离校后劝返复学", rule=DROPOUT)
def came_back(stage: Stage) -> None:
    household, child, row = _pupil(stage)
    day = _term_month(stage, 4)
    _leaves(stage, row, day, "LEFT")
    back = day + timedelta(days=40)
    stage.send(records.school(child.identity, back, "PRIMARY", number=_OTHER_SCHOOL), back)
    days = int(stage.lines.page["dropout"]["left_days"])
    stage.expect(household, child, DROPOUT, "{person}", day + timedelta(days=days), "lapsed")


@scenario("转出后一直没有新的学籍", rule=DROPOUT)
def lost(stage: Stage) -> None:
    household, child, row = _pupil(stage)
    day = _term_month(stage, 4)
    _leaves(stage, row, day, "TRANSFERRED")
    days = int(stage.lines.page["dropout"]["transfer_days"])
    stage.expect(household, child, DROPOUT, "{person}", day + timedelta(days=days))


@scenario("转学，二十天后有新的学籍", look_alike=True, rule=DROPOUT)
def moved_school(stage: Stage) -> None:
    _, child, row = _pupil(stage)
    day = _term_month(stage, 4)
    _leaves(stage, row, day, "TRANSFERRED")
    there = day + timedelta(days=20)
    stage.send(records.school(child.identity, there, "PRIMARY", number=_OTHER_SCHOOL), there)


@scenario("小学毕业，暑假以后上初中", look_alike=True, months=12, rule=DROPOUT)
def finished_primary(stage: Stage) -> None:
    _, child, row = _pupil(stage, 12)
    begins = stage.school_year(3)
    _leaves(stage, row, date(begins.year, 7, 1), "GRADUATED")
    stage.send(records.school(child.identity, begins, "JUNIOR", number=_OTHER_SCHOOL), begins)


@scenario("生病休学，还没有满期限", look_alike=True, rule=DROPOUT)
def suspended(stage: Stage) -> None:
    _, _, row = _pupil(stage)
    _leaves(stage, row, stage.month(-5, 5), "SUSPENDED")
