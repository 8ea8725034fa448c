"""MED-SELFPAY: what was paid for treatment passes the line of a person or of the household, and what only looks so."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from load_tests.city import rows
from load_tests.city.calendar import years_after
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "MED-SELFPAY"
HOUSEHOLD = "household"
_SCHEMES = ("DIBAO", "DIBIAN", "OTHER", "GANGXING", "FANGPIN", "TEKUN")
SCENARIOS, scenario = scenario_book(DETECTOR)

Paid = tuple[Person, date, int]


def expect_selfpay(stage: Stage, household: Household, paid: Iterable[Paid]) -> None:
    """Writes down every episode that follows from what was finally paid, per subject and window."""
    bills = sorted(paid, key=lambda item: item[1])
    page = stage.lines.page["medical_selfpay"]
    line = stage.lines.medical_fen(household.scheme)
    subjects: list[tuple[str, Person, Sequence[tuple[date, int]]]] = []
    if "person" in page["subjects"]:
        for person in household.members:
            subjects.append(("{person}", person, [(day, fen) for who, day, fen in bills if who is person]))
    if "household" in page["subjects"]:
        subjects.append((HOUSEHOLD, household.members[0], [(day, fen) for _, day, fen in bills]))
    for name, person, payments in subjects:
        if "medical_year" in page["windows"]:
            _expect_year(stage, household, person, f"{name}/medical_year", payments, line)
        if "rolling_12m" in page["windows"]:
            _expect_rolling(stage, household, person, f"{name}/rolling_12m", payments, line)


def stretches(payments: Iterable[tuple[date, int]], line: int, last: date) -> list[tuple[date, date | None]]:
    """The unbroken stretches of days up to `last` on which twelve months of payments are above the line.

    (first day, day after); the day after is None for a stretch that still lasts. A payment of 6 March counts until
    5 March of the next year.
    """
    changes: dict[date, int] = {}
    for day, fen in payments:
        for when, amount in ((day, fen), (years_after(day, 1), -fen)):
            if when <= last:
                changes[when] = changes.get(when, 0) + amount
    return _above(changes, line)


def _above(changes: dict[date, int], line: int) -> list[tuple[date, date | None]]:
    found: list[tuple[date, date | None]] = []
    total, since = 0, None
    for day in sorted(changes):
        total += changes[day]
        if since is None and total > line:
            since = day
        elif since is not None and total <= line:
            found.append((since, day))
            since = None
    return [*found, (since, None)] if since is not None else found


def _expect_year(
    stage: Stage, household: Household, person: Person, cause: str, payments: Sequence[tuple[date, int]], line: int
) -> None:
    for year in sorted({day.year for day, _ in payments}):
        changes: dict[date, int] = {}
        for day, fen in payments:
            if day.year == year:
                changes[day] = changes.get(day, 0) + fen
        turn = date(year + 1, 1, 1)
        for since, _ in _above(changes, line):
            stage.expect_stretch(household, person, DETECTOR, cause, since, turn)


def _expect_rolling(
    stage: Stage, household: Household, person: Person, cause: str, payments: Sequence[tuple[date, int]], line: int
) -> None:
    for since, after in stretches(payments, line, stage.span.last_tick):
        stage.expect_stretch(household, person, DETECTOR, cause, since, after)


def _family(stage: Stage, multiple: float = 1.2) -> Household:
    """A retired couple with a scheme that changes with the variant, rich enough not to pass the rigid ratio."""
    scheme = _SCHEMES[stage.variant % len(_SCHEMES)]
    people = (("HEAD", 66, False),) if scheme == "TEKUN" else (("HEAD", 66, False), ("SPOUSE", 64, False))
    line = stage.lines.medical_fen(scheme)
    income = stage.calm_income_fen(len(people), int(line * multiple))
    return stage.family(*people, scheme=scheme, income_fen=income)


def _over_line(stage: Stage, household: Household, month: int, multiple: float = 1.2) -> list[Paid]:
    """Three bills of the head, the third passes the line on the 12th of the second month; sent punctually."""
    head, line = household.members[0], stage.lines.medical_fen(household.scheme)
    plan = ((stage.month(month, 6), 0.45), (stage.month(month, 24), 0.35), (stage.month(month + 1, 12), multiple - 0.8))
    paid = [(head, day, int(line * share)) for day, share in plan]
    for person, day, fen in paid:
        stage.bill(person, day, fen)
    return paid


@scenario("自付超过预警线")
def over_line(stage: Stage) -> None:
    multiple = (1.2, 1.5, 2.2, 3.2)[stage.variant % 4]
    household = _family(stage, multiple)
    expect_selfpay(stage, household, _over_line(stage, household, stage.spread(3, -3), multiple))


@scenario("上线前已超线，作为存量", months=7)
def before_golive(stage: Stage) -> None:
    household = _family(stage)
    expect_selfpay(stage, household, _over_line(stage, household, 0))


@scenario("两名成员合计与分别超线")
def two_members(stage: Stage) -> None:
    household = stage.family(("HEAD", 61, False), ("SPOUSE", 60, False), scheme="DIBAO",
                             income_fen=stage.calm_income_fen(2, 2_000_000))  # fmt: skip
    line, month = stage.lines.medical_fen("DIBAO"), stage.spread(3, -3)
    head, spouse = household.members
    paid = [
        (head, stage.month(month, 5), line * 11 // 10),
        (spouse, stage.month(month, 20), line * 6 // 10),
        (spouse, stage.month(month + 1, 9), line * 7 // 10),
    ]
    for person, day, fen in paid:
        stage.bill(person, day, fen)
    expect_selfpay(stage, household, paid)


@scenario("只有全家合计超线")
def household_only(stage: Stage) -> None:
    household = stage.family(("HEAD", 63, False), ("SPOUSE", 62, False), scheme="DIBIAN",
                             income_fen=stage.calm_income_fen(2, 2_000_000))  # fmt: skip
    line, month = stage.lines.medical_fen("DIBIAN"), stage.spread(3, -3)
    paid = [(person, stage.month(month, 8 + 9 * n), line * 7 // 10) for n, person in enumerate(household.members)]
    for person, day, fen in paid:
        stage.bill(person, day, fen)
    expect_selfpay(stage, household, paid)


@scenario("证件号码更正过，账单分在两个号码下")
def two_numbers(stage: Stage) -> None:
    household = _family(stage)
    head, line, month = household.members[0], stage.lines.medical_fen(household.scheme), stage.spread(3, -3)
    later = replace(head, identity=stage.another_number(head))
    paid = [(head, stage.month(month, 9), line * 6 // 10), (head, stage.month(month + 1, 9), line * 6 // 10)]
    for person, (_, day, fen) in zip((head, later), paid, strict=True):
        stage.bill(person, day, fen)
    expect_selfpay(stage, household, paid)


@scenario("账单后来冲销", look_alike=True)
def reversed_bill(stage: Stage) -> None:
    household = _family(stage)
    month = stage.spread_in_year(3, -4, 2)
    paid = _over_line(stage, household, month)
    wrong = stage.script.sendings[-1].row
    stage.send(rows.reversed_row(wrong), paid[-1][1], arrives=stage.month(month + 2, 8))
    expect_selfpay_withdrawn(stage, household, paid)


@scenario("冲销先于原单到达", look_alike=True)
def reversal_first(stage: Stage) -> None:
    household = _family(stage)
    month = stage.spread_in_year(3, -4, 2)
    paid = _over_line(stage, household, month)
    late = stage.script.sendings.pop()
    original = late.row._replace(recorded=stage.moment(paid[-1][1]))
    stage.send(rows.reversed_row(late.row), paid[-1][1], arrives=paid[-1][1] + timedelta(days=3))
    stage.send(original, paid[-1][1], arrives=paid[-1][1] + timedelta(days=20))
    expect_selfpay(stage, household, paid[:-1])


@scenario("后来由惠民保报销", look_alike=True)
def later_reimbursement(stage: Stage) -> None:
    household = _family(stage)
    month = stage.spread_in_year(3, -4, 2)
    paid = _over_line(stage, household, month)
    head, _, fen = paid[-1]
    settle_no = str(stage.script.sendings[-1].row.values["settle_no"])
    day = stage.month(month + 2, 10)
    stage.send(rows.refund(head.identity, f"H{stage.serial()}", settle_no, day, fen * 4 // 5), day)
    expect_selfpay_withdrawn(stage, household, paid)


@scenario("同一账单从医院和医保各来一次", look_alike=True)
def two_systems(stage: Stage) -> None:
    household = _family(stage)
    line, month = stage.lines.medical_fen(household.scheme), stage.spread(3, -3)
    day = stage.month(month, 11)
    row = stage.bill(household.members[0], day, line * 58 // 100)
    stage.send(row, day, arrives=day + timedelta(days=2), system="hospital")


@scenario("接近但没有超线", look_alike=True)
def just_under(stage: Stage) -> None:
    household = _family(stage, 1.0)
    line, month = stage.lines.medical_fen(household.scheme), stage.spread(3, -3)
    for share, day in ((60, 7), (38, 19)):
        stage.bill(household.members[0], stage.month(month, day), line * share // 100)


@scenario("更正后金额变小", look_alike=True)
def corrected_bill(stage: Stage) -> None:
    household = _family(stage)
    month = stage.spread_in_year(3, -4, 2)
    paid = _over_line(stage, household, month)
    wrong = stage.script.sendings[-1].row
    smaller = rows.bill(wrong.identity, str(wrong.values["settle_no"]), paid[-1][1], 5_000, "INPATIENT")
    stage.send(rows.corrected(smaller), paid[-1][1], arrives=stage.month(month + 2, 15))
    expect_selfpay_withdrawn(stage, household, paid)


def expect_selfpay_withdrawn(stage: Stage, household: Household, paid: Iterable[Paid]) -> None:
    """Every episode that stood before the department took something back must have ended `withdrawn`."""
    before = len(stage.script.expected)
    expect_selfpay(stage, household, paid)
    stage.end_all(before, "withdrawn")
