"""INCOME-LINE: income per head and month, every month of the window known, low in two successive evaluations."""

from typing import Any

import polars as pl

from load_tests.checker.earned import heads, latest
from load_tests.checker.known import Known, found
from load_tests.checker.values import fen

PATH = "risk/income_line"


def breaches(known: Known) -> pl.DataFrame:
    """Per home: since the second of the low evaluations was complete, with those who lived there then."""
    today = known.homes.select("household", pl.col("household").alias("home"), pl.lit(known.on).alias("day"), "area")
    now = _asked(known, today).select(pl.col("home").alias("household"), "since", "severity")
    sure = now.drop_nulls("since")
    then = (
        _edges(known).join(sure, on="household").filter((pl.col("day") > pl.col("since")) & (pl.col("day") <= known.on))
    )
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
        months = latest(known, counting)
        if months:
            people = _counted(known, homes)
            parts.append(
                _below(known, entry, str(area), heads(known, counting, people, months), _helped(known, entry, people))
            )
    return pl.concat(parts)


def _edges(known: Known) -> pl.DataFrame:
    """(household, day) on which somebody came, left, died, was away, or held something else."""
    stays = known.latest.join(known.died, on="person", how="left")
    spells = pl.concat([_away(known), _away(known).with_columns(pl.col("until").alias("start"))]).join(
        stays, on="person"
    )
    parts = [stays.select("household", pl.col(name).alias("day")) for name in ("valid_from", "valid_to", "died")]
    parts += [spells.select("household", pl.col("start").alias("day"))]
    parts += [known.held.select("household", pl.col(name).alias("day")) for name in ("since", "until")]
    return pl.concat(parts).drop_nulls().unique()


def _away(known: Known) -> pl.DataFrame:
    """(person, kind, start, until) in states that do not count as living together."""
    counting = known.value("standards", "household_income")
    custody = known.facts("justice.custody").select(
        "person",
        pl.col("category").alias("kind"),
        pl.col("since").alias("start"),
        pl.coalesce("until", "expected_to").alias("until"),
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
        low = per_head.filter(pl.col("per_head") < entry[name] * standard).join(
            of_level.select("home", "day"), on="home"
        )
        levels.append(_run(known, low, entry["evaluations"]).with_columns(pl.lit(level, pl.Int64).alias("severity")))
    told = pl.concat(levels).group_by("home").agg(pl.col("since").min(), pl.col("severity").max())
    limit = pl.min_horizontal(pl.lit(float(entry["below_1"])), "up_to") * standard
    sure = per_head.join(asked, on="home").filter(
        (pl.col("month") == _newest(known, "day")) & (pl.col("per_head") >= limit)
    )
    unsure = (
        asked.join(told, on="home", how="anti")
        .join(sure, on="home", how="anti")
        .select("home", pl.lit(None, pl.Date).alias("since"), pl.lit(None, pl.Int64).alias("severity"))
    )
    return pl.concat([told, unsure])


def _newest(known: Known, day: str) -> pl.Expr:
    """The newest month that was over and complete on a day, with what is known today."""
    newest = min(
        max(known.raw.closed_months(feed, known.week)) for feed in ("employment.contribution", "pension.payment")
    )
    return pl.min_horizontal(pl.col(day).dt.month_start().dt.offset_by("-1mo"), pl.lit(newest))


def _run(known: Known, low: pl.DataFrame, evaluations: int) -> pl.DataFrame:
    """(home, since): low in an unbroken run of months up to the newest; since so many of them were over."""
    closed = known.raw.closed_months("employment.contribution", known.week)
    number = pl.col("month").dt.year() * 12 + pl.col("month").dt.month()
    runs = (
        low.sort("month")
        .with_columns((number - pl.col("month").cum_count().over("home", order_by="month")).alias("run"))
        .filter(pl.col("month") <= _newest(known, "day"))
        .group_by("home", "day", "run")
        .agg(pl.col("month").min().alias("first"), pl.col("month").max().alias("last"), pl.len())
    )
    return runs.filter((pl.col("last") == _newest(known, "day")) & (pl.col("len") >= evaluations)).select(
        "home",
        pl.max_horizontal(
            pl.col("first").dt.offset_by(f"{evaluations}mo"), pl.lit(closed[0]).dt.offset_by("1mo")
        ).alias("since"),
    )
