"""What closed batches cover: which month of which feed is complete for which areas, in one partition.

A batch is closed when the parts of all feed partitions are there; only then is a missing row an answer. Parts may
come in any order and repeatedly.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.records import BatchPartBody

EVERYWHERE = "*"
_KEPT_BATCHES = 4096


class Cadence(Protocol):
    """How often a feed closes a period, and by which day of the following month."""

    @property
    def closes(self) -> str | None: ...
    @property
    def by_day(self) -> int: ...


class Closed(NamedTuple):
    """A batch whose parts are all there. `areas` empty: everywhere."""

    feed: str
    batchid: str
    month: int
    areas: tuple[str, ...]
    mode: str
    begun_ms: int

    @property
    def replaces(self) -> bool:
        """Whether rows of the month that are not in the batch count as reversed."""
        return self.mode == "replace_period"


class _Open(msgspec.Struct, array_like=True):
    of: int
    parts: list[int]


class _Kept(msgspec.Struct, array_like=True):
    months: dict[str, dict[str, list[int]]] = {}
    open: dict[str, _Open] = {}
    done: list[str] = []
    floors: dict[str, dict[str, dict[int, int]]] = {}


class Coverage:
    """Periods closed in a partition. `cadences` say when a feed counts as stale; they are not part of the state."""

    def __init__(self, cadences: Mapping[str, Cadence] | None = None) -> None:
        self._cadences = cadences or {}
        self._kept = _Kept()
        self._done: set[str] = set()
        self._missing: dict[tuple[tuple[str, ...], tuple[str, ...], date], tuple[tuple[str, str | None], ...]] = {}

    def add_part(self, body: BatchPartBody) -> Closed | None:
        """Note a delivered part; the batch when this was its last missing part."""
        name = f"{body.feed}|{body.batchid}"
        if name in self._done:
            return None
        known = self._kept.open.setdefault(name, _Open(body.of, []))
        if body.q not in known.parts:
            known.parts.append(body.q)
        if len(known.parts) < known.of:
            return None
        closed = Closed(body.feed, body.batchid, month_number(body.period), body.areas, body.mode, body.begun_ms)
        self._close(name, closed)
        return closed

    def closed(self, feed: str, month: int, chain: tuple[str, ...]) -> bool:
        """Whether the month is complete for an area, given the area and everything above it."""
        areas = self._kept.months.get(feed, {})
        return any(month in areas.get(area, ()) for area in (*chain, EVERYWHERE))

    def last_closed(self, feed: str, chain: tuple[str, ...]) -> int | None:
        """The newest complete month for an area."""
        areas = self._kept.months.get(feed, {})
        return max((areas[area][-1] for area in (*chain, EVERYWHERE) if area in areas), default=None)

    def stale(self, feed: str, chain: tuple[str, ...], on: date, cadence: Cadence | None = None) -> bool:
        """Whether a month that should be complete by `on` is not. A feed without cadence is never stale."""
        cadence = cadence or self._cadences.get(feed)
        if cadence is None or cadence.closes is None:
            return False
        last = self.last_closed(feed, chain)
        return last is None or last < due_month(on, cadence.by_day)

    def missing(self, feeds: tuple[str, ...], chain: tuple[str, ...], on: date) -> tuple[tuple[str, str | None], ...]:
        """The stale ones of `feeds` with the last month covered (`2026-05`)."""
        asked = (feeds, chain, on)
        answer = self._missing.get(asked)
        if answer is None:
            if len(self._missing) >= _KEPT_BATCHES:
                self._missing.clear()
            answer = self._missing[asked] = tuple(
                (feed, month_name(self.last_closed(feed, chain))) for feed in feeds if self.stale(feed, chain, on)
            )
        return answer

    def floors(self, chain: tuple[str, ...]) -> list[tuple[str, int, int]]:
        """(feed, month, begun_ms) of every whole replacement for an area; a new household starts with them."""
        found: dict[tuple[str, int], int] = {}
        for feed, areas in self._kept.floors.items():
            for area in (*chain, EVERYWHERE):
                for month, begun_ms in areas.get(area, {}).items():
                    found[feed, month] = max(begun_ms, found.get((feed, month), 0))
        return [(feed, month, begun_ms) for (feed, month), begun_ms in sorted(found.items())]

    def encode(self) -> bytes:
        """The state as msgpack."""
        return msgspec.msgpack.encode(self._kept)

    @classmethod
    def decode(cls, raw: bytes, cadences: Mapping[str, Cadence] | None = None) -> "Coverage":
        """The coverage `encode` was called on."""
        coverage = cls(cadences)
        coverage._kept = msgspec.msgpack.decode(raw, type=_Kept)
        coverage._done = set(coverage._kept.done)
        return coverage

    def canonical(self) -> dict[str, Any]:
        """What two coverages with the same batches agree on."""
        return {
            "months": {feed: dict(sorted(areas.items())) for feed, areas in sorted(self._kept.months.items())},
            "floors": self._kept.floors,
            "open": {name: sorted(each.parts) for name, each in sorted(self._kept.open.items())},
        }

    def _close(self, name: str, closed: Closed) -> None:
        del self._kept.open[name]
        self._done.add(name)
        self._kept.done.append(name)
        if len(self._kept.done) > _KEPT_BATCHES:
            self._done.discard(self._kept.done.pop(0))
        areas = self._kept.months.setdefault(closed.feed, {})
        floors = self._kept.floors.setdefault(closed.feed, {}) if closed.replaces else {}
        for area in closed.areas or (EVERYWHERE,):
            areas[area] = sorted({*areas.get(area, ()), closed.month})
            if closed.replaces:
                months = floors.setdefault(area, {})
                months[closed.month] = max(closed.begun_ms, months.get(closed.month, 0))
        self._missing.clear()


def due_month(on: date, by_day: int) -> int:
    """The newest month that should be complete on a day: last month after `by_day`, the one before until then."""
    return on.year * 12 + on.month - 1 - (1 if on.day > by_day else 2)


def month_number(period: str) -> int:
    """`2026-05` as a month number."""
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month[:2]) - 1


def month_name(month: int | None) -> str | None:
    """A month number as `2026-05`."""
    return None if month is None else f"{month // 12:04d}-{month % 12 + 1:02d}"
