"""Week by week: what the service had in force against what the checker works out, household by household."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from load_tests.checker.known import Known, found
from load_tests.checker.raw import Raw

Rule = Callable[[Known], pl.DataFrame]
_SAME = ("week", "household", "cause", "since", "severity")
_OPEN = ("raised", "updated")
_SENTENCE = 160


@dataclass
class Verdict:
    """One rule: households checked, with a breach at some time, differing; episodes; a line for each difference."""

    COUNTS: ClassVar[tuple[str, ...]] = ("checked", "positive", "differing", "episodes")
    code: str
    checked: int
    positive: int
    differing: int
    episodes: int
    lines: list[str] = field(default_factory=list)

    @property
    def agreeing(self) -> int:
        """Households about which both say the same, every week."""
        return self.checked - self.differing

    def said(self) -> str:
        """One line for people."""
        return (
            f"{self.code}: {self.checked} households, {self.positive} with a breach at some time in {self.episodes} "
            f"episodes; {self.agreeing} agree, {self.differing} differ"
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**vars(self), "agreeing": self.agreeing}


def alerts_of(folder: Path) -> pl.DataFrame:
    """Every revision, in order."""
    return pl.read_ndjson(folder / "alerts.jsonl", infer_schema_length=None).with_columns(
        pl.col("since").str.to_date(), pl.col("on").str.to_date()
    )


def in_force(alerts: pl.DataFrame, weeks: int) -> pl.DataFrame:
    """(week, household, cause, since, severity): what stood at the end of every week, by the newest revision."""
    newest = alerts.sort("revision").unique(["alert_id", "household", "week"], keep="last", maintain_order=True)
    until = pl.col("week").shift(-1).over(["alert_id", "household"], order_by="week").fill_null(weeks)
    stood = newest.sort("week").with_columns(until.alias("until")).filter(pl.col("state").is_in(_OPEN))
    weekly = stood.with_columns(pl.int_ranges("week", "until").alias("week")).explode("week")
    return weekly.select("week", *found(weekly).columns)


def expected(rule: Rule, raw: Raw, area: str, feed: str) -> pl.DataFrame:
    """The same worked out from raw events. What cannot be known ends nothing and begins nothing: it stays as it was.

    That is a breach a rule answers without `since`, and everything until `feed` has closed a month for the first time.
    """
    weekly: list[pl.DataFrame] = []
    names = ["household", "cause"]
    for week in range(len(raw.ticks)):
        said = rule(_known(raw, week, area)).with_columns(pl.lit(week, pl.Int64).alias("week")).select(_SAME)
        now = said.filter(pl.col("since").is_not_null())
        if weekly:
            before = weekly[-1].join(now, on=names, how="anti").with_columns(pl.lit(week, pl.Int64).alias("week"))
            if raw.closed_months(feed, week):
                before = before.join(said.filter(pl.col("since").is_null()), on=names, how="semi")
            now = pl.concat([now, before])
        weekly.append(now)
    return pl.concat(weekly)


_KNOWN: dict[tuple[Path, int], Known] = {}


def _known(raw: Raw, week: int, area: str) -> Known:
    """One Known per week, shared by the rules: what they have in common is worked out once."""
    key = raw.folder, week
    if key not in _KNOWN:
        _KNOWN[key] = Known(raw, week, area)
    return _KNOWN[key]


def verdict(code: str, rule: Rule, feed: str, raw: Raw, area: str) -> Verdict:
    """Both ways compared."""
    alerts = alerts_of(raw.folder).filter(pl.col("detector") == code)
    said = in_force(alerts, len(raw.ticks))
    ours = expected(rule, raw, area, feed)
    missed = ours.join(said, on=_SAME, how="anti").with_columns(pl.lit("only the checker").alias("who"))
    settled = min((told for told in raw.closed.get(feed, {}).values()), default=len(raw.ticks))
    false = said.join(ours, on=_SAME, how="anti").filter(pl.col("week") >= settled)  # before, nothing can end
    false = false.with_columns(pl.lit("only the service").alias("who"))
    differences = pl.concat([missed, false.select(missed.columns)])
    checked = raw.feeds["civil.household"]["household"].n_unique()
    return Verdict(
        code, checked, ours["household"].n_unique(), differences["household"].n_unique(),
        ours.unique(["household", "cause", "since"]).height, _lines(differences, alerts),
    )  # fmt: skip


def _lines(differences: pl.DataFrame, alerts: pl.DataFrame) -> list[str]:
    """One for each difference: who says so, for which weeks, and the service's own last sentence about it."""
    grouped = differences.group_by("household", "cause", "since", "severity", "who").agg(
        pl.col("week").min().alias("first"), pl.col("week").max().alias("last"), pl.len()
    )
    spoke = alerts.sort("revision").unique(["household", "cause"], keep="last", maintain_order=True)
    grouped = grouped.join(spoke.select("household", "cause", "reason"), on=["household", "cause"], how="left")
    return [
        f"{row['household']} {row['cause']} since {row['since']} severity {row['severity']}: {row['who']}, "
        f"weeks {row['first']}-{row['last']} ({row['len']}); {(row['reason'] or 'never an alert')[:_SENTENCE]}"
        for row in grouped.sort("household", "cause", "first").iter_rows(named=True)
    ]
