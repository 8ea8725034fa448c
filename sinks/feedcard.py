"""The report card of a feed: how good a department's data was in a month or on a day, from what the store has.

Counts are of what intake read and what the gateway took; shares of filled fields and repeats come from the sample
intake looks into (one person in sixteen to sixty-four).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from schemas.amounts import Amounts, merged
from schemas.feed import FEEDS
from schemas.feed_reports import HoldReport, ReadingReport, ReceiptReport, decode_report
from schemas.topics import Catalogue
from sinks.feed_periods import Closing, before, bounds, closing_of, day_bounds, day_of
from sinks.holds import holds
from sinks.store import AlertStore, Param

TREND_MONTHS = 6
OUTAGE_MS = 31 * 86_400_000
"""A range read again after a crash may end later than it did, by as much as intake was away; its newest row counts."""


@dataclass
class Day:
    """One day of a feed by when it was known."""

    rows: int = 0
    routed: int = 0
    out_of_scope: int = 0
    refused: int = 0
    corrected: int = 0
    reversed: int = 0


@dataclass
class Card:
    """The report card of one feed and month, or day; `month` names it. `volume`: rows of the month's whole batches.

    `flaws`: identity numbers that are wrong, by kind (`schemas.identity_flaws`); `amounts`: of the sample, by field and
    order of magnitude. `holds`: batches of the month that wait for a person or did. `departments`: rows the gateway
    read, left out and refused, by who sent them.
    """

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
    flaws: Counter[str] = field(default_factory=Counter)
    amounts: Amounts = field(default_factory=dict)
    holds: list[HoldReport] = field(default_factory=list)
    departments: dict[str, Counter[str]] = field(default_factory=dict)

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
            "identities": dict(self.flaws.most_common()),
            "departments": {name: dict(counts) for name, counts in sorted(self.departments.items())},
            "delivered": self.closing.rows,
            "rejected_share": self.rejected_share,
            "matched_share": self.matched_share,
            "repeated_share": self.repeated_share,
            "looked": self.looked,
            "completeness": {name: share for name, _, _, share in self.completeness()},
            "skew": dict(self.skew),
            "trend": self.trend,
            "holds": [msgspec.to_builtins(each) for each in self.holds],
        }


def card(store: AlertStore, feed: str, month: str, today: date, catalogue: Catalogue | None = None) -> Card:
    """The card of a feed for the month `YYYY-MM`. Raises StoreError."""
    catalogue = catalogue or Catalogue.load()
    begin, end = bounds(month)
    every = holds(store, feed)
    told = [each for each in every if each.period == month]
    closing = closing_of(store, feed, month, catalogue, every)
    made = Card(feed, FEEDS[feed].title, catalogue.owner(feed), month, closing, closing.state(today))
    made.holds = told
    fill(made, readings(store, feed, begin, end), receipts(store, feed, begin, end))
    made.trend = _trend(store, feed, month)
    return made


def day_card(store: AlertStore, feed: str, day: date, catalogue: Catalogue | None = None) -> Card:
    """The card of a feed for one day; on time means here that something came. Raises StoreError."""
    catalogue = catalogue or Catalogue.load()
    made = Card(feed, FEEDS[feed].title, catalogue.owner(feed), day.isoformat(), Closing("", None, None, 0), "")
    begin, end = day_bounds(day)
    fill(made, readings(store, feed, begin, end), receipts(store, feed, begin, end))
    made.on_time = "有数据" if made.total.rows or made.gateway_read else "没有数据"
    made.trend = _trend(store, feed, f"{day:%Y-%m}")
    return made


def fill(made: Card, read: Iterable[ReadingReport], took: Iterable[ReceiptReport]) -> None:
    """Adds what intake read and what the gateway took."""
    seen: Counter[str] = Counter()
    for reading in read:
        _add(made, reading)
        seen.update(reading.sampled)
    made.sampled, made.repeated = seen.total(), seen.total() - len(seen)
    for receipt in took:
        made.gateway_read += receipt.read
        made.gateway_left_out += receipt.left_out
        made.gateway_refused.update(receipt.refused)
        sender = made.departments.setdefault(receipt.department or made.owner, Counter())
        sender.update(read=receipt.read, left_out=receipt.left_out, refused=sum(receipt.refused.values()))
        made.flaws.update(receipt.identities)
        _add_amounts(made, receipt.amounts)


def _add(made: Card, reading: ReadingReport) -> None:
    day = made.days.setdefault(day_of(reading.known_ms).isoformat(), Day())
    refused = sum(reading.refused.values())
    for each in (day, made.total):
        each.rows += reading.rows
        each.routed += reading.routed
        each.out_of_scope += reading.out_of_scope
        each.refused += refused
        each.corrected += reading.corrected
        each.reversed += reading.reversed
    made.refused.update(reading.refused)
    if plain := reading.refused.get("PLAIN_IDENTITY", 0):
        made.flaws["plain"] += plain
    _add_amounts(made, reading.amounts)
    made.looked += reading.looked
    made.filled.update(reading.filled)
    made.skew.update(reading.skew)


def _add_amounts(made: Card, amounts: Amounts) -> None:
    for name, counts in amounts.items():
        made.amounts[name] = merged((made.amounts.get(name, {}), counts))


def readings(store: AlertStore, feed: str, begin: int, end: int) -> Iterable[ReadingReport]:
    """Each range once: what was written of it last. One partition after another, so that a flood fits into memory."""
    within = "feed = %(feed)s AND known_at_ms >= %(from)s"
    asked: dict[str, Param] = {"feed": feed, "from": begin - OUTAGE_MS, "begin": begin, "end": end}
    places = f"SELECT DISTINCT `partition` AS p FROM feed_reading WHERE {within} ORDER BY p"  # noqa: S608 - our own words
    for (place,) in store.query(places, asked):
        rows = store.query(
            "SELECT argMax(json, letter_offset) AS body, generation, topic, first_offset AS f FROM feed_reading "  # noqa: S608 - as above
            f"WHERE `partition` = %(p)s AND {within} GROUP BY generation, topic, f "
            "HAVING argMax(known_at_ms, letter_offset) >= %(begin)s AND argMax(known_at_ms, letter_offset) < %(end)s "
            "ORDER BY generation, topic, f",
            {**asked, "p": int(str(place))},
        )
        for body, *_ in rows:
            found = decode_report(str(body).encode())
            if isinstance(found, ReadingReport):
                yield found


def receipts(store: AlertStore, feed: str, begin: int, end: int) -> Iterable[ReceiptReport]:
    rows = store.query(
        "SELECT argMax(json, letter_offset) AS body, receipt, at_ms FROM feed_receipts "
        "WHERE feed = %(feed)s AND at_ms >= %(begin)s AND at_ms < %(end)s GROUP BY receipt, at_ms ORDER BY at_ms",
        {"feed": feed, "begin": begin, "end": end},
    )
    for body, *_ in rows:
        found = decode_report(str(body).encode())
        if isinstance(found, ReceiptReport):
            yield found


def _trend(store: AlertStore, feed: str, month: str) -> dict[str, int]:
    """Rows of this month and those before."""
    months = [month]
    while len(months) < TREND_MONTHS:
        months.append(before(months[-1]))
    rows = store.query(
        "SELECT m, sum(n) AS total FROM (SELECT "
        "toYYYYMM(toDateTime(intDiv(argMax(known_at_ms, letter_offset), 1000), 'Asia/Shanghai')) AS m, "
        "argMax(rows, letter_offset) AS n FROM feed_reading WHERE feed = %(feed)s AND known_at_ms >= %(from)s "
        "GROUP BY generation, topic, `partition`, first_offset) GROUP BY m ORDER BY m",
        {"feed": feed, "from": bounds(months[-1])[0] - OUTAGE_MS},
    )
    found = {f"{str(m)[:4]}-{str(m)[4:]}": int(str(n)) for m, n in rows}
    return {each: found.get(each, 0) for each in reversed(months)}
