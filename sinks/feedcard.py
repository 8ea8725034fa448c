"""The report card of a feed: how good a department's data was in a month, day by day, from what the store has.

Counts are of what intake read and what the gateway took; shares of filled fields and repeats come from the sample
intake looks into (one person in sixteen to sixty-four).
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from schemas.feed import FEEDS
from schemas.feed_reports import ReadingReport, ReceiptReport, decode_report
from schemas.topics import Catalogue
from sinks.store import AlertStore

BEIJING = timezone(timedelta(hours=8))
TREND_MONTHS = 6


@dataclass
class Day:
    """One day of a feed by when it was known."""

    rows: int = 0
    routed: int = 0
    out_of_scope: int = 0
    refused: int = 0
    corrected: int = 0
    reversed: int = 0


@dataclass(frozen=True)
class Closing:
    """How a period was closed. `closed_on` None: not (wholly) closed; `due` None: this feed closes nothing."""

    period: str
    due: date | None
    closed_on: date | None
    rows: int

    def state(self, today: date) -> str:
        """按时, 迟报, 未到期, 未报 or 不适用."""
        if self.due is None:
            return "不适用"
        if self.closed_on is None:
            return "未到期" if today <= self.due else "未报"
        return "按时" if self.closed_on <= self.due else "迟报"


@dataclass
class Card:
    """The report card of one feed and month."""

    feed: str
    title: str
    owner: str
    month: str
    closing: Closing
    on_time: str
    days: dict[str, Day] = field(default_factory=dict)
    total: Day = field(default_factory=Day)
    refused: Counter[str] = field(default_factory=Counter)
    gateway_read: int = 0
    gateway_left_out: int = 0
    gateway_refused: Counter[str] = field(default_factory=Counter)
    looked: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    skew: Counter[str] = field(default_factory=Counter)
    sampled: int = 0
    repeated: int = 0
    trend: dict[str, int] = field(default_factory=dict)

    @property
    def checksum_failures(self) -> int:
        """Identity numbers the gateway refused, and plain numbers intake refused."""
        return self.gateway_refused["BAD_IDENTITY"] + self.refused["PLAIN_IDENTITY"]

    @property
    def rejected_share(self) -> float | None:
        """Refused of all that was handed in; None where nothing was."""
        handed = self.total.rows + self.gateway_refused.total()
        return (self.total.refused + self.gateway_refused.total()) / handed if handed else None

    @property
    def matched_share(self) -> float | None:
        """Of what was accepted (and of what the gateway discarded), the share about people of watched households."""
        accepted = self.total.routed + self.total.out_of_scope + self.gateway_left_out
        return self.total.routed / accepted if accepted else None

    @property
    def repeated_share(self) -> float | None:
        """Share of events that came before, in the sample."""
        return self.repeated / self.sampled if self.sampled else None

    def completeness(self) -> list[tuple[str, str, bool, float | None]]:
        """Per field: name, label, whether it is required, share filled (None: nothing looked into)."""
        return [
            (f.name, f.label, f.required, self.filled[f.name] / self.looked if self.looked else None)
            for f in FEEDS[self.feed].fields
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file or a screen."""
        return {
            "feed": self.feed,
            "title": self.title,
            "owner": self.owner,
            "month": self.month,
            "on_time": self.on_time,
            "due": str(self.closing.due) if self.closing.due else None,
            "closed_on": str(self.closing.closed_on) if self.closing.closed_on else None,
            "total": vars(self.total),
            "days": {day: vars(each) for day, each in sorted(self.days.items())},
            "refused": dict(self.refused.most_common()),
            "gateway": {
                "read": self.gateway_read,
                "left_out": self.gateway_left_out,
                "refused": dict(self.gateway_refused.most_common()),
            },
            "checksum_failures": self.checksum_failures,
            "rejected_share": self.rejected_share,
            "matched_share": self.matched_share,
            "repeated_share": self.repeated_share,
            "looked": self.looked,
            "completeness": {name: share for name, _, _, share in self.completeness()},
            "skew": dict(self.skew),
            "trend": self.trend,
        }


def card(store: AlertStore, feed: str, month: str, today: date, catalogue: Catalogue | None = None) -> Card:
    """The card of a feed for the month `YYYY-MM`. Raises StoreError."""
    catalogue = catalogue or Catalogue.load()
    begin, end = _bounds(month)
    spec = FEEDS[feed]
    readings = list(_readings(store, feed, begin, end))
    closing = _closing(store, feed, month, catalogue)
    made = Card(feed, spec.title, catalogue.owner(feed), month, closing, closing.state(today))
    for reading in readings:
        _add(made, reading)
    seen = Counter(name for reading in readings for name in reading.sampled)
    made.sampled, made.repeated = seen.total(), seen.total() - len(seen)
    for receipt in _receipts(store, feed, begin, end):
        made.gateway_read += receipt.read
        made.gateway_left_out += receipt.left_out
        made.gateway_refused.update(receipt.refused)
    made.trend = _trend(store, feed, month)
    return made


