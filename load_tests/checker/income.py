"""INCOME-LINE: income per head and month, every month of the window known, low in two successive evaluations."""

from datetime import date, timedelta
from typing import Any

import polars as pl

from load_tests.checker.known import Known, found
from load_tests.checker.values import fen

PATH = "risk/income_line"
BEFORE = date(2023, 12, 1)
"""First month looked at: a year before the first that can be evaluated."""


def breaches(known: Known) -> pl.DataFrame:
    """Per home: since the second of the low evaluations was complete, with those who lived there then."""
    today = known.homes.select("household", pl.col("household").alias("home"), pl.lit(known.on).alias("day"), "area")
    now = _asked(known, today).select(pl.col("home").alias("household"), "since", "severity")
    sure = now.drop_nulls("since")
    then = _edges(known).join(sure, on="household").filter((pl.col("day") > pl.col("since")) & (pl.col("day") <= known.on))
    firsts = pl.date_ranges("since", pl.lit(known.on), interval="1mo").alias("day")
    months = sure.join(then.select("household").unique(), on="household", how="semi").select("household", firsts)
    then = pl.concat([then.select("household", "day"), months.explode("day")])
    asks = pl.concat([then.select("household", "day"), sure.select("household", pl.col("since").alias("day"))]).unique()
    asks = asks.join(known.homes.select("household", "area"), on="household").with_columns(
        (pl.col("household") + "@" + pl.col("day").cast(pl.String)).alias("home")
    )
    low = _asked(known, asks.select(today.columns)).drop_nulls("since").select("home")
    asks = asks.with_columns(pl.col("home").is_in(low["home"].implode()).alias("low"))
    asks = asks.with_columns(pl.col("day").filter(~pl.col("low")).max().over("household").alias("not_so"))
    unbroken = asks.filter(pl.col("not_so").is_null() | (pl.col("day") > pl.col("not_so")))
    began = unbroken.group_by("household").agg(pl.col("day").min().alias("began"))
    told = now.join(began, on="household", how="left").with_columns(
        pl.when(pl.col("since").is_not_null()).then(pl.col("began").fill_null(known.on)).alias("since")
    )
    return found(told.with_columns(pl.lit("household").alias("cause")))


def _asked(known: Known, asks: pl.DataFrame) -> pl.DataFrame:
    """(home, since, severity): the answer for homes (home, household, day, area) as they were on their day."""
    entry = known.value(PATH, "income_line")
    parts = [pl.DataFrame(schema={"home": pl.String, "since": pl.Date, "severity": pl.Int64})]
    for (area,), homes in asks.group_by("area"):
        counting = known.value("standards", "household_income", str(area))
        months = _latest(known, counting)
        if months:
            people = _counted(known, homes)
            parts.append(_below(known, entry, str(area), _heads(known, counting, people, months), _helped(known, entry, people)))
    return pl.concat(parts)


def _edges(known: Known) -> pl.DataFrame:
    """(household, day) on which somebody came, left, died, was away, or held something else."""
    stays = known.latest.join(known.died, on="person", how="left")
    spells = pl.concat([_away(known), _away(known).with_columns(pl.col("until").alias("start"))]).join(stays, on="person")
    parts = [stays.select("household", pl.col(name).alias("day")) for name in ("valid_from", "valid_to", "died")]
    parts += [spells.select("household", pl.col("start").alias("day"))]
    parts += [known.held.select("household", pl.col(name).alias("day")) for name in ("since", "until")]
    return pl.concat(parts).drop_nulls().unique()


def _latest(known: Known, counting: dict[str, Any]) -> list[date]:
    """The months that can be evaluated: up to the newest that every feed asked for has closed."""
    closed = [set(known.raw.closed_months(feed, known.week)) for feed in counting["closes"]]
    whole = sorted(set.intersection(*closed))
    return _months(BEFORE, whole[-1]) if whole else []


def _months(first: date, last: date) -> list[date]:
    found_months = [first]
    while found_months[-1] < last:
        found_months.append((found_months[-1] + timedelta(days=32)).replace(day=1))
    return found_months


def _away(known: Known) -> pl.DataFrame:
    """(person, kind, start, until) in states that do not count as living together."""
    counting = known.value("standards", "household_income")
    custody = known.facts("justice.custody").select(
        "person", pl.col("category").alias("kind"), pl.col("since").alias("start"), "until"
    )
    status = known.facts("employment.status").select("person", "kind", "start", "until")
    return pl.concat([custody, status]).filter(pl.col("kind").is_in(counting["not_counted"]))


def _counted(known: Known, homes: pl.DataFrame) -> pl.DataFrame:
    """(home, day, person, born) of those who count on the day: alive, there, and not away by law."""
    stays = known.latest.join(known.died, on="person", how="left")
    there = homes.join(stays, on="household").filter(
        (pl.col("valid_from") <= pl.col("day"))
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("day")))
        & (pl.col("died").is_null() | (pl.col("died") > pl.col("day")))
    ).select("home", "day", "person", "born")  # fmt: skip
    away = there.join(_away(known), on="person").filter(
        (pl.col("start") <= pl.col("day")) & (pl.col("until").is_null() | (pl.col("until") > pl.col("day")))
    )
    return there.join(away, on=["home", "person"], how="anti")


