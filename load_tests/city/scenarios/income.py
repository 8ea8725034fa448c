"""INCOME-LINE and INCOME-RISE: what a family earns a head stays below a line of its help, or above it."""

from datetime import date

from load_tests.city import records, rows
from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.stage import Stage, scenario_book
from load_tests.city.truth import End

LOW, RISE = "INCOME-LINE", "INCOME-RISE"
HOUSEHOLD = "household"
SCENARIOS, scenario = scenario_book(LOW)
_WINDOW = 12
"""Months of the window where low income is ever certain."""
_OFFERED, _OWN = 200, 100
"""The highest line somebody without help is asked about, and the line of 低保; percent of L a head."""


def _earner(stage: Stage, scheme: str = "OTHER") -> tuple[Household, Person]:
    household = stage.family(("HEAD", 44, True), ("SPOUSE", 43, False), ("CHILD", 12, False), scheme=scheme)
    return household, household.members[0]


def _base(stage: Stage, household: Household, percent: int) -> int:
    """The base at which the only worker brings the family so many percent of the first L a head, net of costs."""
    each = stage.lines.standard_fen(stage.span.first) * percent // 100
    return each * len(household.members) + int(stage.lines.income(household.town)["job_cost"])


def _of_highest(stage: Stage, percent: int) -> int:
    """Percent of the highest L the simulated time sees, as percent of its first."""
    return percent * stage.lines.standard_fen() // stage.lines.standard_fen(stage.span.first)


def _expect_low(stage: Stage, household: Household, since: date, ends: End = "in_force") -> None:
    """Where a month without any record is unknown, a family with a silent member is never surely below a line."""
    if stage.lines.income(household.town)["silent_month"] != "unknown":
        since = by_standard(stage, since) if ends == "in_force" else since
        stage.expect(household, household.members[0], LOW, HOUSEHOLD, since, ends)


def by_standard(stage: Stage, since: date) -> date:
    """What is below the standard of today is so since that standard holds, at the earliest."""
    return max(since, stage.lines.standard_since(stage.span.last_tick))


def _earns(stage: Stage, household: Household, percent: int, first: int = 0, after: int | None = None) -> None:
    base = _base(stage, household, percent)
    stage.works(household.members[0], first, stage.span.months if after is None else after, base_fen=base)


def _first_window(stage: Stage) -> date:
    """Two windows of twelve known months are over."""
    evaluations = int(stage.lines.page["income_line"]["evaluations"])
    return stage.span.month(_WINDOW + evaluations - 1)


@scenario("收入一直不高，连续两次核算低于线", months=14)
def low(stage: Stage) -> None:
    household, _ = _earner(stage)
    _earns(stage, household, (140, 180, 90)[stage.variant % 3])
    _expect_low(stage, household, _first_window(stage))


@scenario("工资减少，一年平均慢慢低于线", months=14)
def falls(stage: Stage) -> None:
    household, _ = _earner(stage)
    before, now, cut = 260, 80, stage.spread(3, -6)
    _earns(stage, household, before, after=cut)
    _earns(stage, household, now, first=cut)
    months = next(n for n in range(_WINDOW + 1) if before * (_WINDOW - n) + now * n < _OFFERED * _WINDOW)
    _expect_low(stage, household, max(_first_window(stage), stage.span.month(cut + months + 1)))


@scenario("缴费基数报少，后来更正", look_alike=True, months=14)
def told_too_low(stage: Stage) -> None:
    household, _ = _earner(stage)
    _earns(stage, household, 260, after=5)
    first = len(stage.script.sendings)
    _earns(stage, household, 80, first=5, after=11)
    wrong = [each.row for each in stage.script.sendings[first:]]
    _earns(stage, household, 260, first=11)
    for row in wrong:
        right = rows.corrected(row, base=_base(stage, household, 260))
        stage.send(right, stage.span.month(_WINDOW + 1), arrives=stage.month(_WINDOW + 1, 12))
    _expect_low(stage, household, _first_window(stage), "withdrawn")


@scenario("收入刚好在线上", look_alike=True, months=14)
def just_above(stage: Stage) -> None:
    household, _ = _earner(stage)
    _earns(stage, household, _of_highest(stage, 206))


@scenario("标准提高以后才低于线", months=18)
def below_the_new(stage: Stage) -> None:
    """Only where the standard rises in the simulated time: earns what lies between the lines of both."""
    rises = stage.lines.standard_since(stage.span.last_tick)
    if rises <= _first_window(stage):
        return
    household, _ = _earner(stage)
    old, new = stage.lines.standard_fen(stage.span.first), stage.lines.standard_fen(rises)
    each = (old + new) // 2 * _OFFERED // 100
    base = each * len(household.members) + int(stage.lines.income(household.town)["job_cost"])
    stage.works(household.members[0], 0, stage.span.months, base_fen=base)
    _expect_low(stage, household, rises)


@scenario("收入够，只有一个月晚报", look_alike=True, months=14)
def one_month_late(stage: Stage) -> None:
    household, head = _earner(stage)
    percent = _of_highest(stage, 215)
    _earns(stage, household, percent, after=_WINDOW)
    month = stage.span.month(_WINDOW)
    row = rows.contribution(head.identity, month, head.workplace, _base(stage, household, percent))
    stage.send(row, month, arrives=stage.span.month(_WINDOW + 1).replace(day=12))
    _earns(stage, household, percent, first=_WINDOW + 1)


@scenario("灵活就业，收入不明", look_alike=True, months=14)
def flexible(stage: Stage) -> None:
    household, _ = _earner(stage)
    _earns(stage, household, 60)
    stage.known(rows.employment(household.members[1].identity, "FLEXIBLE", stage.span.first))


@scenario("收入很低，但已经享受低保", look_alike=True, months=14)
def answered(stage: Stage) -> None:
    household, _ = _earner(stage, "DIBAO")
    _earns(stage, household, 40)


@scenario("低保家庭就业，人均收入连续超过线", months=14, rule=RISE)
def found_work(stage: Stage) -> None:
    household, head = _earner(stage, "DIBAO")
    percent, begins = 300, stage.spread(3, -8)
    _earns(stage, household, percent, first=begins)
    window = int(stage.lines.income(household.town)["window_months"])
    reached = next(n for n in range(1, window + 1) if percent * n > _OWN * window)
    since = begins + reached + int(stage.lines.page["income_rise"]["months"]) - 1
    stage.expect(household, head, RISE, HOUSEHOLD, by_standard(stage, stage.span.month(since)))


@scenario("养老金一次补发很多", look_alike=True, months=14, rule=RISE)
def lump(stage: Stage) -> None:
    household = stage.family(("HEAD", 66, False), ("SPOUSE", 65, False), scheme="DIBAO")
    head, level, back = household.members[0], stage.lines.standard_fen(stage.span.first), stage.spread(3, -5)
    for offset, month in enumerate(stage.months(0, stage.span.months)):
        fen = level if offset != back else level * 30
        stage.send(records.pension(head.identity, month, fen), month)


@scenario("扣除就业成本以后没有超过线", look_alike=True, months=14, rule=RISE)
def work_costs(stage: Stage) -> None:
    household = stage.family(("HEAD", 44, True), scheme="DIBAO")
    _earns(stage, household, 95)


@scenario("没有救助身份的家庭收入上升", look_alike=True, months=14, rule=RISE)
def no_help(stage: Stage) -> None:
    household, _ = _earner(stage)
    _earns(stage, household, 260, after=6)
    _earns(stage, household, 600, first=6)
