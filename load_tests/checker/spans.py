"""Stretches of days, half-open, as frames of (names…, since, until): cut, intersected, joined; null means for ever."""

from datetime import date

import polars as pl

FOR_EVER = date(9999, 1, 1)
_EDGES = ["since", "until"]


def both(some: pl.DataFrame, other: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Days in stretches of both, of the same names; other columns of either stay."""
    met = _ended(some).join(_ended(other), on=names)
    met = met.with_columns(
        pl.max_horizontal("since", "since_right").alias("since"),
        pl.min_horizontal("until", "until_right").alias("until"),
    )
    return met.drop("since_right", "until_right").filter(pl.col("since") < pl.col("until"))


def without(some: pl.DataFrame, other: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """(names, since, until): days in stretches of one and in none of the other, in as many pieces as that takes."""
    columns = [*names, *_EDGES]
    some, other = _ended(some).select(columns), _ended(other).select(columns)
    edges = [each.select(*names, pl.col(edge).alias("since")) for each in (some, other) for edge in _EDGES]
    grid = pl.concat(edges).unique().sort("since").with_columns(
        pl.col("since").shift(-1).over(names, order_by="since").alias("until")
    ).drop_nulls("until")  # fmt: skip
    kept = _covered(grid, some, names)
    return kept.join(_covered(kept, other, names), on=columns, how="anti")


def unbroken(spans: pl.DataFrame, names: list[str], on: date) -> pl.DataFrame:
    """(names, since): the unbroken stretch of days `on` lies in, of stretches that may touch or overlap."""
    spans = _ended(spans).select(*names, *_EDGES).filter(pl.col("since") < pl.col("until")).sort("since")
    before = pl.col("until").cum_max().shift(1).over(names, order_by="since")
    begins = before.is_null() | (before < pl.col("since"))
    spans = spans.with_columns(begins.alias("begins")).with_columns(
        pl.col("begins").cum_sum().over(names, order_by="since").alias("part")
    )
    parts = spans.group_by(*names, "part").agg(pl.col("since").min(), pl.col("until").max())
    return parts.filter((pl.col("since") <= on) & (pl.col("until") > on)).select(*names, "since")


def _ended(spans: pl.DataFrame) -> pl.DataFrame:
    return spans.with_columns(pl.col("until").fill_null(FOR_EVER))


def _covered(grid: pl.DataFrame, spans: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The pieces of a grid that lie in some stretch."""
    met = grid.join(spans.rename({"since": "from", "until": "to"}), on=names)
    return (
        met.filter((pl.col("from") <= pl.col("since")) & (pl.col("since") < pl.col("to"))).select(grid.columns).unique()
    )
