"""The recorded folder as frames: what was known after each week, by natural key and newest version."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

KEYS: dict[str, tuple[str, ...]] = {
    "civil.household": ("household", "subject", "valid_from"),
    "medical.settlement": ("settle_no",),
    "medical.reimbursement": ("settle_no", "payer", "reimburse_no"),
    "medical.enrolment": ("subject", "plan", "year"),
    "employment.contribution": ("subject", "month", "employer"),
    "employment.status": ("subject", "kind", "start"),
    "pension.payment": ("subject", "scheme", "month"),
    "housing.fund": ("account", "month"),
    "housing.security": ("contract", "billing_period", "item"),
    "tax.income": ("subject", "payer", "kind", "month_from", "month_to"),
    "civil.authorisation": ("subject", "scope", "signed_on"),
    "civil.benefit": ("subject", "scheme", "month"),
    "civil.temp_aid": ("aid_no",),
    "vital.death": ("subject", "reported_by"),
    "disability.certificate": ("subject", "category", "issued_on"),
    "education.enrolment": ("subject", "school", "since"),
    "education.fee": ("subject", "school_year", "term", "item"),
    "education.aid": ("subject", "school_year", "term", "aid"),
    "justice.custody": ("subject", "category", "since"),
    "referral.feedback": ("referral_no", "item"),
}
"""Feeds the rules read, and what makes one of their facts."""

FIELDS: dict[str, str] = {
    "civil.household": "relation valid_to born",
    "medical.settlement": "settled_on in_catalogue_self_paid out_of_catalogue",
    "medical.reimbursement": "amount",
    "medical.enrolment": "since until subsidised",
    "employment.contribution": "base",
    "employment.status": "until",
    "pension.payment": "amount basic",
    "housing.fund": "base",
    "housing.security": "amount",
    "tax.income": "amount",
    "civil.authorisation": "valid_to withdrawn_on",
    "civil.benefit": "amount",
    "civil.temp_aid": "amount approved_on area",
    "vital.death": "died_on",
    "disability.certificate": "level expires_on cancelled_on",
    "education.enrolment": "stage until",
    "education.fee": "stage amount",
    "education.aid": "amount",
    "justice.custody": "until expected_to",
    "referral.feedback": "answered_on outcome reason",
}
"""What the rules read of a fact beside its key; null where nobody said it."""

_MONEY = frozenset({"in_catalogue_self_paid", "out_of_catalogue", "amount", "base", "basic"})
_MONTHS = frozenset({"month", "billing_period", "month_from", "month_to"})
_DAYS = frozenset({
    "settled_on", "since", "until", "start", "signed_on", "valid_from", "valid_to", "withdrawn_on", "born",
    "approved_on",
    "died_on", "issued_on", "expires_on", "cancelled_on", "answered_on", "expected_to",
})  # fmt: skip
_PARTS: dict[str, Any] = {
    "statuses": pl.List(pl.Struct(dict.fromkeys(("scheme", "since", "until", "source"), pl.String))),
    "declared": pl.Struct({"responsible_area": pl.String, "monthly_income": pl.Int64}),
}
_ENVELOPE = ("id", "source", "subject", "recordedtime", "operation")


@dataclass
class Raw:
    """Everything told, and which months of which feed were closed in which week."""

    folder: Path
    ticks: list[date]
    feeds: dict[str, pl.DataFrame] = field(default_factory=dict)
    closed: dict[str, dict[date, int]] = field(default_factory=dict)
    _split: dict[str, tuple[pl.DataFrame, pl.DataFrame]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Raw":
        """Everything of a recorded run."""
        run = json.loads((folder / "run.json").read_text())
        self = cls(folder, [date.fromisoformat(day) for day in run["ticks"]])
        for feed, key in KEYS.items():
            self.feeds[feed] = _frame(folder, feed, key)
            several = self.feeds[feed].select(pl.col("key").is_duplicated()).to_series()
            self._split[feed] = self.feeds[feed].filter(~several), self.feeds[feed].filter(several)
        self._closings()
        return self

    def known(self, feed: str, week: int) -> pl.DataFrame:
        """Facts of a feed as known when the week was over; what was taken back is gone."""
        single, several = self._split[feed]
        newest = several.filter(pl.col("week") <= week).unique("key", keep="last", maintain_order=True)
        return pl.concat([single.filter(pl.col("week") <= week), newest]).filter(pl.col("operation") != "reverse")

    def closed_months(self, feed: str, week: int) -> list[date]:
        """First days of the months whose delivery was complete by then."""
        return sorted(month for month, told in self.closed.get(feed, {}).items() if told <= week)

    def _closings(self) -> None:
        with (self.folder / "manifests.jsonl").open(encoding="utf-8") as file:
            for line in file:
                said = json.loads(line)
                if said["type"] == "lidm.batch.end":
                    months = self.closed.setdefault(said["data"]["feed"], {})
                    month = date.fromisoformat(said["data"]["period"] + "-01")
                    months[month] = min(months.get(month, said["week"]), said["week"])


def _frame(folder: Path, feed: str, key: tuple[str, ...]) -> pl.DataFrame:
    """Every event of a feed in the order of its versions, with the columns the rules read."""
    names = dict.fromkeys((*_ENVELOPE, *key, *FIELDS[feed].split()))
    schema: dict[str, Any] = {name: pl.Int64 if name in _MONEY else pl.String for name in names}
    schema |= {"week": pl.Int64, "sequence": pl.Int64}
    schema |= _PARTS if feed == "civil.household" else {}
    path = folder / "raw" / f"{feed}.jsonl"
    frame = pl.DataFrame(schema=schema) if not path.exists() else pl.read_ndjson(path, schema=schema)
    frame = frame.with_columns(
        [pl.col(name).str.to_date() for name in names if name in _DAYS]
        + [(pl.col(name) + "-01").str.to_date() for name in names if name in _MONTHS]
        + [pl.col("recordedtime").str.to_datetime("%+", time_zone="UTC"), pl.col("sequence").fill_null(0)]
    )
    frame = _first_known(folder, frame)
    texts = [pl.col(name).cast(pl.String) for name in key]
    return frame.with_columns(pl.concat_str(texts, separator="|").alias("key")).sort("recordedtime", "sequence", "id")


def _first_known(folder: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Later pseudonyms replaced by the one somebody was first known by."""
    path = folder / "aliases.jsonl"
    if not path.exists():
        return frame
    said: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
    return frame.with_columns(pl.col("subject").replace({each["later"]: each["person"] for each in said}))
