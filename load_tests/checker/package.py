"""PACKAGE-GAP: an item of the place's catalogue applies, and complete files do not show it."""

from collections.abc import Callable
from typing import Any

import polars as pl

from load_tests.checker.known import Known, found
from load_tests.checker.spans import both, without

PATH = "entitlement/package_gap"
TENANT_MONTHS = 3
NAMES = ["household", "person"]
Seen = Callable[[Known, dict[str, Any], pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]


def breaches(known: Known) -> pl.DataFrame:
    """Per home: since the day the days allowed were over for the first item that is missing."""
    entry = known.value(PATH, "package_gap")
    missing = [
        _missing(known, entry, item).with_columns(pl.lit(code).alias("item"))
        for code, item in entry["catalogue"].items()
        if item["seen_in"] in SEEN
    ]
    homes = pl.concat(missing).join(known.alive.select("household").unique(), on="household", how="semi")
    homes = homes.group_by("household").agg(pl.col("since").min(), pl.len().alias("items"))
    homes = homes.with_columns(pl.max_horizontal("since", pl.lit(entry["since"])).alias("since"))
    severity = pl.lit(0)
    for least, level in entry["bands"]:
        severity = pl.when(pl.col("items") >= least).then(level).otherwise(severity)
    return found(
        homes.filter(pl.col("items") >= entry["items"]).with_columns(
            pl.lit("household").alias("cause"), severity.alias("severity")
        )
    )


def _missing(known: Known, entry: dict[str, Any], item: dict[str, Any]) -> pl.DataFrame:
    """(household, person, since): who should have the item and complete files do not show it."""
    held = known.held.filter(pl.col("scheme").is_in(item["for"])).select(*NAMES, "since", "until")
    helped = both(held, known.stay_spans, NAMES)
    settled = known.settled([item["label"]], entry)
    if item["whose"] == "household":
        helped, settled = (each.with_columns(pl.lit("").alias("person")) for each in (helped, settled))
    seen, feed = SEEN[item["seen_in"]]
    applies, got = seen(known, item, helped)
    open_days = without(applies, pl.concat([got, settled.select(got.columns)]), NAMES)
    return known.silence(open_days, NAMES, feed, item.get("within_days", entry["within_days"]))


def _insured(known: Known, item: dict[str, Any], helped: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Those insured as residents; whose insurance is paid for by somebody else."""
    year_over = pl.date(pl.col("year").cast(pl.Int32) + 1, 1, 1)
    told = (
        known.facts("medical.enrolment")
        .join(known.latest, on="person")
        .select(*NAMES, "since", pl.min_horizontal("until", year_over).alias("until"), "plan", "subsidised")
    )
    other_payer = (pl.col("subsidised") == "yes") | (pl.col("plan") == "EMPLOYEE")
    return both(helped, told.filter(pl.col("plan") == "RESIDENT"), NAMES), told.filter(other_payer).select(
        *NAMES, "since", "until"
    )


def _rented(known: Known, item: dict[str, Any], helped: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Homes with a public rental: for three months from the first of a billing period; months with relief."""
    told = known.facts("housing.security").join(known.latest, on="person").select(
        "household", pl.lit("").alias("person"), "item", "amount", pl.col("billing_period").alias("since"),
    )  # fmt: skip
    bills = told.filter(pl.col("item") == "bill").select(*NAMES, "since", _later(TENANT_MONTHS)).unique()
    relief = told.filter((pl.col("item") == "relief") & (pl.col("amount") > 0)).select(*NAMES, "since", _later(1))
    return both(helped, bills, NAMES), relief


def _later(months: int) -> pl.Expr:
    return pl.col("since").dt.offset_by(f"{months}mo").alias("until")


def _learning(known: Known, item: dict[str, Any], helped: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pupils and students of these stages; school years with aid."""
    at_school = known.facts("education.enrolment").filter(pl.col("stage").is_in(item["stages"]))
    year = pl.col("school_year").cast(pl.Int32)
    aid = known.facts("education.aid").filter(pl.col("amount") > 0).join(known.latest, on="person")
    got = aid.select(*NAMES, pl.date(year, 9, 1).alias("since"), pl.date(year + 1, 9, 1).alias("until"))
    return both(helped, at_school.select("person", "since", "until"), ["person"]), got


SEEN: dict[str, tuple[Seen, str]] = {
    "enrolment": (_insured, "medical.enrolment"),
    "rent": (_rented, "housing.security"),
    "school": (_learning, "education.aid"),
}
"""Where an item can be seen; others are nowhere in the files."""
