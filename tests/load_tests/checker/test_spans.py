"""Stretches of days, half-open: cut, intersected, joined."""

from datetime import date

import polars as pl

from load_tests.checker.known import a_year_later
from load_tests.checker.spans import both, unbroken, without


def spans(*told: tuple[int, int | None]) -> pl.DataFrame:
    """Stretches of somebody in January 2025, by day of the month."""
    rows = [("a", date(2025, 1, first), None if after is None else date(2025, 1, after)) for first, after in told]
    return pl.DataFrame(rows, schema={"who": pl.String, "since": pl.Date, "until": pl.Date}, orient="row")


def days(frame: pl.DataFrame) -> list[tuple[int, int]]:
    """What is left, by day of the month."""
    return sorted((row["since"].day, row["until"].day) for row in frame.iter_rows(named=True))


def test_days_of_both() -> None:
    assert days(both(spans((1, 10)), spans((5, None), (2, 3)), ["who"])) == [(2, 3), (5, 10)]


def test_a_middle_part_is_cut_out() -> None:
    assert days(without(spans((1, 10)), spans((4, 6)), ["who"])) == [(1, 4), (6, 10)]
    assert days(without(spans((1, 10)), spans((1, 31)), ["who"])) == []


def test_stretches_that_touch_are_one_and_a_day_between_breaks_them() -> None:
    touching, apart = spans((1, 5), (5, 9)), spans((1, 4), (5, 9))
    assert unbroken(touching, ["who"], date(2025, 1, 6))["since"].to_list() == [date(2025, 1, 1)]
    assert unbroken(apart, ["who"], date(2025, 1, 6))["since"].to_list() == [date(2025, 1, 5)]
    assert unbroken(apart, ["who"], date(2025, 1, 9)).is_empty()


def test_a_rolling_year_of_a_leap_day() -> None:
    told = pl.DataFrame({"day": [date(2024, 2, 29), date(2023, 2, 28), date(2025, 3, 6)]})
    over = told.select(a_year_later(pl.col("day")))["day"].to_list()
    assert over == [date(2025, 3, 1), date(2024, 2, 28), date(2026, 3, 6)]
