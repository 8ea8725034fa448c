"""NEW-DISABILITY and DISAB-SUBSIDY-GAP: what a certificate says first, and whether what it brings is paid."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import months_after, years_before
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book

NEW, GAP = "NEW-DISABILITY", "DISAB-SUBSIDY-GAP"
SCENARIOS, scenario = scenario_book(NEW)
_CARE, _LIVING = "CANJI_HULI", "CANJI_SHENGHUO"
_SEVERE, _LIGHT = 1, 3


def couple(stage: Stage, scheme: str | None = None) -> tuple[Household, Person]:
    """An elderly couple; the head is whom the certificates are about."""
    household = stage.family(("HEAD", 58, False), ("SPOUSE", 57, False), scheme=scheme)
    return household, household.members[0]


def long_ago(stage: Stage) -> date:
    """The day of an old certificate."""
    return years_before(stage.span.first, 9, 40)


def paid(stage: Stage, person: Person, first: int, after: int, *codes: str) -> None:
    """Subsidies of these codes for months [first, after), sent punctually."""
    for month in stage.months(first, after):
        for code in codes:
            stage.send(rows.benefit(person.identity, code, month, 25_000), month)


def expect_new(stage: Stage, household: Household, person: Person, day: date) -> date:
    """News for the months the bureau has set. Returns the day it is over."""
    after = months_after(day, int(stage.lines.page["new_disability"]["stands_months"]))
    stage.expect_stretch(household, person, NEW, "{person}/new", day, after)
    return after


def expect_gap(stage: Stage, household: Household, person: Person, began: date) -> None:
    """Counts when the days allowed are over."""
    within = timedelta(days=int(stage.lines.page["disability_subsidy_gap"]["within_days"]))
    stage.expect(household, person, GAP, "{person}", began + within)


@scenario("新评定为重度残疾")
def newly_severe(stage: Stage) -> None:
    household, head = couple(stage)
    offset = stage.spread(3, -3)
    day = stage.month(offset, 12)
    stage.send(records.certificate(head.identity, day, _SEVERE), day)
    paid(stage, head, offset, stage.span.months, _CARE)
    expect_new(stage, household, head, day)


def _running_out(stage: Stage) -> tuple[Household, Person, date, date, date]:
    """A light certificate that runs out; the first day of the notice and the day it is told no more."""
    household, head = couple(stage)
    expires = stage.month(stage.spread(9, -2), 10)
    stage.known(records.certificate(head.identity, long_ago(stage), _LIGHT, expires=expires))
    page = stage.lines.page["new_disability"]
    first = expires - timedelta(days=int(page["notice_days"]))
    return household, head, expires, first, expires + timedelta(days=int(page["after_expiry_days"]))


@scenario("残疾证快到期没有换领", months=12)
def runs_out(stage: Stage) -> None:
    household, head, _, first, after = _running_out(stage)
    stage.expect_stretch(household, head, NEW, "{person}/expiry", first, after)


@scenario("提醒以后换领了残疾证", months=12)
def renewed_late(stage: Stage) -> None:
    household, head, expires, first, _ = _running_out(stage)
    day = expires - timedelta(days=20)
    stage.send(records.certificate(head.identity, day, _LIGHT, "RENEW", expires=months_after(expires, 120)), day)
    stage.expect_stretch(household, head, NEW, "{person}/expiry", first, day)


@scenario("到提醒之前已经换领", look_alike=True, months=12)
def renewed_early(stage: Stage) -> None:
    _, head, expires, first, _ = _running_out(stage)
    day = first - timedelta(days=10)
    stage.send(records.certificate(head.identity, day, _LIGHT, "RENEW", expires=months_after(expires, 120)), day)


@scenario("重度残疾到期换证，等级没有变", look_alike=True)
def still_severe(stage: Stage) -> None:
    _, head = couple(stage)
    stage.known(records.certificate(head.identity, long_ago(stage), _SEVERE))
    day = stage.month(stage.spread(3, -3), 12)
    stage.send(records.certificate(head.identity, day, _SEVERE, "RENEW"), day)
    paid(stage, head, 0, stage.span.months, _CARE)


@scenario("新评定为轻度残疾", look_alike=True)
def newly_light(stage: Stage) -> None:
    _, head = couple(stage)
    day = stage.month(stage.spread(3, -3), 12)
    stage.send(records.certificate(head.identity, day, _LIGHT), day)


@scenario("残疾评定登记错误，后来撤销", look_alike=True)
def wrongly_certified(stage: Stage) -> None:
    household, head = couple(stage)
    offset = stage.spread(3, -4)
    day = stage.month(offset, 12)
    row = stage.send(records.certificate(head.identity, day, _SEVERE), day)
    stage.send(rows.reversed_row(row), day, arrives=day + timedelta(days=18))
    stage.expect(household, head, NEW, "{person}/new", day, "withdrawn")


@scenario("持重度残疾人证，从来没有领过补贴", rule=GAP)
def never_paid(stage: Stage) -> None:
    household, head = couple(stage, "DIBAO")
    stage.known(records.certificate(head.identity, long_ago(stage), _SEVERE))
    expect_gap(stage, household, head, stage.span.first)


@scenario("护理补贴停发，证件和身份都还在", rule=GAP)
def stopped(stage: Stage) -> None:
    household, head = couple(stage)
    stage.known(records.certificate(head.identity, long_ago(stage), _SEVERE))
    gone = stage.spread(3, -3)
    paid(stage, head, 0, gone, _CARE)
    expect_gap(stage, household, head, stage.span.month(gone))


@scenario("补贴晚发，后来补齐", look_alike=True, rule=GAP)
def paid_late(stage: Stage) -> None:
    household, head = couple(stage)
    stage.known(records.certificate(head.identity, long_ago(stage), _SEVERE))
    gone = stage.spread(3, -5)
    paid(stage, head, 0, gone, _CARE)
    for month in stage.months(gone, gone + 2):
        stage.send(rows.benefit(head.identity, _CARE, month, 25_000), month, arrives=stage.month(gone + 3, 4))
    paid(stage, head, gone + 2, stage.span.months, _CARE)
    before = len(stage.script.expected)
    expect_gap(stage, household, head, stage.span.month(gone))
    stage.end_all(before, "withdrawn")


@scenario("特困供养的重度残疾人", look_alike=True, rule=GAP)
def cared_for(stage: Stage) -> None:
    household = stage.family(("HEAD", 67, False), scheme="TEKUN")
    stage.known(records.certificate(household.members[0].identity, long_ago(stage), _SEVERE))


@scenario("领工伤护理费的重度残疾人", look_alike=True, rule=GAP)
def other_payer(stage: Stage) -> None:
    _, head = couple(stage)
    stage.known(records.certificate(head.identity, long_ago(stage), _SEVERE))
    paid(stage, head, 0, stage.span.months, "GONGSHANG_HULI")


@scenario("本人说明不申领残疾人补贴", look_alike=True, rule=GAP)
def not_wanted(stage: Stage) -> None:
    _, head = couple(stage, "DIBIAN")
    stage.known(records.certificate(head.identity, long_ago(stage), _SEVERE))
    for offset in range(0, stage.span.months, 11):
        day = stage.month(offset, 16)
        row = records.answer(head.identity, f"ZJ{stage.serial()}", "残疾人两项补贴", day, "DECLINED", "UNWANTED")
        stage.send(row, day)
