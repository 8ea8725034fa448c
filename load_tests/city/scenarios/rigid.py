"""RIGID-RATIO: treatment plus living at the standard takes too much of what civil affairs assessed as income."""

from datetime import date

from load_tests.city import rows
from load_tests.city.calendar import years_after
from load_tests.city.households import Household
from load_tests.city.scenarios.stage import Stage, scenario_book

DETECTOR = "RIGID-RATIO"
HOUSEHOLD = "household"
SCENARIOS, scenario = scenario_book(DETECTOR)

_BEFORE_PERCENT = 55  # of income: living and the first bill
_BURDEN = 12 * 2  # twelve months, two members


def _tight(stage: Stage, month: int, scheme: str = "OTHER") -> tuple[Household, date, int]:
    """A couple whose second bill lifts rigid spending from 55 % of income to over the line; bills stay under theirs."""
    line = stage.lines.medical_fen(scheme)
    first, second = line * 30 // 100, line * 52 // 100
    living = stage.lines.standard_fen() * _BURDEN
    income = (living + first * 11 // 10) * 100 // _BEFORE_PERCENT // 12
    household = stage.family(("HEAD", 66, False), ("SPOUSE", 63, False), scheme=scheme, income_fen=income)
    head, spouse = household.members
    stage.bill(head, stage.month(month, 4), first)
    day = stage.month(month + 1, 11)
    stage.bill(spouse, day, second)
    return household, day, second


@scenario("医疗与生活支出占收入过高")
def over_ratio(stage: Stage) -> None:
    household, day, _ = _tight(stage, stage.spread(3, -3))
    stage.expect_stretch(household, household.members[0], DETECTOR, HOUSEHOLD, day, years_after(day, 1))


@scenario("占比过高，后来报销一大半", look_alike=True)
def reimbursed(stage: Stage) -> None:
    month = stage.spread(3, -4)
    household, day, fen = _tight(stage, month)
    settle_no = str(stage.script.sendings[-1].row.values["settle_no"])
    paid_back = stage.month(month + 2, 9)
    spouse = household.members[1]
    stage.send(rows.refund(spouse.identity, f"H{stage.serial()}", settle_no, paid_back, fen * 9 // 10), paid_back)
    stage.expect(household, household.members[0], DETECTOR, HOUSEHOLD, day, "withdrawn")


@scenario("高收入家庭的大额支出", look_alike=True)
def well_off(stage: Stage) -> None:
    month = stage.spread(3, -3)
    line = stage.lines.medical_fen("OTHER")
    income = stage.calm_income_fen(2, line * 9 // 10)
    household = stage.family(("HEAD", 60, False), ("SPOUSE", 58, False), scheme="OTHER", income_fen=income)
    stage.bill(household.members[0], stage.month(month, 9), line * 45 // 100)
    stage.bill(household.members[1], stage.month(month + 1, 9), line * 45 // 100)


@scenario("占比过高，但全家已经享受低保", look_alike=True)
def answered(stage: Stage) -> None:
    _tight(stage, stage.spread(3, -3), stage.lines.page["rigid_ratio"]["answered"][1])
