"""People move: their facts and open episodes go with them, under the same alert, and come back with them."""

from datetime import date

from load_tests.city.households import Household
from load_tests.city.people import Person
from load_tests.city.scenarios.medical import DETECTOR, HOUSEHOLD
from load_tests.city.scenarios.stage import Stage, scenario_book
from load_tests.city.truth import End

SCENARIOS, scenario = scenario_book(DETECTOR)
_GENEROUS_FEN = 2_500_000


def _two_households(stage: Stage) -> tuple[Household, Household, Person]:
    """A household whose grown-up child will move to another one; both so well off that only MED-SELFPAY is near."""
    income = stage.calm_income_fen(3, _GENEROUS_FEN)
    old = stage.family(("HEAD", 66, False), ("CHILD", 38, False), scheme="DIBAO", income_fen=income)
    new = stage.family(("HEAD", 62, False), scheme="DIBAO", income_fen=income)
    return old, new, old.members[1]


def _over_line(stage: Stage, child: Person, offset: int) -> date:
    day = stage.month(offset, 9)
    stage.bill(child, day, stage.lines.medical_fen("DIBAO") * 13 // 10)
    return day


@scenario("迁到另一户，没有预警", look_alike=True)
def quiet_move(stage: Stage) -> None:
    old, new, child = _two_households(stage)
    offset = stage.spread(3, -4)
    for month in (offset - 1, offset + 1):
        stage.bill(child, stage.month(month, 6), stage.lines.medical_fen("DIBAO") // 10)
    stage.moves(child, old, new, stage.month(offset, 10))


@scenario("带着预警迁到另一户")
def moves_with_episode(stage: Stage) -> None:
    old, new, child = _two_households(stage)
    offset = stage.spread_in_year(3, -5, 2)
    since = _over_line(stage, child, offset)
    stage.moves(child, old, new, stage.month(offset + 1, 10))
    _left(stage, old, child, since)
    _lives_here(stage, new, child, since)


@scenario("带着预警迁走又迁回", months=9)
def moves_back(stage: Stage) -> None:
    old, new, child = _two_households(stage)
    offset = stage.spread_in_year(3, -6, 4)
    since = _over_line(stage, child, offset)
    stage.moves(child, old, new, stage.month(offset + 1, 10))
    stage.moves(child, new, old, stage.month(offset + 3, 4), "CHILD")
    _left(stage, new, child, since)
    _lives_here(stage, old, child, since)


def _causes(stage: Stage) -> list[tuple[str, str]]:
    page = stage.lines.page["medical_selfpay"]
    subjects = [("{person}", "person"), (HOUSEHOLD, HOUSEHOLD)]
    return [(subject, window) for subject, kind in subjects if kind in page["subjects"] for window in page["windows"]]


def _left(stage: Stage, household: Household, child: Person, since: date) -> None:
    """The child's own episodes moved on; the household's sum fell when the child left."""
    for subject, window in _causes(stage):
        ends: End = "ended" if subject == HOUSEHOLD else "moved"
        stage.expect(household, child, DETECTOR, f"{subject}/{window}", since, ends)


def _lives_here(stage: Stage, household: Household, child: Person, since: date) -> None:
    """The child's bill counts where the child lives; the calendar year ends as everywhere."""
    for subject, window in _causes(stage):
        turn = date(since.year + 1, 1, 1) if window == "medical_year" else None
        stage.expect_stretch(household, child, DETECTOR, f"{subject}/{window}", since, turn)
