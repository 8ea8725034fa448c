"""RIGID-RATIO: treatment, school and living of twelve months against a year of the assessed income."""

from typing import Any

import polars as pl

from load_tests.checker.known import Known, a_year_later, found
from load_tests.checker.medical import bills
from load_tests.checker.spans import unbroken
from load_tests.checker.values import fen

PATH = "risk/rigid_ratio"
NEVER = 2**60


def breaches(known: Known) -> pl.DataFrame:
    """Per home: since the day the ratio was reached, with those who were there and what they held on every day."""
    entry = known.value(PATH, "rigid_ratio")
    homes = known.homes.filter(pl.col("income").is_not_null())
    mean = fen(known.value("standards", "disposable_income_year")["amount"])
    living = fen(known.value("standards", "dibao_month")["amount"])
    on = _composition(known, entry["answered"]).join(homes, on="household")
    line = (pl.col("income") * 12 * entry["ratio"] + 99) // 100 - living * 12 * pl.col("heads")
    able = ~pl.col("answered") & (pl.col("income") * 12 < mean * pl.col("heads"))
    needed = pl.when(able).then(pl.max_horizontal(line, pl.lit(fen(entry["smallest"])))).otherwise(NEVER)
    on = on.select("household", "day", needed.alias("needed")).sort("day")
    spans = _enough(known, spent(known, entry), on)
    since = unbroken(spans, ["household"], known.on)
    return found(since.with_columns(pl.lit("household").alias("cause"), pl.lit(entry["severity"]).alias("severity")))


def _lived(known: Known) -> pl.DataFrame:
    """(household, person, came, left, gone): who lives or lived where, by the newest stay of each."""
    return known.latest.join(known.died, on="person", how="left").select(
        "household", "person", pl.col("valid_from").alias("came"), pl.col("valid_to").alias("left"),
        pl.min_horizontal("valid_to", "died").alias("gone"),
    )  # fmt: skip


def _composition(known: Known, answered: list[str]) -> pl.DataFrame:
    """(household, day, heads, answered): from which day on how many live there, and whether all are helped already."""
    people = _lived(known)
    changes = [known.tiers.join(people, on="person").select("household", "day")]
    changes += [people.select("household", pl.col(edge).alias("day")).drop_nulls() for edge in ("came", "gone")]
    there = (
        pl.concat(changes)
        .unique()
        .join(people, on="household")
        .filter((pl.col("came") <= pl.col("day")) & (pl.col("gone").is_null() | (pl.col("gone") > pl.col("day"))))
    )
    there = there.sort("day").join_asof(known.tiers.sort("day"), on="day", by="person", check_sortedness=False)
    return there.group_by("household", "day").agg(
        pl.len().alias("heads"), pl.col("scheme").is_in(answered).fill_null(False).all().alias("answered")
    )


def spent(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """(person, day, fen): what stayed of bills and of fees less aid."""
    treated = bills(known).select("person", "day", (pl.col("inside") + pl.col("outside")).alias("fen"))
    return pl.concat([treated, fees(known, entry)])


def fees(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """(person, day, fen): fees on the first day of their term; what came back in a school year covers the earliest."""
    year = ["person", "school_year"]
    told = known.facts("education.fee").filter(pl.col("stage").is_in(entry["fee_stages"])).with_columns(_term_day())
    aid = known.facts("education.aid").filter(pl.col("aid").is_in(entry["aid_deducted"]))
    aid = aid.group_by(year).agg(pl.col("amount").sum().alias("aid"))
    back = told.filter(pl.col("amount") < 0).group_by(year).agg((-pl.col("amount")).sum().alias("back"))
    paid = told.filter(pl.col("amount") > 0).group_by(*year, "day").agg(pl.col("amount").sum())
    paid = (
        paid.join(aid, on=year, how="left")
        .join(back, on=year, how="left")
        .sort("day")
        .with_columns(
            pl.max_horizontal(pl.col("aid").fill_null(0) + pl.col("back").fill_null(0), 0).alias("covered"),
            pl.col("amount").cum_sum().over(year, order_by="day").alias("so_far"),
        )
    )
    before = pl.max_horizontal(pl.col("so_far") - pl.col("amount") - pl.col("covered"), 0)
    after = pl.max_horizontal(pl.col("so_far") - pl.col("covered"), 0)
    return paid.select("person", "day", (after - before).alias("fen"))


def _term_day() -> pl.Expr:
    year = pl.col("school_year").cast(pl.Int32)
    spring = pl.col("term") == "SPRING"
    return pl.when(spring).then(pl.date(year + 1, 2, 1)).otherwise(pl.date(year, 9, 1)).alias("day")


def _enough(known: Known, spent: pl.DataFrame, on: pl.DataFrame) -> pl.DataFrame:
    """(household, since, until): stretches of days on which twelve months come to what is needed, then and today."""
    own = spent.with_columns(a_year_later(pl.col("day")).alias("over"))
    ours = own.join(known.here.select("household", "person"), on="person")
    theirs = own.join(_lived(known), on="person").with_columns(
        pl.max_horizontal("day", "came").alias("day"), pl.min_horizontal("over", "left").alias("over")
    ).filter(pl.col("day") < pl.col("over"))  # fmt: skip
    turns = on.select("household", "day", pl.lit(0, pl.Int64).alias("then"), pl.lit(0, pl.Int64).alias("now"))
    days = pl.concat([*_changes(theirs, "then", "now"), *_changes(ours, "now", "then"), turns]).filter(
        pl.col("day") <= known.on
    ).group_by("household", "day").agg(pl.col("then", "now").sum()).sort("day").with_columns(
        pl.col("then", "now").cum_sum().over("household", order_by="day"),
        pl.col("day").shift(-1).over("household", order_by="day").alias("until"),
    ).join_asof(on, on="day", by="household", check_sortedness=False).drop_nulls("needed")  # fmt: skip
    today = pl.col("needed").last().over("household", order_by="day")
    enough = (pl.col("then") >= pl.col("needed")) & (pl.col("now") >= today)
    return days.filter(enough).rename({"day": "since"})


def _changes(paid: pl.DataFrame, name: str, other: str) -> list[pl.DataFrame]:
    """What a payment adds on its day and takes away when its year is over, in the column `name`."""
    none = pl.lit(0, pl.Int64).alias(other)
    more = paid.select("household", "day", pl.col("fen").alias(name), none)
    less = paid.select("household", pl.col("over").alias("day"), (-pl.col("fen")).alias(name), none)
    columns = ["household", "day", "then", "now"]
    return [more.select(columns), less.select(columns)]
