"""DUPLICATE-CONFLICT: benefits that exclude each other, a scheme or a person on record twice, aid of two places."""

from typing import Any

import polars as pl

from load_tests.checker.known import Known, found
from load_tests.checker.spans import unbroken

PATH = "review/duplicate_conflict"


def breaches(known: Known) -> pl.DataFrame:
    """Pairs paid or held together, one scheme of two offices, one person of two homes, aid of two places in a month.

    Accounts are not compared: the city has none that unrelated households share.
    """
    entry = known.value(PATH, "duplicate_conflict")
    some = pl.concat([_paid(known, entry), _held(known, entry), _offices(known, entry), _homes(known, entry)])
    by_person = (
        unbroken(some, ["person", "what"], known.on)
        .join(known.alive, on="person")
        .select("household", (pl.col("person") + "/" + pl.col("what")).alias("cause"), "since")
    )
    severity = pl.lit(entry["severity"]).alias("severity")
    return found(pl.concat([by_person, _aid(known, entry)]).with_columns(severity))


def _later(day: str, entry: dict[str, Any]) -> pl.Expr:
    return pl.col(day).dt.offset_by(f"{entry['stands_months']}mo")


def _paid(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """(person, what, since, until): a month both were paid for stands so many months. A month of change is none."""
    months = known.facts("civil.benefit").filter(pl.col("amount") > 0).select("person", "month", "scheme")
    begun = known.held.select("person", "scheme", pl.col("since").dt.month_start().alias("month"))
    ended = known.held.select("person", "scheme", pl.col("until").dt.month_start().alias("month")).drop_nulls()
    changes = pl.concat([begun, ended])
    parts = []
    for one, other in entry["pairs"]:
        first, second = (months.filter(pl.col("scheme") == code) for code in (one, other))
        changing = changes.filter(pl.col("scheme").is_in([one, other]))
        both = first.join(second, on=["person", "month"]).join(changing, on=["person", "month"], how="anti")
        parts.append(both.select("person", "month", pl.lit(f"{one}+{other}").alias("what")))
    if entry["months"] != 1:
        raise NotImplementedError("one month paid twice is what the checker knows")
    return pl.concat(parts).select(
        "person", "what", pl.col("month").alias("since"), _later("month", entry).alias("until")
    )


def _held(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """The same of two schemes held together for longer than a change takes."""
    held = known.held.select("person", "scheme", "since", "until")
    parts = []
    for one, other in entry["pairs"]:
        first, second = (held.filter(pl.col("scheme") == code) for code in (one, other))
        both = first.join(second, on="person").with_columns(pl.lit(f"{one}+{other}").alias("what"))
        parts.append(_overlaps(both, entry["overlap_days"]))
    return pl.concat(parts)


def _offices(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """The same of one scheme two offices recognise."""
    held = known.held.select("person", "scheme", "since", "until", "office")
    both = held.join(held, on=["person", "scheme"]).filter(pl.col("office") < pl.col("office_right"))
    return _overlaps(both.with_columns(pl.col("scheme").alias("what")), entry["overlap_days"])


def _homes(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """The same of stays in two households, neither of which was told that the person left."""
    stays = known.stays.rename({"valid_from": "since", "valid_to": "until"}).select(
        "household", "person", "since", "until"
    )
    both = stays.join(stays, on="person").filter(pl.col("household") < pl.col("household_right"))
    return _overlaps(both.with_columns(pl.lit("two_homes").alias("what")), entry["homes_days"])


def _overlaps(both: pl.DataFrame, days: int) -> pl.DataFrame:
    begun = both.with_columns(
        pl.max_horizontal("since", "since_right").alias("begins"),
        pl.min_horizontal("until", "until_right").alias("ends"),
    )
    long = begun.filter(pl.col("ends").is_null() | ((pl.col("ends") - pl.col("begins")).dt.total_days() > days))
    return long.select(
        "person",
        "what",
        (pl.col("begins") + pl.duration(days=days)).alias("since"),
        pl.col("ends").alias("until"),
    )


def _aid(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """(household, cause, since): aid of two places in one month; from the day of the second."""
    granted = known.facts("civil.temp_aid").filter((pl.col("approved_on") <= known.on) & (pl.col("amount") > 0))
    ours = granted.join(known.here.select("household", "person"), on="person")
    month = pl.col("approved_on").dt.month_start().alias("month")
    first = ours.with_columns(month).group_by("household", "month", "area").agg(pl.col("approved_on").min())
    places = first.group_by("household", "month").agg(pl.col("approved_on").sort())
    twice = places.filter(pl.col("approved_on").list.len() >= 2).select(
        "household", pl.lit("household/temp_aid").alias("cause"),
        pl.col("approved_on").list.get(1, null_on_oob=True).alias("since"), _later("month", entry).alias("until"),
    )  # fmt: skip
    return unbroken(twice, ["household", "cause"], known.on)
