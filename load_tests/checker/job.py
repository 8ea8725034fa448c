"""JOB-LOSS: the only insured earner of a home has been silent for the closed months required."""

from datetime import timedelta
from typing import Any

import polars as pl

from load_tests.checker.known import Known, found

PATH = "risk/job_loss"
INSURED = "employment.contribution"


def breaches(known: Known) -> pl.DataFrame:
    """Per person, of several the last to stop: since the day after the months in which nobody at home was insured."""
    entry = known.value(PATH, "job_loss")
    silent, stands = f"{entry['silent_months']}mo", f"{entry['silent_months'] + entry['stands_months']}mo"
    low, high = entry["working_age"]
    age, this_month = known.age("born", pl.lit(known.on)), known.on.replace(day=1)
    paid = _last_paid(known)
    insured = paid.join(known.alive, on=["household", "person"], how="semi").join(
        known.alive.select("person", "born"), on="person"
    ).join(_last_excused(known, entry["excused_by"]), on="person", how="left")  # fmt: skip
    insured = insured.with_columns(
        pl.max_horizontal("last", "excused").alias("active"), pl.col("last").max().over("household").alias("home")
    )
    stopped = insured.filter((pl.col("active") < this_month) & (age >= low) & (age < high))
    stopped = stopped.filter(pl.col("last") == pl.col("last").max().over("household")).with_columns(
        pl.max_horizontal("active", "home").dt.offset_by("1mo").alias("first")
    )
    whole = pl.all_horizontal(
        pl.col("first").dt.offset_by(f"{n}mo").is_in(known.raw.closed_months(INSURED, known.week))
        for n in range(entry["silent_months"])
    )
    came_of_age = pl.col("born").dt.offset_by(f"{low}y")
    others = _others_left(known, paid, high)
    gone = stopped.filter(whole).join(others, on=["household", "person"], how="left").with_columns(
        pl.max_horizontal(pl.col("first").dt.offset_by(silent), came_of_age, "left").alias("since"),
        pl.col("active").dt.offset_by("1mo").dt.offset_by(stands).alias("until"),
    ).filter((pl.col("since") <= known.on) & (pl.col("until") > known.on))  # fmt: skip
    needy = _dependants(known, entry).join(gone.select("household", pl.col("person").alias("who")), on="household")
    needy = needy.filter(pl.col("person") != pl.col("who")).select("household", pl.col("who").alias("person")).unique()
    needy = needy.with_columns(pl.lit(True).alias("needy"))
    severity = pl.when(pl.col("needy")).then(entry["severity_with_dependants"]).otherwise(entry["severity"])
    return found(
        gone.join(needy, on=["household", "person"], how="left").with_columns(
            pl.col("person").alias("cause"), severity.alias("severity")
        )
    )


def _last_paid(known: Known) -> pl.DataFrame:
    """(household, person, last): everybody who ever lived somewhere, with the newest month insured."""
    told = known.facts(INSURED).filter(pl.col("month") <= known.on)
    own = told.group_by("person").agg(pl.col("month").max().alias("last"))
    return (
        known.stays.filter(pl.col("valid_from") <= known.on)
        .select("household", "person")
        .unique()
        .join(own, on="person")
    )


def _last_excused(known: Known, kinds: list[str]) -> pl.DataFrame:
    """(person, excused): the newest month in which something explains that there is no insurance."""
    spells = known.facts("employment.status").filter(pl.col("kind").is_in(kinds) & (pl.col("start") <= known.on))
    until = pl.col("until").fill_null(known.on + timedelta(days=1)) - pl.duration(days=1)
    last = pl.min_horizontal(pl.max_horizontal(until, "start"), pl.lit(known.on))
    return spells.group_by("person").agg(last.max().dt.month_start().alias("excused"))


def _others_left(known: Known, paid: pl.DataFrame, too_old: int) -> pl.DataFrame:
    """(household, person, left): the day the last of those insured longer than this person was none of the home."""
    gone = known.stays.select("household", "person", "valid_to", "born").join(known.died, on="person", how="left")
    gone = gone.with_columns(
        pl.min_horizontal("valid_to", "died", pl.col("born").dt.offset_by(f"{too_old}y")).alias("left")
    ).select("household", "person", "left")
    others = paid.join(gone, on=["household", "person"]).rename({"person": "other", "last": "longer"})
    mine = paid.join(others, on="household").filter(
        (pl.col("person") != pl.col("other")) & (pl.col("longer") > pl.col("last")) & (pl.col("left") <= known.on)
    )
    return mine.group_by("household", "person").agg(pl.col("left").max())


def _dependants(known: Known, entry: dict[str, Any]) -> pl.DataFrame:
    """(household, person) of minors, the old, and the severely disabled."""
    age = known.age("born", pl.lit(known.on))
    young_or_old = known.alive.filter((age < entry["child_under"]) | (age >= entry["elder_from"]))
    line = known.value("standards", "severe_disability")
    level, mind = pl.col("level").cast(pl.Int64), pl.col("category").is_in(line["mind_categories"])
    severe = known.certificates(known.on).filter((level <= line["level"]) | (mind & (level <= line["level_mind"])))
    disabled = known.alive.join(severe, on="person", how="semi")
    return pl.concat([young_or_old.select("household", "person"), disabled.select("household", "person")])
