"""Income of a home per head and month: what each kind of record tells, and which months nobody knows."""

from datetime import date, timedelta
from typing import Any

import polars as pl

from load_tests.checker.known import Known
from load_tests.checker.values import fen

BEFORE = date(2023, 12, 1)
"""First month looked at: a year before the first that can be evaluated."""


def latest(known: Known, counting: dict[str, Any]) -> list[date]:
    """The months that can be evaluated: up to the newest that every feed asked for has closed."""
    closed = [set(known.raw.closed_months(feed, known.week)) for feed in counting["closes"]]
    whole = sorted(set.intersection(*closed))
    return _months(BEFORE, whole[-1]) if whole else []


def _months(first: date, last: date) -> list[date]:
    found_months = [first]
    while found_months[-1] < last:
        found_months.append((found_months[-1] + timedelta(days=32)).replace(day=1))
    return found_months


def heads(known: Known, counting: dict[str, Any], people: pl.DataFrame, months: list[date]) -> pl.DataFrame:
    """(home, month, per_head): income per head and month of the window ending there, where all of it is known."""
    window = counting["window_months"]
    taxed, unauthorised = _taxed(known, people)
    alone = people.select("person", "born").unique("person")
    grid = alone.join(pl.DataFrame({"month": months}), how="cross")
    grid = _monthly(known, counting, grid, taxed)
    grid = _unknown(known, counting, grid, unauthorised).sort("person", "month")
    number = pl.col("month").dt.year() * 12 + pl.col("month").dt.month()
    grid = grid.with_columns(
        number.alias("number"),
        pl.col("fen").rolling_sum(window).over("person", order_by="month"),
        pl.col("unknown").cast(pl.Int32).rolling_sum(window).over("person", order_by="month"),
        pl.col("told").cast(pl.Int32).rolling_sum(window).over("person", order_by="month"),
    ).drop_nulls("fen")  # fmt: skip
    sums = _sums(grid.select("person", "number"), taxed, window, counting)
    grid = grid.join(sums, on=["person", "number"], how="left").with_columns(
        pl.col("taxed", "split", "reported").fill_null(0)
    )
    homes = people.select("home", "person").join(grid, on="person").group_by("home", "month").agg(
        (pl.col("fen") + pl.col("taxed")).sum().alias("fen"),
        (pl.col("unknown") + pl.col("split")).sum().alias("unknown"),
        (pl.col("told") + pl.col("reported")).sum().alias("told"), pl.len().alias("heads"),
    )  # fmt: skip
    known_all = homes.filter((pl.col("unknown") == 0) & (pl.col("told") > 0))
    return known_all.with_columns((pl.col("fen") / pl.col("heads") / window).alias("per_head"))


