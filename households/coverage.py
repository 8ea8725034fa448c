"""What closed batches cover: which month of which feed is complete for which areas, in one partition.

A batch is closed when the parts of all feed partitions are there; only then is a missing row an answer. Parts may
come in any order and repeatedly. A batch that replaces what it does not repeat is counted first, and closed only when
not too much is missing from it or somebody has said that it may be (`households.holding`).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol

import msgspec

from households.holding import WHOLE, Batch, Told, told_of
from households.snapshots import by_month
from households.volumes import Least, Volumes
from schemas.records import BatchBegunBody, BatchCountBody, BatchPartBody, BatchVerdictBody

EVERYWHERE = "*"
_KEPT_BATCHES = 4096
_KEPT_OPEN = 1024


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
        """Whether what the batch does not repeat has ended or counts as reversed."""
        return self.mode in WHOLE

    @property
    def snapshot(self) -> bool:
        """Whether it speaks of more than its month: of everything that began up to its end."""
        return self.mode == "full_snapshot" and not by_month(self.feed)


_Floors = dict[str, dict[str, dict[int, int]]]


class _Kept(msgspec.Struct, array_like=True):
    months: dict[str, dict[str, list[int]]] = {}
    open: dict[str, Batch] = {}
    done: list[str] = []
    floors: _Floors = {}
    snapshots: _Floors = {}
    volumes: Volumes = msgspec.field(default_factory=Volumes)


class Coverage:
    """Periods closed in a partition. `cadences` say when a feed counts as stale; they are not part of the state.

    `least`: how many rows a month needs to be believed, set by whoever knows the policy of the day; None: any.
    """

    def __init__(self, cadences: Mapping[str, Cadence] | None = None) -> None:
        self._cadences = cadences or {}
        self._kept = _Kept()
        self._done: set[str] = set()
        self.told: list[Told] = []
        self.least: Least | None = None
        self._missing: dict[tuple[tuple[str, ...], tuple[str, ...], date], tuple[tuple[str, str | None], ...]] = {}

    def add_part(self, body: BatchPartBody) -> Closed | None:
        """Note a delivered part; the batch when this was its last missing part and nobody has to judge it."""
        batch = self._open(body.feed, body.batchid, body.of)
        if batch is None or (batch.complete and batch.judged):
            return None
        batch.add(body)
        return self._close(batch) if batch.complete and not batch.judged else None

    def begin(self, body: BatchBegunBody) -> Closed | None:
        """A batch that replaces what it does not repeat begins; the batch when what is there is to be counted now."""
        batch = self._open(body.feed, body.batchid, body.of)
        if batch is None or not batch.begin():
            return None
        return Closed(body.feed, body.batchid, month_number(body.period), body.areas, body.mode, body.begun_ms)

    def to_count(self, feed: str, batchid: str) -> Closed | None:
        """The batch when all of it is here and this partition has not told yet what is gone; it has from now on."""
        batch = self._kept.open.get(_name(feed, batchid))
        if batch is None or batch.counted or not (batch.complete and batch.judged):
            return None
        batch.counted = True
        return _closed(batch)

    def count(self, body: BatchCountBody) -> Closed | None:
        """What a partition counted; the batch when that was the last word missing and it may take effect."""
        batch = self._open(body.feed, body.batchid, body.of)
        if batch is None or batch.all_counted:
            return None
        batch.count(body)
        if not (batch.all_counted and batch.complete):
            return None
        if not batch.excessive:
            return self._close(batch)
        batch.held = True
        self.told.append(told_of(batch, "held"))
        if self._replaced(_closed(batch)):
            self._drop(batch, told_of(batch, "superseded"))
            return None
        return self._decided(batch)

    def decide(self, body: BatchVerdictBody) -> Closed | None:
        """Somebody decided about a batch that is held; the batch when it takes effect. The first decision stands."""
        batch = self._kept.open.get(_name(body.feed, body.batchid))
        if batch is None or not batch.complete:
            return None
        batch.verdict = batch.verdict or (body.verdict, body.actor, body.reason)
        return self._decided(batch) if batch.held else None

    def _decided(self, batch: Batch) -> Closed | None:
        if batch.verdict is None:
            return None
        verdict, actor, reason = batch.verdict
        if verdict == "release":
            self.told.append(told_of(batch, "released", actor, reason))
            return self._close(batch)
        self._drop(batch, told_of(batch, "refused", actor, reason))
        return None

    def held(self) -> list[Batch]:
        """Batches that wait for somebody."""
        return [batch for batch in self._kept.open.values() if batch.held]

    def contradicts(self, feed: str, batchid: str) -> bool:
        """Whether the manifests of an open batch say different things: it will never close."""
        batch = self._kept.open.get(_name(feed, batchid))
        return batch is not None and batch.odd

    def areas_of(self, feed: str, batchid: str) -> tuple[str, ...]:
        """What an open batch says it covers."""
        batch = self._kept.open.get(_name(feed, batchid))
        return batch.said[1] if batch is not None and batch.said is not None else ()

    def closed(self, feed: str, month: int, chain: tuple[str, ...]) -> bool:
        """Whether the month is complete, and not too short to be, for an area, given it and everything above it."""
        areas, doubts = self._kept.months.get(feed, {}), self._kept.volumes.doubts
        return any(month in areas.get(area, ()) and not doubts(feed, month, area) for area in (*chain, EVERYWHERE))

    def last_closed(self, feed: str, chain: tuple[str, ...]) -> int | None:
        """The newest complete month for an area that is not in doubt."""
        areas, doubts = self._kept.months.get(feed, {}), self._kept.volumes.doubts
        known = [(area, areas[area]) for area in (*chain, EVERYWHERE) if area in areas]
        newest = (next((m for m in reversed(months) if not doubts(feed, m, area)), None) for area, months in known)
        return max((month for month in newest if month is not None), default=None)

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
        return _found(self._kept.floors, chain)

    def snapshots(self, chain: tuple[str, ...]) -> list[tuple[str, int, int]]:
        """The same of full snapshots that speak of more than their month."""
        return _found(self._kept.snapshots, chain)

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
            "snapshots": self._kept.snapshots,
            "open": {name: sorted(each.parts) for name, each in sorted(self._kept.open.items())},
            "short": self._kept.volumes.short,
            "held": sorted(_name(each.feed, each.batchid) for each in self.held()),
        }

    def _open(self, feed: str, batchid: str, of: int) -> Batch | None:
        """The open batch, made when nothing was known of it; None when it is done with."""
        name, opened = _name(feed, batchid), self._kept.open
        if name in self._done:
            return None
        batch = opened.get(name)
        if batch is None:
            batch = opened[name] = Batch(feed, batchid, of)
            while len(opened) > _KEPT_OPEN:  # begun and never ended; its end would find no part but its own
                del opened[next(iter(opened))]
        return batch

    def _close(self, batch: Batch) -> Closed:
        closed = _closed(batch)
        self._drop(batch)
        areas = self._kept.months.setdefault(closed.feed, {})
        for area in closed.areas or (EVERYWHERE,):
            areas[area] = sorted({*areas.get(area, ()), closed.month})
        named, rows = closed.areas or (EVERYWHERE,), sum(batch.rows.values())
        self._kept.volumes.note(closed.feed, named, closed.month, rows, closed.begun_ms, whole=closed.replaces)
        self._kept.volumes.judge(closed.feed, self.least)
        if closed.replaces:
            floors = self._floors(closed)
            for area in closed.areas or (EVERYWHERE,):
                months = floors.setdefault(area, {})
                months[closed.month] = max(closed.begun_ms, months.get(closed.month, 0))
            for other in self.held():
                if other.feed == closed.feed and self._replaced(_closed(other)):
                    self._drop(other, told_of(other, "superseded"))
        self._missing.clear()
        return closed

    def _drop(self, batch: Batch, told: Told | None = None) -> None:
        """The batch is done with; whatever is said of it afterwards changes nothing."""
        name = _name(batch.feed, batch.batchid)
        del self._kept.open[name]
        self._done.add(name)
        self._kept.done.append(name)
        if len(self._kept.done) > _KEPT_BATCHES:
            self._done.discard(self._kept.done.pop(0))
        if told is not None:
            self.told.append(told)

    def _floors(self, closed: Closed) -> dict[str, dict[int, int]]:
        kept = self._kept.snapshots if closed.snapshot else self._kept.floors
        return kept.setdefault(closed.feed, {})

    def _replaced(self, held: Closed) -> bool:
        """Whether a later batch said all that a held one wants to say: then nobody has to decide any more."""
        floors = self._floors(held)
        return all(floors.get(area, {}).get(held.month, 0) > held.begun_ms for area in held.areas or (EVERYWHERE,))


def _name(feed: str, batchid: str) -> str:
    return f"{feed}|{batchid}"


def _closed(batch: Batch) -> Closed:
    period, areas, mode = batch.said or ("", (), "")
    return Closed(batch.feed, batch.batchid, month_number(period), areas, mode, batch.begun_ms)


def _found(floors: _Floors, chain: tuple[str, ...]) -> list[tuple[str, int, int]]:
    found: dict[tuple[str, int], int] = {}
    for feed, areas in floors.items():
        for area in (*chain, EVERYWHERE):
            for month, begun_ms in areas.get(area, {}).items():
                found[feed, month] = max(begun_ms, found.get((feed, month), 0))
    return [(feed, month, begun_ms) for (feed, month), begun_ms in sorted(found.items())]


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
