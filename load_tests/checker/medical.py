"""MED-SELFPAY: what somebody paid inside the catalogue in a rolling year, above the line of the scheme held."""

import polars as pl

from load_tests.checker.known import Known, a_year_later, found
from load_tests.checker.values import fen

PATH = "risk/medical_selfpay"


def bills(known: Known) -> pl.DataFrame:
    """(person, day, inside, outside): what stayed with the person of each bill after later payers."""
    paid = known.facts("medical.settlement")
    back = known.facts("medical.reimbursement").group_by("settle_no").agg(pl.col("amount").sum().alias("back"))
    told = paid.join(back, on="settle_no", how="left").with_columns(pl.col("back").fill_null(0))
    inside, outside = pl.col("in_catalogue_self_paid"), pl.col("out_of_catalogue")
    left = pl.when(inside >= 0).then(pl.max_horizontal(inside - pl.col("back"), 0)).otherwise(inside)
    over = pl.max_horizontal(pl.col("back") - pl.max_horizontal(inside, 0), 0)
    rest = pl.when(outside >= 0).then(pl.max_horizontal(outside - over, 0)).otherwise(outside)
    return told.select("person", pl.col("settled_on").alias("day"), left.alias("inside"), rest.alias("outside"))


def breaches(known: Known) -> pl.DataFrame:
    """Per person and rolling year: since the first day of the unbroken stretch above the line."""
    entry = known.value(PATH, "medical_selfpay")
    lines = {scheme: fen(text) for scheme, text in entry["line"].items()}
    lived_in = known.alive.select("household").unique()
    subjects = known.here.select("household", "person").join(lived_in, on="household", how="semi")
    own = bills(known).select("person", "day", pl.col("inside").alias("fen")).join(subjects, on="person", how="semi")
    gone = own.with_columns(a_year_later(pl.col("day")).alias("day"), -pl.col("fen"))
    drawn = known.tiers.join(own, on="person", how="semi").with_columns(
        pl.col("scheme").fill_null("OTHER").replace_strict(lines, default=lines["OTHER"]).alias("line")
    )
    paid = pl.concat([own, gone, drawn.select("person", "day", pl.lit(0, pl.Int64).alias("fen"))])
    days = paid.filter(pl.col("day") <= known.on).group_by("person", "day").agg(pl.col("fen").sum()).sort("day")
    days = days.with_columns(pl.col("fen").cum_sum().over("person", order_by="day").alias("total"))
    days = days.join_asof(
        drawn.select("person", "day", "line").sort("day"), on="day", by="person", check_sortedness=False
    )
    return found(_stretches(days, entry["bands"]).join(subjects, on="person"))


def _stretches(days: pl.DataFrame, bands: list[list[float]]) -> pl.DataFrame:
    """The stretch above the line that lasts until today, of everybody who has one."""
    today = pl.col("line").last().over("person", order_by="day")
    days = days.with_columns(((pl.col("total") > today) & (pl.col("line") <= today)).alias("above"))
    days = days.with_columns(pl.col("day").filter(~pl.col("above")).max().over("person").alias("below"))
    last = days.filter(pl.col("below").is_null() | (pl.col("day") > pl.col("below"))).sort("day")
    now = last.group_by("person").agg(
        pl.col("day").first().alias("since"), pl.col("total").last(), pl.col("line").last()
    )
    severity = pl.lit(0)
    for multiple, level in bands:
        severity = pl.when(pl.col("total") >= pl.col("line") * multiple).then(level).otherwise(severity)
    return now.with_columns((pl.col("person") + "/rolling_12m").alias("cause"), severity.alias("severity"))
