"""DISAB-SUBSIDY-GAP: certificate and scheme bring a subsidy, and complete files do not show it."""

from typing import Any

import polars as pl

from load_tests.checker.known import Known, found
from load_tests.checker.spans import both, without

PATH = "entitlement/disability_subsidy_gap"
PAID = "civil.benefit"
KINDS = ("living", "care")


def breaches(known: Known) -> pl.DataFrame:
    """Per person: since the day the days allowed were over for the first of the two subsidies."""
    entry = known.value(PATH, "disability_subsidy_gap")
    silent = pl.concat([_silent(known, entry, kind) for kind in KINDS])
    person = silent.group_by("household", "person").agg(pl.col("begins", "since").min())
    late = pl.col("begins").dt.offset_by(f"{entry['back_pay_months']}mo") <= known.on
    severity = pl.when(late).then(entry["severity_late"]).otherwise(entry["severity"])
    return found(person.with_columns(pl.col("person").alias("cause"), severity.alias("severity")))


def _silent(known: Known, entry: dict[str, Any], kind: str) -> pl.DataFrame:
    names = ["household", "person"]
    entitled = both(_certified(known, entry, kind), known.stay_spans, ["person"])
    if entry[f"{kind}_schemes"]:
        entitled = both(entitled, _helped(known, entry[f"{kind}_schemes"]), ["household"])
    excluded = known.held.filter(pl.col("scheme").is_in(entry["excluded_schemes"])).select(*names, "since", "until")
    paid = known.facts(PAID).filter(
        (pl.col("amount") > 0) & pl.col("scheme").is_in([*entry[f"{kind}_codes"], *entry["other_payer_codes"]])
    ).join(known.latest, on="person").select(
        *names, pl.col("month").alias("since"), pl.col("month").dt.offset_by("1mo").alias("until")
    )  # fmt: skip
    settled = known.settled(entry["referral_items"], entry).select(*names, "since", "until")
    missing = without(entitled, pl.concat([excluded, paid, settled]), names)
    return known.silence(missing, names, PAID, entry["within_days"])


def _certified(known: Known, entry: dict[str, Any], kind: str) -> pl.DataFrame:
    """(person, since, until): with a certificate that brings the subsidy; a newer one of a category replaces it."""
    told = known.facts("disability.certificate").sort("issued_on")
    next_one = pl.col("issued_on").shift(-1).over("person", "category", order_by="issued_on")
    mind = pl.col("category").is_in(entry["mind_categories"])
    level = pl.col("level").cast(pl.Int64)
    brings = (~mind & level.is_in(entry[f"{kind}_levels"])) | (mind & level.is_in(entry[f"{kind}_levels_mind"]))
    return told.with_columns(
        pl.min_horizontal("expires_on", "cancelled_on", next_one).alias("until"), pl.col("issued_on").alias("since")
    ).filter(brings).select("person", "since", "until")  # fmt: skip


def _helped(known: Known, schemes: list[str]) -> pl.DataFrame:
    """(household, since, until): while anybody at home holds one of these."""
    held = known.held.filter(pl.col("scheme").is_in(schemes)).select("household", "person", "since", "until")
    return both(held, known.stay_spans, ["household", "person"]).select("household", "since", "until")
