"""EXPIRY, RECENT-EXIT and DUPLICATE-CONFLICT: what the offices' own decisions bring with them."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.calendar import month_start, months_after, years_after
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.roster import Held
from load_tests.city.scenarios.calls import AIDED, SEEKING
from load_tests.city.scenarios.compound import leaves
from load_tests.city.scenarios.stage import Stage, scenario_book

EXPIRY, EXIT, DOUBLE = "EXPIRY", "RECENT-EXIT", "DUPLICATE-CONFLICT"
SCENARIOS, scenario = scenario_book(EXPIRY)
_SCHEME = "GANGXING"
_OTHER_OFFICE = "星河市示例区民政局（虚构）"


def _recognised(stage: Stage) -> tuple[Household, Person, date, date]:
    """Somebody whose recognition ends in the simulated time; the first day of the reminder and the day it ends."""
    page = stage.lines.page["expiry"]
    household = stage.family(("HEAD", 60, False), scheme=_SCHEME)
    head = household.members[0]
    ends = stage.month(stage.spread(6, -2), 15)
    stage.holds(household, head, Held(_SCHEME, _began(stage, ends)))
    return household, head, ends - timedelta(days=int(page["notice_days"])), ends


def _began(stage: Stage, ends: date) -> date:
    return months_after(ends, -int(stage.lines.page["expiry"]["recognition_months"]))


@scenario("刚性支出困难家庭认定快到期")
def ends_soon(stage: Stage) -> None:
    household, head, first, ends = _recognised(stage)
    stage.expect_stretch(household, head, EXPIRY, f"{{person}}/{_SCHEME}", first, ends)


@scenario("认定到期以前已经续认定", look_alike=True)
def renewed(stage: Stage) -> None:
    household, head, first, ends = _recognised(stage)
    day = first - timedelta(days=9)
    stage.decided(household, head, day, Held(_SCHEME, _began(stage, ends)), Held(_SCHEME, ends))


@scenario("提醒以后续认定", look_alike=True)
def renewed_late(stage: Stage) -> None:
    household, head, first, ends = _recognised(stage)
    day = ends - timedelta(days=25)
    stage.decided(household, head, day, Held(_SCHEME, _began(stage, ends)), Held(_SCHEME, ends))
    stage.expect(household, head, EXPIRY, f"{{person}}/{_SCHEME}", first, "withdrawn")


def _left(stage: Stage, offset: int) -> tuple[Household, Person]:
    income = stage.calm_income_fen(2, stage.lines.medical_fen("OTHER"))
    household = stage.family(("HEAD", 61, False), ("SPOUSE", 60, False), scheme="DIBAO", income_fen=income)
    leaves(stage, household, stage.month(offset, 1))
    return household, household.members[0]


@scenario("退出低保不久得到临时救助", rule=EXIT)
def aided_after(stage: Stage) -> None:
    offset = stage.spread(3, -4)
    household, head = _left(stage, offset)
    day = stage.month(offset + 1, 12)
    stage.send(records.temp_aid(head.identity, f"LS{stage.serial()}", day, household.town), day)
    after = months_after(day, int(stage.lines.page["recent_exit"]["aid_months"]))
    stage.expect_stretch(household, head, EXIT, "{person}/aid", day, after)


@scenario("退出低保不久医疗负担过半", rule=EXIT)
def ill_after(stage: Stage) -> None:
    offset = stage.spread(3, -4)
    household, head = _left(stage, offset)
    half = stage.lines.medical_fen("OTHER") * int(stage.lines.page["recent_exit"]["percent"]) // 100
    days = (stage.month(offset + 1, 6), stage.month(offset + 2, 6))
    for day in days:
        stage.bill(head, day, half * 6 // 10)
    stage.expect_stretch(household, head, EXIT, "{person}/medical", days[1], years_after(days[0], 1))


@scenario("退出低保后负担不大", look_alike=True, rule=EXIT)
def well_after(stage: Stage) -> None:
    offset = stage.spread(3, -4)
    _, head = _left(stage, offset)
    stage.bill(head, stage.month(offset + 1, 6), stage.lines.medical_fen("OTHER") * 30 // 100)


@scenario("由低保转为低保边缘，没有退出", look_alike=True, rule=EXIT)
def changed_scheme(stage: Stage) -> None:
    household = stage.family(("HEAD", 61, False), scheme="DIBAO")
    head, day, since = household.members[0], stage.month(stage.spread(3, -4), 1), month_start(stage.span.first, -24)
    stage.decided(household, head, day, Held("DIBAO", since, day), Held("DIBIAN", day))
    aided = months_after(day, 1) + timedelta(days=9)
    stage.send(records.temp_aid(head.identity, f"LS{stage.serial()}", aided, household.town), aided)


def _paid(stage: Stage, person: Person, code: str, first: int, after: int) -> list[rows.Row]:
    return [
        stage.send(rows.benefit(person.identity, code, month, 120_000), month) for month in stage.months(first, after)
    ]


def _double_paid(stage: Stage, months_inside: int) -> tuple[Household, Person, rows.Row, date, date]:
    household = stage.family(("HEAD", 68, False), scheme="TEKUN")
    head, offset = household.members[0], stage.spread(3, -months_inside)
    _paid(stage, head, "TEKUN", 0, stage.span.months)
    (row,) = _paid(stage, head, "CANJI_HULI", offset, offset + 1)
    stands = int(stage.lines.page["duplicate_conflict"]["stands_months"])
    return household, head, row, stage.span.month(offset), stage.span.month(offset + stands)


@scenario("特困供养同时发了护理补贴", rule=DOUBLE)
def paid_twice(stage: Stage) -> None:
    household, head, _, since, after = _double_paid(stage, 3)
    stage.expect_stretch(household, head, DOUBLE, "{person}/TEKUN+CANJI_HULI", since, after)


@scenario("重复发放已经退回", look_alike=True, rule=DOUBLE)
def paid_back(stage: Stage) -> None:
    household, head, row, since, _ = _double_paid(stage, 4)
    stage.send(rows.reversed_row(row), since, arrives=months_after(since, 2))
    stage.expect(household, head, DOUBLE, "{person}/TEKUN+CANJI_HULI", since, "withdrawn")


@scenario("两个机关都认定了低保", rule=DOUBLE)
def two_offices(stage: Stage) -> None:
    household = stage.family(("HEAD", 57, False), scheme="DIBAO")
    head, day = household.members[0], stage.month(stage.spread(3, -4), 1)
    held = Held("DIBAO", month_start(stage.span.first, -24))
    stage.decided(household, head, day, held, Held("DIBAO", day, office=_OTHER_OFFICE))
    days = int(stage.lines.page["duplicate_conflict"]["overlap_days"])
    stage.expect(household, head, DOUBLE, "{person}/DIBAO", day + timedelta(days=days))


@scenario("一个月里两个镇各批了临时救助", rule=DOUBLE)
def two_places(stage: Stage) -> None:
    household = stage.family(("HEAD", 57, False), ("SPOUSE", 56, False))
    head, spouse = household.members
    offset = stage.spread(3, -3)
    days = (stage.month(offset, 7), stage.month(offset, 19))
    for person, day, town in ((head, days[0], household.town), (spouse, days[1], _next_town(stage, household))):
        stage.send(records.temp_aid(person.identity, f"LS{stage.serial()}", day, town), day)
    stands = int(stage.lines.page["duplicate_conflict"]["stands_months"])
    stage.expect_stretch(household, head, DOUBLE, "household/temp_aid", days[1], stage.span.month(offset + stands))
    stage.expect_stretch(household, head, SEEKING, AIDED, days[1], years_after(days[0], 1))


def _next_town(stage: Stage, household: Household) -> str:
    number = int(household.town[6:9]) % stage.lines.towns + 1
    return f"{household.town[:6]}{number:03d}000"


@scenario("由低保转特困，转换的那个月两边都有", look_alike=True, rule=DOUBLE)
def changing(stage: Stage) -> None:
    household = stage.family(("HEAD", 69, False), scheme="DIBAO")
    head, offset = household.members[0], stage.spread(3, -4)
    day, since = stage.month(offset, 10), month_start(stage.span.first, -24)
    _paid(stage, head, "DIBAO", 0, offset + 1)
    _paid(stage, head, "TEKUN", offset, stage.span.months)
    stage.decided(household, head, day, Held("DIBAO", since, day), Held("TEKUN", day))
