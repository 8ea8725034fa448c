"""DEATH-ON-BENEFIT: something was paid for a month after the month in which somebody died."""

import polars as pl

from load_tests.checker.known import Known, found

PATH = "review/death_on_benefit"


def breaches(known: Known) -> pl.DataFrame:
    """Per person: since the first such month; more certain with two kinds of sources."""
    entry = known.value(PATH, "death_on_benefit")
    paid = known.facts("civil.benefit").filter(
        (pl.col("amount") > 0) & (pl.col("month") <= known.on) & ~pl.col("scheme").is_in(entry["left_out"])
    )
    reports = known.facts("vital.death").filter(pl.col("died_on") <= known.on)
    dead = reports.group_by("person").agg(  # where sources differ, the latest day counts
        pl.col("died_on").max().alias("died"), pl.col("reported_by").n_unique().alias("sources")
    )
    late = paid.join(dead, on="person").filter(pl.col("month") > pl.col("died").dt.month_start())
    person = late.group_by("person").agg(
        pl.col("month").min().alias("since"), pl.col("month").n_unique().alias("months"), pl.col("sources").first()
    ).filter(pl.col("months") >= entry["months"])  # fmt: skip
    sure = pl.col("sources") >= entry["confirming_sources"]
    return found(
        person.join(known.here, on="person").with_columns(
            pl.col("person").alias("cause"),
            pl.when(sure).then(entry["severity_confirmed"]).otherwise(entry["severity"]).alias("severity"),
        )
    )