def _taxed(known: Known, people: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Authorised sums of taxed income with first and last month as numbers; months of those nobody may look at."""
    allowed = known.facts("civil.authorisation").filter(
        pl.col("scope").is_in(["TAX", "MEANS"]) & (pl.col("signed_on") <= known.on)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > known.on))
        & (pl.col("withdrawn_on").is_null() | (pl.col("withdrawn_on") > known.on))
    ).select("person").unique()  # fmt: skip
    told = (
        known.facts("tax.income")
        .join(people.select("person"), on="person", how="semi")
        .with_columns(
            (pl.col(name).dt.year() * 12 + pl.col(name).dt.month()).alias(number)
            for name, number in (("month_from", "low"), ("month_to", "high"))
        )
    )
    hidden = told.join(allowed, on="person", how="anti")
    return told.join(allowed, on="person", how="semi"), _each_month(hidden)


def _each_month(spans: pl.DataFrame) -> pl.DataFrame:
    """(person, month) of every month of these sums."""
    months = pl.date_ranges("month_from", "month_to", interval="1mo").alias("month")
    return spans.select("person", months).explode("month").unique()


def _monthly(known: Known, counting: dict[str, Any], grid: pl.DataFrame, taxed: pl.DataFrame) -> pl.DataFrame:
    """The grid with `fen` of what is told month by month and `told`; wages by the first kind of record there is."""
    by_tax = _each_month(taxed.filter(pl.col("kind") == "WAGES")).with_columns(pl.lit(True).alias("by_tax"))
    grid = grid.join(by_tax, on=["person", "month"], how="left")
    wages = []
    for feed in counting["wages_by"]:
        if feed != "tax.income":
            told = known.facts(feed).group_by("person", "month").agg(pl.col("base").sum().alias(feed))
            grid = grid.join(told, on=["person", "month"], how="left")
            wages.append(pl.col(feed))
    cost = fen(counting["job_cost_month"])
    wage = pl.when(pl.col("by_tax").is_null()).then(pl.coalesce(wages))
    pensions = known.facts("pension.payment")
    if "RESIDENT_BASIC_PENSION" in counting["excluded"]:
        basic = pl.when(pl.col("scheme") == "RESIDENT").then(pl.col("basic")).otherwise(0)
        pensions = pensions.with_columns(pl.col("amount") - basic)
    pensions = pensions.group_by("person", "month").agg(pl.col("amount").sum().alias("pension"))
    grid = grid.join(pensions, on=["person", "month"], how="left")
    return grid.with_columns(
        (pl.max_horizontal(wage - cost, 0).fill_null(0) + pl.col("pension").fill_null(0)).alias("fen"),
        (pl.coalesce(wages).is_not_null() | pl.col("pension").is_not_null()).alias("told"),
    )


def _unknown(known: Known, counting: dict[str, Any], grid: pl.DataFrame, unauthorised: pl.DataFrame) -> pl.DataFrame:
    """The grid with `unknown`: months of which nobody can say what was earned."""
    hidden = unauthorised.with_columns(pl.lit(True).alias("hidden"))
    seen = _each_month(known.facts("tax.income")).with_columns(pl.lit(True).alias("taxed_then"))
    closed = [set(known.raw.closed_months(feed, known.week)) for feed in counting["closes"]]
    whole = pl.DataFrame({"month": sorted(set.intersection(*closed))}).with_columns(pl.lit(True).alias("closed"))
    grid = grid.join(hidden, on=["person", "month"], how="left").join(whole, on="month", how="left")
    grid = grid.join(seen, on=["person", "month"], how="left")
    grid = grid.join(_spell_months(known, counting["untold"]), on=["person", "month"], how="left")
    nothing = ~pl.col("told") & pl.col("taxed_then").is_null()
    earns = known.age("born", pl.col("month")) >= counting["earns_from"]
    silent = pl.col("closed").is_null() | pl.lit(counting["silent_month"] == "unknown") | pl.col("untold").is_not_null()
    return grid.with_columns(
        (pl.col("hidden").is_not_null() | (nothing & earns.fill_null(True) & silent)).alias("unknown")
    )


def _spell_months(known: Known, kinds: list[str]) -> pl.DataFrame:
    """(person, month, untold) under a status that brings income no file tells of."""
    spells = known.facts("employment.status").filter(pl.col("kind").is_in(kinds) & (pl.col("start") <= known.on))
    last = pl.coalesce(pl.col("until") - pl.duration(days=1), pl.lit(known.on))
    months = pl.date_ranges(
        pl.col("start").dt.month_start(), pl.max_horizontal(last, "start").dt.month_start(), interval="1mo"
    )
    return (
        spells.select("person", months.alias("month"))
        .explode("month")
        .unique()
        .with_columns(pl.lit(True).alias("untold"))
    )


def _sums(windows: pl.DataFrame, taxed: pl.DataFrame, window: int, counting: dict[str, Any]) -> pl.DataFrame:
    """(person, number, taxed, split, reported): sums whole inside a window; those that would have to be divided."""
    met = windows.join(taxed, on="person").with_columns((pl.col("number") - window + 1).alias("first"))
    met = met.filter((pl.col("high") >= pl.col("first")) & (pl.col("low") <= pl.col("number")))
    inside = (pl.col("low") >= pl.col("first")) & (pl.col("high") <= pl.col("number"))
    counts = ~pl.col("kind").is_in(counting["excluded"])
    months = pl.col("high") - pl.col("low") + 1
    cost = pl.when(pl.col("kind") == "WAGES").then(months * fen(counting["job_cost_month"])).otherwise(0)
    amount = pl.when(inside & counts).then(pl.col("amount") - cost).otherwise(0)
    return met.group_by("person", "number").agg(
        amount.sum().alias("taxed"), (~inside).sum().alias("split"), inside.sum().alias("reported")
    )