def due_of(month: str, feed: str, catalogue: Catalogue) -> date | None:
    """By when the period is to be closed; None where the feed closes nothing."""
    cadence = catalogue.cadence(feed)
    if cadence.closes is None:
        return None
    following = _following(month)
    last = (date.fromisoformat(f"{_following(following)}-01") - timedelta(days=1)).day
    return date.fromisoformat(f"{following}-{min(cadence.by_day, last):02d}")


def _add(made: Card, reading: ReadingReport) -> None:
    day = made.days.setdefault(_day(reading.known_ms).isoformat(), Day())
    refused = sum(reading.refused.values())
    for each in (day, made.total):
        each.rows += reading.rows
        each.routed += reading.routed
        each.out_of_scope += reading.out_of_scope
        each.refused += refused
        each.corrected += reading.corrected
        each.reversed += reading.reversed
    made.refused.update(reading.refused)
    made.looked += reading.looked
    made.filled.update(reading.filled)
    made.skew.update(reading.skew)


def _readings(store: AlertStore, feed: str, begin: int, end: int) -> Iterable[ReadingReport]:
    """Each range once: what was written of it last."""
    rows = store.query(
        "SELECT argMax(json, letter_offset) AS body, generation, topic, `partition` AS p, first_offset AS f "
        "FROM feed_reading WHERE feed = %(feed)s AND known_at_ms >= %(begin)s AND known_at_ms < %(end)s "
        "GROUP BY generation, topic, p, f ORDER BY generation, topic, p, f",
        {"feed": feed, "begin": begin, "end": end},
    )
    for body, *_ in rows:
        found = decode_report(str(body).encode())
        if isinstance(found, ReadingReport):
            yield found


def _receipts(store: AlertStore, feed: str, begin: int, end: int) -> Iterable[ReceiptReport]:
    rows = store.query(
        "SELECT argMax(json, letter_offset) AS body, receipt, at_ms FROM feed_receipts "
        "WHERE feed = %(feed)s AND at_ms >= %(begin)s AND at_ms < %(end)s GROUP BY receipt, at_ms ORDER BY at_ms",
        {"feed": feed, "begin": begin, "end": end},
    )
    for body, *_ in rows:
        found = decode_report(str(body).encode())
        if isinstance(found, ReceiptReport):
            yield found


def _closing(store: AlertStore, feed: str, month: str, catalogue: Catalogue) -> Closing:
    """When the month's first complete batch was known in every partition it has parts in."""
    begin, _ = _bounds(month)
    rows = store.query(
        "SELECT DISTINCT json FROM feed_reading WHERE feed = %(feed)s AND known_at_ms >= %(begin)s "
        "AND position(json, %(period)s) > 0",
        {"feed": feed, "begin": begin, "period": json.dumps(month)},
    )
    parts: dict[str, dict[int, tuple[int, int]]] = {}
    last = store.query("SELECT max(`partition`) FROM feed_reading WHERE feed = %(feed)s", {"feed": feed})
    partitions = int(str(last[0][0])) + 1  # manifests go to every partition, so every one has been read
    for (body,) in rows:
        found = decode_report(str(body).encode())
        if isinstance(found, ReadingReport):
            for batchid, period, _, count in found.closed:
                if period == month:
                    parts.setdefault(batchid, {})[found.partition] = (found.known_ms, count)
    whole = [each for each in parts.values() if len(each) >= partitions]
    first = min(whole, key=lambda each: max(ms for ms, _ in each.values()), default=None)
    closed = _day(max(ms for ms, _ in first.values())) if first else None
    return Closing(month, due_of(month, feed, catalogue), closed, sum(n for _, n in first.values()) if first else 0)


def _trend(store: AlertStore, feed: str, month: str) -> dict[str, int]:
    """Rows of this month and those before."""
    months = [month]
    while len(months) < TREND_MONTHS:
        months.append(_before(months[-1]))
    rows = store.query(
        "SELECT m, sum(n) AS total FROM (SELECT "
        "toYYYYMM(toDateTime(intDiv(max(known_at_ms), 1000), 'Asia/Shanghai')) AS m, "
        "argMax(rows, letter_offset) AS n FROM feed_reading WHERE feed = %(feed)s AND known_at_ms >= %(begin)s "
        "AND known_at_ms < %(end)s GROUP BY generation, topic, `partition`, first_offset) GROUP BY m ORDER BY m",
        {"feed": feed, "begin": _bounds(months[-1])[0], "end": _bounds(month)[1]},
    )
    found = {f"{str(m)[:4]}-{str(m)[4:]}": int(str(n)) for m, n in rows}
    return {each: found.get(each, 0) for each in reversed(months)}


def _bounds(month: str) -> tuple[int, int]:
    """The month in China as half-open milliseconds."""
    return tuple(
        int(datetime.fromisoformat(f"{each}-01T00:00:00+08:00").timestamp() * 1000)
        for each in (month, _following(month))
    )  # type: ignore[return-value]


def _following(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def _before(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04d}-{(number - 2) % 12 + 1:02d}"


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, BEIJING).date()
