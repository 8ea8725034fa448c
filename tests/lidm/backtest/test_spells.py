"""Days in force inside a window, and how two outcomes differ by them."""

from datetime import date

import pytest

from households.state import Episode
from lidm.backtest.spells import Outcome, Spell, days, monday, outcomes, spells

FIRST, LAST = 100, 130


def episode(opened: int, ended: int | None = None) -> Episode:
    state = None if ended is None else "lapsed"
    return Episode("X", "c", "a", 0, opened, opened, opened, 2, 1, 1, "", False, False, state, ended)


@pytest.mark.parametrize(
    ("opened", "ended", "days_in_force"),
    [
        (90, None, range(100, 131)),
        (90, 95, range(0)),
        (90, 100, range(0)),
        (90, 101, range(100, 101)),
        (110, 120, range(110, 120)),
        (110, 110, range(0)),
        (130, None, range(130, 131)),
        (131, None, range(0)),
        (90, 200, range(100, 131)),
    ],
)
def test_a_day_counts_by_its_end(opened: int, ended: int | None, days_in_force: range) -> None:
    assert days(spells([episode(opened, ended)], FIRST, LAST), FIRST) == set(days_in_force)


def test_several_causes_are_one_stretch_of_days() -> None:
    found = [Spell("X", 90, 100, 110), Spell("X", 105, 105, 120)]
    assert days(found, 103) == set(range(103, 120))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((), (), ()),
        ((), (5,), ("gained",)),
        ((5,), (), ("lost",)),
        ((5, 6), (5, 6), ()),
        ((5,), (5, 6), ("longer",)),
        ((5, 6), (5,), ("shorter",)),
        ((5, 6), (6, 7), ("longer", "shorter")),
    ],
)
def test_how_two_outcomes_differ(before: tuple[int, ...], after: tuple[int, ...], said: tuple[Outcome, ...]) -> None:
    assert outcomes(set(before), set(after)) == said


def test_weeks_begin_on_monday() -> None:
    for day in range(date(2026, 6, 1).toordinal(), date(2026, 6, 22).toordinal()):
        begins = date.fromordinal(monday(day))
        assert begins.weekday() == 0
        assert 0 <= day - begins.toordinal() < 7
