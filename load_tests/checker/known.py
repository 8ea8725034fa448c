"""What is known at the end of a week: people, homes, what is held, all as frames a rule can join."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from load_tests.checker import values
from load_tests.checker.raw import Raw
from load_tests.checker.spans import unbroken


@dataclass
class Known:
    """The facts of `week`, asked about on the day of its tick."""

    raw: Raw
    week: int
    area: str

    @property
    def on(self) -> date:
        """The day asked about."""
        return self.raw.ticks[self.week]

    def facts(self, feed: str) -> pl.DataFrame:
        """Facts of a feed, `person` for their subject."""
        return self.raw.known(feed, self.week).rename({"subject": "person"})

    def value(self, path: str, name: str, area: str | None = None, day: date | None = None) -> dict[str, Any]:
        """A parameter in force."""
        return values.value(path, name, area or self.area, day or self.on)

    @cached_property
    def stays(self) -> pl.DataFrame:
        """(household, person, valid_from, valid_to, born, relation, statuses): every stay of everybody."""
        columns = ["household", "person", "valid_from", "valid_to", "born", "relation", "statuses", "declared"]
        return self.facts("civil.household").select(columns)

    @cached_property
    def latest(self) -> pl.DataFrame:
        """The newest stay of each person that has begun: facts about somebody are asked about there."""
        begun = self.stays.filter(pl.col("valid_from") <= self.on)
        return begun.sort("valid_from").unique("person", keep="last", maintain_order=True)

    @cached_property
    def here(self) -> pl.DataFrame:
        """Those of `latest` whose stay has not ended."""
        return self.latest.filter(pl.col("valid_to").is_null() | (pl.col("valid_to") > self.on))

    @cached_property
    def died(self) -> pl.DataFrame:
        """(person, died): the earliest day reported."""
        return self.facts("vital.death").group_by("person").agg(pl.col("died_on").min().alias("died"))

    @cached_property
    def alive(self) -> pl.DataFrame:
        """Those of `here` nobody reported dead by the day asked."""
        dead = self.died.filter(pl.col("died") <= self.on)
        return self.here.join(dead, on="person", how="anti")

    @cached_property
    def homes(self) -> pl.DataFrame:
        """(household, area, income): of the newest stay of a head."""
        heads = self.stays.filter(pl.col("declared").is_not_null() & (pl.col("relation") == "HEAD"))
        heads = heads.sort("valid_from").unique("household", keep="last", maintain_order=True)
        declared = pl.col("declared").struct
        return heads.select(
            "household",
            declared.field("responsible_area").alias("area"),
            declared.field("monthly_income").alias("income"),
        )

    @cached_property
    def held(self) -> pl.DataFrame:
        """(household, person, scheme, since, until, office): every scheme, as the newest stay tells it."""
        told = self.latest.select("household", "person", "statuses").explode("statuses", empty_as_null=False)
        status = pl.col("statuses").struct
        return told.filter(pl.col("statuses").is_not_null()).select(
            "household", "person",
            status.field("scheme"), status.field("since").str.to_date(), status.field("until").str.to_date(),
            status.field("source").alias("office"),
        )  # fmt: skip

    @cached_property
    def tiers(self) -> pl.DataFrame:
        """(person, day, scheme): from which day on which scheme is the highest somebody holds, null for none."""
        starts = self.held.select("person", pl.col("since").alias("day"))
        ends = self.held.select("person", pl.col("until").alias("day")).drop_nulls()
        ever = self.latest.select("person", pl.lit(date(1900, 1, 1)).alias("day"))
        days = pl.concat([ever, starts, ends]).unique()
        rank = pl.col("scheme").replace_strict(values.ranks(), default=None)
        held = self.held.with_columns(rank.alias("rank")).drop_nulls("rank")
        on = days.join(held, on="person").filter(
            (pl.col("since") <= pl.col("day")) & (pl.col("until").is_null() | (pl.col("until") > pl.col("day")))
        )
        top = on.sort("rank").unique(["person", "day"], keep="last").select("person", "day", "scheme")
        return days.join(top, on=["person", "day"], how="left").sort("person", "day")

    @cached_property
    def stay_spans(self) -> pl.DataFrame:
        """(household, person, since, until): where each belongs, until the newest stay ended or the person died.

        It has no beginning: what somebody brings along was true before the move.
        """
        return self.latest.join(self.died, on="person", how="left").select(
            "household", "person", pl.date(1900, 1, 1).alias("since"),
            pl.min_horizontal("valid_to", "died").alias("until"),
        )  # fmt: skip

    def silence(self, open_days: pl.DataFrame, names: list[str], feed: str, days: int) -> pl.DataFrame:
        """(names, begins, since): open stretches up to today of which so many days lie in complete months of a feed."""
        closed = self.raw.closed_months(feed, self.week)
        if not closed:
            return open_days.head(0).select(*names, pl.col("since").alias("begins"), "since")
        first, end = closed[0], (closed[-1] + timedelta(days=32)).replace(day=1)
        begins = pl.max_horizontal("since", pl.lit(first))
        begun = unbroken(open_days, names, self.on).with_columns(begins.alias("begins"))
        begun = begun.with_columns((pl.col("begins") + pl.duration(days=days)).alias("since"))
        return begun.filter(pl.col("since") < end).select(*names, "begins", "since")

    def settled(self, items: list[str], entry: dict[str, Any]) -> pl.DataFrame:
        """(household, person, item, since, until): answers after which nobody asks again for a time."""
        told = self.facts("referral.feedback").filter(pl.col("item").is_in(items))
        answer = pl.coalesce(pl.when(pl.col("outcome") == "DECLINED").then(pl.col("reason")), pl.col("outcome"))
        stands = pl.col("answered_on").dt.offset_by(f"{entry['settled_months']}mo")
        return told.filter(answer.is_in(entry["settled_by"])).join(self.latest, on="person").select(
            "household", "person", "item", pl.col("answered_on").alias("since"), stands.alias("until")
        )  # fmt: skip

    def certificates(self, day: date) -> pl.DataFrame:
        """(person, category, level, issued_on): disability certificates valid on a day."""
        told = self.facts("disability.certificate").filter(pl.col("issued_on") <= day)
        for end in ("expires_on", "cancelled_on"):
            told = told.filter(pl.col(end).is_null() | (pl.col(end) > day))
        return told.select("person", "category", "level", "issued_on", "expires_on", "cancelled_on")

    @staticmethod
    def age(born: str, day: pl.Expr) -> pl.Expr:
        """Completed years on a day."""
        born_on, month, of_birth = pl.col(born), day.dt.month().cast(pl.Int32), pl.col(born).dt.month().cast(pl.Int32)
        birthday_to_come = month * 100 + day.dt.day() < of_birth * 100 + born_on.dt.day()
        return day.dt.year() - born_on.dt.year() - birthday_to_come.cast(pl.Int32)


def a_year_later(day: pl.Expr) -> pl.Expr:
    """The first day a rolling year no longer holds something of `day`: 29 February counts until 28 February."""
    leap = (day.dt.month() == 2) & (day.dt.day() == 29)
    return day.dt.offset_by("1y") + pl.when(leap).then(pl.duration(days=1)).otherwise(pl.duration(days=0))


def found(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns every rule answers with."""
    return frame.select(
        pl.col("household").cast(pl.String), pl.col("cause").cast(pl.String), pl.col("since").cast(pl.Date),
        pl.col("severity").cast(pl.Int64),
    )  # fmt: skip