def _helped(known: Known, entry: dict[str, Any], people: pl.DataFrame) -> pl.DataFrame:
    """(home, day, answered, partly): whether everybody holds a scheme that answers it, wholly or in part."""
    tiers = known.tiers.sort("day")
    held = people.sort("day").join_asof(tiers, on="day", by="person", check_sortedness=False)
    held = held.with_columns(pl.col("scheme").fill_null(""))
    whole = pl.col("scheme").is_in(entry["answered"])
    partly = whole | pl.col("scheme").is_in(entry["partly_answered"])
    return held.group_by("home", "day").agg(whole.all().alias("answered"), partly.all().alias("partly"))


def _heads(known: Known, counting: dict[str, Any], people: pl.DataFrame, months: list[date]) -> pl.DataFrame:
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
    grid = grid.join(sums, on=["person", "number"], how="left").with_columns(pl.col("taxed", "split", "reported").fill_null(0))
    homes = people.select("home", "person").join(grid, on="person").group_by("home", "month").agg(
        (pl.col("fen") + pl.col("taxed")).sum().alias("fen"), (pl.col("unknown") + pl.col("split")).sum().alias("unknown"),
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
    told = known.facts("tax.income").join(people.select("person"), on="person", how="semi").with_columns(
        (pl.col(name).dt.year() * 12 + pl.col(name).dt.month()).alias(number)
        for name, number in (("month_from", "low"), ("month_to", "high"))
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
    return grid.with_columns((pl.col("hidden").is_not_null() | (nothing & earns.fill_null(True) & silent)).alias("unknown"))


def _spell_months(known: Known, kinds: list[str]) -> pl.DataFrame:
    """(person, month, untold) under a status that brings income no file tells of."""
    spells = known.facts("employment.status").filter(pl.col("kind").is_in(kinds) & (pl.col("start") <= known.on))
    last = pl.coalesce(pl.col("until") - pl.duration(days=1), pl.lit(known.on))
    months = pl.date_ranges(pl.col("start").dt.month_start(), pl.max_horizontal(last, "start").dt.month_start(), interval="1mo")
    return spells.select("person", months.alias("month")).explode("month").unique().with_columns(
        pl.lit(True).alias("untold")
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


def _below(
    known: Known, entry: dict[str, Any], area: str, per_head: pl.DataFrame, helped: pl.DataFrame
) -> pl.DataFrame:
    """(home, since, severity): low in the newest evaluation and in those before it; both null where unknown."""
    standard = fen(known.value("standards", "dibao_month", area)["amount"])
    asked = helped.filter(~pl.col("answered")).with_columns(
        pl.when(pl.col("partly")).then(pl.lit(float(entry["partly_up_to"]))).otherwise(pl.lit(99.0)).alias("up_to")
    )
    levels = []
    for level, name in ((1, "below_1"), (2, "below_2"), (3, "below_3")):
        of_level = asked.filter(pl.col("up_to") >= entry[name])
        low = per_head.filter(pl.col("per_head") < entry[name] * standard).join(of_level.select("home", "day"), on="home")
        levels.append(_run(known, low, entry["evaluations"]).with_columns(pl.lit(level, pl.Int64).alias("severity")))
    told = pl.concat(levels).group_by("home").agg(pl.col("since").min(), pl.col("severity").max())
    limit = pl.min_horizontal(pl.lit(float(entry["below_1"])), "up_to") * standard
    sure = per_head.join(asked, on="home").filter(
        (pl.col("month") == _newest(known, "day")) & (pl.col("per_head") >= limit)
    )
    unsure = asked.join(told, on="home", how="anti").join(sure, on="home", how="anti").select(
        "home", pl.lit(None, pl.Date).alias("since"), pl.lit(None, pl.Int64).alias("severity")
    )
    return pl.concat([told, unsure])


def _newest(known: Known, day: str) -> pl.Expr:
    """The newest month that was over and complete on a day, with what is known today."""
    newest = min(max(known.raw.closed_months(feed, known.week)) for feed in ("employment.contribution", "pension.payment"))
    return pl.min_horizontal(pl.col(day).dt.month_start().dt.offset_by("-1mo"), pl.lit(newest))


def _run(known: Known, low: pl.DataFrame, evaluations: int) -> pl.DataFrame:
    """(home, since): low in an unbroken run of months up to the newest; since so many of them were over."""
    closed = known.raw.closed_months("employment.contribution", known.week)
    number = pl.col("month").dt.year() * 12 + pl.col("month").dt.month()
    runs = low.sort("month").with_columns(
        (number - pl.col("month").cum_count().over("home", order_by="month")).alias("run")
    ).filter(pl.col("month") <= _newest(known, "day")).group_by("home", "day", "run").agg(
        pl.col("month").min().alias("first"), pl.col("month").max().alias("last"), pl.len()
    )
    return runs.filter((pl.col("last") == _newest(known, "day")) & (pl.col("len") >= evaluations)).select(
        "home", pl.max_horizontal(
            pl.col("first").dt.offset_by(f"{evaluations}mo"), pl.lit(closed[0]).dt.offset_by("1mo")
        ).alias("since")
    )
