"""UTILITY-ARREARS and SAFETY-SILENCE: bills of the home stay open; another system's alarm is open."""

from datetime import date, timedelta

from load_tests.city import records, rows
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.rows import Row
from load_tests.city.scenarios.stage import Stage, scenario_book

ARREARS, SAFETY = "UTILITY-ARREARS", "SAFETY-SILENCE"
HOUSEHOLD = "household"
SCENARIOS, scenario = scenario_book(ARREARS)
_FEN = 8_600


def home(stage: Stage) -> tuple[Household, Person]:
    """A couple with an electricity account in the head's name."""
    household = stage.family(("HEAD", 63, False), ("SPOUSE", 62, False))
    return household, household.members[0]


def bill(
    stage: Stage, person: Person, offset: int, fen: int = _FEN, *, account: str = "D1", lives_there: bool = True
) -> Row:
    """An unpaid bill of a month, due on the 20th of the next; sent punctually."""
    month = stage.span.month(offset)
    row = records.power(
        person.identity, f"{account}-{stage.script.households[0].number:07d}", month, fen, 0,
        stage.span.month(offset + 1).replace(day=20), lives_there=lives_there,
    )  # fmt: skip
    return stage.send(row, month)


def expect_arrears(stage: Stage, household: Household, first: int, since: date) -> None:
    """Until the first of the bills is no longer looked back to."""
    looks_back = int(stage.lines.page["utility_arrears"]["looks_back_months"])
    stage.expect_stretch(
        household, household.members[0], ARREARS, HOUSEHOLD, since, stage.span.month(first + looks_back)
    )


def overdue(stage: Stage, offset: int) -> date:
    """The first day on which the bill of a month is late."""
    return stage.span.month(offset + 1).replace(day=21)


@scenario("电费两个账期没有缴")
def unpaid(stage: Stage) -> None:
    household, head = home(stage)
    first = stage.spread(3, -5)
    for offset in (first, first + 1):
        bill(stage, head, offset)
    expect_arrears(stage, household, first, overdue(stage, first + 1))


@scenario("收到停供通知")
def noticed(stage: Stage) -> None:
    household, head = home(stage)
    first = stage.spread(3, -5)
    day = stage.span.month(first + 1).replace(day=25)
    row = bill(stage, head, first)
    stage.send(rows.corrected(row, notice_on=day), stage.span.month(first), arrives=stage.month(first + 2, 8))
    expect_arrears(stage, household, first, day)


@scenario("电费晚缴，后来都缴清", look_alike=True)
def paid_up(stage: Stage) -> None:
    household, head = home(stage)
    first = stage.spread(3, -6)
    for row in [bill(stage, head, offset) for offset in (first, first + 1)]:
        stage.send(rows.corrected(row, paid=_FEN), stage.span.month(first), arrives=stage.month(first + 4, 8))
    before = len(stage.script.expected)
    expect_arrears(stage, household, first, overdue(stage, first + 1))
    stage.end_all(before, "withdrawn")


@scenario("欠费的房子租给别人住", look_alike=True)
def let(stage: Stage) -> None:
    _, head = home(stage)
    first = stage.spread(3, -5)
    for offset in (first, first + 1):
        bill(stage, head, offset, lives_there=False)


@scenario("两个户号各欠一个账期", look_alike=True)
def two_accounts(stage: Stage) -> None:
    _, head = home(stage)
    first = stage.spread(3, -5)
    bill(stage, head, first)
    bill(stage, head, first + 1, account="D2")


@scenario("只差几元没有缴", look_alike=True)
def trifle(stage: Stage) -> None:
    _, head = home(stage)
    first = stage.spread(3, -5)
    for offset in (first, first + 1):
        bill(stage, head, offset, 600)


@scenario("用电骤降，没有欠费", look_alike=True, months=14)
def away(stage: Stage) -> None:
    _, head = home(stage)
    for offset in range(stage.span.months):
        month, last = stage.span.month(offset), stage.span.month(offset + 1) - timedelta(days=1)
        quantity = 12 if offset >= stage.span.months - 2 else 160
        stage.send(records.used(head.identity, f"B{household_number(stage)}", month, quantity, last), month)


def household_number(stage: Stage) -> str:
    """A number for a meter, unique in the city."""
    return f"{stage.script.households[0].number:07d}"


def _alarm(stage: Stage, person: Person, day: date, sort: str, outcome: str) -> Row:
    return stage.send(records.alarm(person.identity, f"AJ{stage.serial()}", day, sort, outcome), day)


def _alone(stage: Stage) -> tuple[Household, Person]:
    household = stage.family(("HEAD", 82, False))
    return household, household.members[0]


@scenario("独居老人长时间没有动静，没有处置结果", rule=SAFETY)
def silence(stage: Stage) -> None:
    household, head = _alone(stage)
    day = stage.midweek(stage.spread(3, -2))
    _alarm(stage, head, day, "SILENCE", "OPEN")
    days = int(stage.lines.page["safety_silence"]["stands_days"])
    stage.expect_stretch(household, head, SAFETY, "{person}", day, day + timedelta(days=days))


@scenario("跌倒报警后送医", rule=SAFETY)
def fell(stage: Stage) -> None:
    household, head = _alone(stage)
    day = stage.midweek(stage.spread(3, -2))
    _alarm(stage, head, day, "FALL", "HOSPITAL")
    days = int(stage.lines.page["safety_silence"]["follow_days"])
    stage.expect_stretch(household, head, SAFETY, "{person}", day, day + timedelta(days=days))


@scenario("两天都没有人接电话", rule=SAFETY)
def no_answer(stage: Stage) -> None:
    household, head = _alone(stage)
    first = stage.midweek(stage.spread(3, -2))
    second = first + timedelta(days=1)
    for day in (first, second):
        _alarm(stage, head, day, "NO_ANSWER", "OPEN")
    days = int(stage.lines.page["safety_silence"]["stands_days"])
    stage.expect_stretch(household, head, SAFETY, "{person}", second, second + timedelta(days=days))


@scenario("有一次没有接电话", look_alike=True, rule=SAFETY)
def one_call(stage: Stage) -> None:
    _, head = _alone(stage)
    _alarm(stage, head, stage.midweek(stage.spread(3, -2)), "NO_ANSWER", "OPEN")


@scenario("设备离线，人外出", look_alike=True, rule=SAFETY)
def offline(stage: Stage) -> None:
    _, head = _alone(stage)
    day = stage.midweek(stage.spread(3, -3))
    _alarm(stage, head, day, "OFFLINE", "OPEN")
    _alarm(stage, head, day + timedelta(days=14), "SILENCE", "AWAY")


@scenario("报警后查明是设备故障", look_alike=True, rule=SAFETY)
def device(stage: Stage) -> None:
    household, head = _alone(stage)
    day = stage.midweek(stage.spread(3, -3))
    row = _alarm(stage, head, day, "SOS", "OPEN")
    stage.send(rows.corrected(row, outcome="DEVICE"), day, arrives=day + timedelta(days=5))
    stage.expect(household, head, SAFETY, "{person}", day, "withdrawn")
