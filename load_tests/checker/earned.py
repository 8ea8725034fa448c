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
    people = _asked_as(known, people)
    taxed, hidden = _taxed(known, people)
    grid = people.select("who", "person", "born").unique("who").join(pl.DataFrame({"month": months}), how="cross")
    grid = _monthly(known, counting, grid)
    grid = _unknown(known, counting, grid, taxed, hidden).sort("who", "month").with_columns(_number("month"))
    wages = grid.filter(pl.col("wage") > 0).select("who", pl.col("number").alias("of"), "wage")
    grid = grid.with_columns(
        pl.col("fen").rolling_sum(window).over("who", order_by="month"),
        pl.col("unknown").cast(pl.Int32).rolling_sum(window).over("who", order_by="month"),
        pl.col("told").cast(pl.Int32).rolling_sum(window).over("who", order_by="month"),
    ).drop_nulls("fen")  # fmt: skip
    sums = _sums(grid.select("who", "number"), taxed, wages, window, counting)
    grid = grid.join(sums, on=["who", "number"], how="left").with_columns(
        pl.col("taxed", "split", "reported").fill_null(0)
    )
    homes = people.select("home", "who").join(grid, on="who").group_by("home", "month").agg(
        (pl.col("fen") + pl.col("taxed")).sum().alias("fen"),
        (pl.col("unknown") + pl.col("split")).sum().alias("unknown"),
        (pl.col("told") + pl.col("reported")).sum().alias("told"), pl.len().alias("heads"),
    )  # fmt: skip
    known_all = homes.filter((pl.col("unknown") == 0) & (pl.col("told") > 0))
    return known_all.with_columns((pl.col("fen") / pl.col("heads") / window).alias("per_head"))


def _number(month: str, name: str = "number") -> pl.Expr:
    return (pl.col(month).dt.year() * 12 + pl.col(month).dt.month()).alias(name)


def _asked_as(known: Known, people: pl.DataFrame) -> pl.DataFrame:
    """People with `who`: somebody whose taxes may be seen on the day asked is not the same as when they may not."""
    signed = known.facts("civil.authorisation").filter(pl.col("scope") == "TAX")
    may = people.join(signed, on="person").filter(
        (pl.col("signed_on") <= pl.col("day"))
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("day")))
        & (pl.col("withdrawn_on").is_null() | (pl.col("withdrawn_on") > pl.col("day")))
    ).select("home", "person", pl.lit(True).alias("may")).unique()  # fmt: skip
    people = people.join(may, on=["home", "person"], how="left").with_columns(pl.col("may").fill_null(False))
    return people.with_columns(
        (pl.col("person") + pl.when("may").then(pl.lit("+")).otherwise(pl.lit("-"))).alias("who")
    )


def _taxed(known: Known, people: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sums of taxed income by who may be looked at, first and last month as numbers; months of those who may not."""
    told = known.facts("tax.income").with_columns(_number("month_from", "low"), _number("month_to", "high"))
    told = told.join(people.select("who", "person", "may").unique("who"), on="person")
    return told.filter("may"), _each_month(told.filter(~pl.col("may")))


def _each_month(spans: pl.DataFrame) -> pl.DataFrame:
    """(who, month) of every month of these sums."""
    months = pl.date_ranges("month_from", "month_to", interval="1mo").alias("month")
    return spans.select("who", months).explode("month").unique()


def _monthly(known: Known, counting: dict[str, Any], grid: pl.DataFrame) -> pl.DataFrame:
    """The grid with `fen` of what is told by month, `wage` of it, and `told`; of wages the first kind there is."""
    wages = []
    for feed in counting["wages_by"]:
        if feed != "tax.income":
            paid = known.facts(feed).filter(pl.col("base") > 0)
            told = paid.group_by("person", "month").agg(pl.col("base").sum().alias(feed))
            grid = grid.join(told, on=["person", "month"], how="left")
            wages.append(pl.col(feed))
    wage = pl.max_horizontal(pl.coalesce(wages) - fen(counting["job_cost_month"]), 0).fill_null(0)
    pensions = known.facts("pension.payment")
    if "RESIDENT_BASIC_PENSION" in counting["excluded"]:
        basic = pl.when(pl.col("scheme") == "RESIDENT").then(pl.col("basic")).otherwise(0)
        pensions = pensions.with_columns(pl.col("amount") - basic)
    pensions = pensions.group_by("person", "month").agg(pl.col("amount").sum().alias("pension"))
    grid = grid.join(pensions, on=["person", "month"], how="left")
    return grid.with_columns(
        wage.alias("wage"),
        (wage + pl.col("pension").fill_null(0)).alias("fen"),
        (pl.coalesce(wages).is_not_null() | pl.col("pension").is_not_null()).alias("told"),
    )


def _unknown(
    known: Known, counting: dict[str, Any], grid: pl.DataFrame, taxed: pl.DataFrame, hidden: pl.DataFrame
) -> pl.DataFrame:
    """The grid with `unknown`: months nothing was told of, of which nobody can say that nothing was earned."""
    closed = [set(known.raw.closed_months(feed, known.week)) for feed in counting["closes"]]
    whole = pl.DataFrame({"month": sorted(set.intersection(*closed))}).with_columns(pl.lit(True).alias("closed"))
    grid = grid.join(hidden.with_columns(pl.lit(True).alias("hidden")), on=["who", "month"], how="left")
    grid = grid.join(_each_month(taxed).with_columns(pl.lit(True).alias("seen")), on=["who", "month"], how="left")
    grid = grid.join(whole, on="month", how="left")
    grid = grid.join(_spell_months(known, counting["untold"]), on=["person", "month"], how="left")
    grid = grid.join(_school_months(known), on=["person", "month"], how="left")
    nothing = ~pl.col("told") & pl.col("seen").is_null()
    earns = (known.age("born", pl.col("month").dt.month_end()) >= counting["earns_from"]).fill_null(True)
    silent = pl.any_horizontal(
        pl.col("closed").is_null(), pl.lit(counting["silent_month"] == "unknown"),
        pl.col("untold").is_not_null(), pl.col("hidden").is_not_null(),
    )  # fmt: skip
    return grid.with_columns((nothing & earns & pl.col("learns").is_null() & silent).alias("unknown"))


def _school_months(known: Known) -> pl.DataFrame:
    """(person, month, learns): at any school."""
    told = known.facts("education.enrolment").filter(pl.col("since") <= known.on)
    last = pl.coalesce(pl.col("until") - pl.duration(days=1), pl.lit(known.on)).dt.month_start()
    first = pl.col("since").dt.month_start()
    months = pl.date_ranges(first, pl.max_horizontal(last, first), interval="1mo").alias("month")
    return told.select("person", months).explode("month").unique().with_columns(pl.lit(True).alias("learns"))


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


def _sums(
    windows: pl.DataFrame, taxed: pl.DataFrame, wages: pl.DataFrame, window: int, counting: dict[str, Any]
) -> pl.DataFrame:
    """(who, number, taxed, split, reported): sums whole inside a window, in the place of wages told otherwise; months
    of sums that would have to be divided and of which nothing else tells.
    """
    first = pl.col("number") - window + 1
    met = windows.join(taxed, on="who").filter((pl.col("high") >= first) & (pl.col("low") <= pl.col("number")))
    met = met.with_columns(
        ((pl.col("low") >= first) & (pl.col("high") <= pl.col("number"))).alias("inside"),
        pl.max_horizontal("low", first).alias("low"), pl.min_horizontal("high", "number").alias("high"),
        (pl.col("kind") == "WAGES").alias("work"), pl.int_range(pl.len()).alias("n"),
    )  # fmt: skip
    paid = met.filter("work").join(wages, on="who").filter(pl.col("of").is_between("low", "high"))
    met = met.join(paid.group_by("n").agg(pl.col("wage").sum(), pl.len().alias("others")), on="n", how="left")
    months = pl.col("high") - pl.col("low") + 1
    counts, monthly = ~pl.col("kind").is_in(counting["excluded"]), fen(counting["job_cost_month"])
    cost = (
        pl.when("work")
        .then(pl.min_horizontal(months * monthly, pl.max_horizontal("amount", 0)) + pl.col("wage").fill_null(0))
        .otherwise(0)
    )
    amount = pl.when(pl.col("inside") & counts).then(pl.col("amount") - cost).otherwise(0)
    split = pl.when(~pl.col("inside") & counts).then(months - pl.col("others").fill_null(0)).otherwise(0)
    return met.group_by("who", "number").agg(
        amount.sum().alias("taxed"), split.sum().alias("split"), pl.col("inside").sum().alias("reported")
    )
