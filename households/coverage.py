"""What closed batches cover: which month of which feed is complete for which areas, in one partition.

A batch is closed when the parts of all feed partitions are there; only then is a missing row an answer. Parts may
come in any order and repeatedly. A batch that replaces what it does not repeat is counted first, and closed only when
not too much is missing from it or somebody has said that it may be (`households.holding`).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

import msgspec

from households.closings import Closed, Closings
from households.holding import Batch, Told, told_of
from households.numbers import Numbers
from households.volumes import Least
from households.wholes import NOTHING_SAID, Chain, Spoke, Whole, spoken_of_area
from schemas.records import BatchBegunBody, BatchCountBody, BatchPartBody, BatchVerdictBody

_KEPT_ANSWERS = 4096


class Cadence(Protocol):
    """How often a feed closes a period, by which day of the following month, and whether several sources close it."""

    @property
    def closes(self) -> str | None: ...
    @property
    def by_day(self) -> int: ...
    @property
    def several(self) -> bool: ...


class _Kept(msgspec.Struct, array_like=True):
    closings: Closings = msgspec.field(default_factory=Closings)
    numbers: Numbers = msgspec.field(default_factory=Numbers)
    wholes: dict[str, dict[str, Whole]] = {}


class Coverage:
    """Periods closed in a partition. `cadences` say when a feed counts as stale; they are not part of the state.

    `least`: how many rows a month needs to be believed, set by whoever knows the policy of the day; None: any. `chain`:
    an area and those above it on a day, set likewise. `wholes`: by feed and source, what replaces what it does not
    repeat; `edition` is another object whenever that, or the tree of areas, has changed. `told` and `forgotten` are for
    people: what became of batches that were held, and those given up because they never ended.
    """

    def __init__(self, cadences: Mapping[str, Cadence] | None = None) -> None:
        self._cadences = cadences or {}
        self._noted: dict[str, int] = {}
        self._take(_Kept())
        self.told: list[Told] = []
        self.forgotten: list[Batch] = []
        self.least: Least | None = None
        self.chain: Chain = _alone
        self.forget()

    def _take(self, kept: _Kept) -> None:
        self._closings, self._numbers, self.wholes = kept.closings, kept.numbers, kept.wholes

    def add_part(self, body: BatchPartBody) -> Closed | None:
        """Note a delivered part; the batch when this was its last missing part and nobody has to judge it."""
        batch = self._open(body)
        if batch is None or (batch.complete and batch.judged):
            return None
        batch.add(body)
        return self._close(batch) if batch.complete and not batch.judged else None

    def begin(self, body: BatchBegunBody) -> Closed | None:
        """A batch that replaces what it does not repeat begins; the batch when what is there is to be counted now."""
        batch = self._open(body)
        if batch is None or not batch.begin():
            return None
        month = month_number(body.period)
        return Closed(body.feed, body.batchid, month, body.areas, body.mode, body.begun_ms, body.source)

    def to_count(self, body: BatchPartBody) -> Closed | None:
        """The batch when all of it is here and this partition has not told yet what is gone; it has from now on."""
        batch = self._numbers.known(body)
        if batch is None or batch.counted or not (batch.complete and batch.judged):
            return None
        batch.counted = True
        return _closed(batch)

    def count(self, body: BatchCountBody) -> Closed | None:
        """What a partition counted; the batch when that was the last word missing and it may take effect."""
        batch = self._open(body)
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
        batch = self._numbers.known(body)
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
        return [batch for batch in self._numbers.open.values() if batch.held]

    def reuses(self, body: BatchPartBody) -> bool:
        """Whether a part belongs to another delivery than the one known under its number, and so changes nothing."""
        return self._numbers.reuses(body)

    def contradicts(self, body: BatchPartBody) -> bool:
        """Whether the manifests of an open batch say different things: it will never close."""
        batch = self._numbers.known(body)
        return batch is not None and batch.odd

    def areas_of(self, body: BatchCountBody | BatchVerdictBody) -> tuple[str, ...]:
        """What an open batch says it covers."""
        batch = self._numbers.known(body)
        return batch.said[1] if batch is not None and batch.said is not None else ()

    def closed(self, feed: str, month: int, chain: tuple[str, ...]) -> bool:
        """Whether the month is complete, and not too short to be, for an area, given it and everything above it."""
        return self._closings.closed(feed, month, chain, several=self._several(feed))

    def last_closed(self, feed: str, chain: tuple[str, ...]) -> int | None:
        """The newest complete month for an area that is not in doubt."""
        asked = (feed, chain)
        if asked not in self._last:
            if len(self._last) >= _KEPT_ANSWERS:
                self._last.clear()
            self._last[asked] = self._closings.last(feed, chain, several=self._several(feed))
        return self._last[asked]

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
            if len(self._missing) >= _KEPT_ANSWERS:
                self._missing.clear()
            answer = self._missing[asked] = tuple(
                (feed, month_name(self.last_closed(feed, chain))) for feed in feeds if self.stale(feed, chain, on)
            )
        return answer

    def spoken(self, feed: str, area: str) -> Spoke:
        """What whole batches of a feed say of an area, by source."""
        said = self._spoken.get((feed, area))
        if said is None:
            sources = self.wholes.get(feed)
            said = spoken_of_area(sources, area, self.chain) if sources else NOTHING_SAID
            self._spoken[feed, area] = said
        return said

    def standing(self, feeds: tuple[str, ...], chain: tuple[str, ...], on: date) -> object:
        """Something to compare: another one whenever batches say something else of these feeds than before."""
        asked = (feeds, chain, on)
        told = self._standing.get(asked)
        if told is None:
            if len(self._standing) >= _KEPT_ANSWERS:
                self._standing.clear()
            closed = sum(self._noted.get(feed, 0) for feed in feeds)
            told = self._standing[asked] = (self.edition, closed, self.missing(feeds, chain, on))
        return told

    def forget(self) -> None:
        """Answers kept from earlier questions may be wrong now."""
        self.edition = object()
        self._spoken: dict[tuple[str, str], Spoke] = {}
        self._forget_months()

    def encode(self) -> bytes:
        """The state as msgpack."""
        return msgspec.msgpack.encode(_Kept(self._closings, self._numbers, self.wholes))

    @classmethod
    def decode(cls, raw: bytes, cadences: Mapping[str, Cadence] | None = None) -> "Coverage":
        """The coverage `encode` was called on."""
        coverage = cls(cadences)
        coverage._take(msgspec.msgpack.decode(raw, type=_Kept))
        return coverage

    def canonical(self) -> dict[str, Any]:
        """What two coverages with the same batches agree on."""
        batches = self._numbers.open.values()
        opened = sorted(batches, key=lambda each: (each.feed, each.batchid, each.source, each.period))
        return {
            "months": self._closings.months,
            "wholes": msgspec.to_builtins(self.wholes),
            "open": [(each.feed, each.batchid, sorted(each.parts)) for each in opened],
            "short": self._closings.volumes.short,
            "held": [f"{each.feed}|{each.batchid}" for each in opened if each.held],
        }

    def _forget_months(self) -> None:
        self._standing: dict[tuple[tuple[str, ...], tuple[str, ...], date], object] = {}
        self._last: dict[tuple[str, tuple[str, ...]], int | None] = {}
        self._missing: dict[tuple[tuple[str, ...], tuple[str, ...], date], tuple[tuple[str, str | None], ...]] = {}

    def _several(self, feed: str) -> bool:
        cadence = self._cadences.get(feed)
        return cadence is not None and cadence.several

    def _open(self, body: BatchPartBody | BatchBegunBody | BatchCountBody) -> Batch | None:
        batch = self._numbers.take(body)
        self.forgotten += self._numbers.give_up()
        return batch

    def _close(self, batch: Batch) -> Closed:
        closed = _closed(batch)
        self._drop(batch)
        self._closings.note(closed, sum(batch.rows.values()), self.least)
        self._noted[closed.feed] = self._noted.get(closed.feed, 0) + 1
        self._forget_months()
        if closed.replaces:
            whole = self.wholes.setdefault(closed.feed, {}).setdefault(closed.source, Whole())
            whole.add(closed.month, closed.named, closed.begun_ms, snapshot=closed.snapshot)
            for other in self.held():
                if self._replaced(_closed(other)):
                    self._drop(other, told_of(other, "superseded"))
            self.forget()
        return closed

    def _drop(self, batch: Batch, told: Told | None = None) -> None:
        self._numbers.finish(batch)
        if told is not None:
            self.told.append(told)

    def _replaced(self, held: Closed) -> bool:
        """Whether a later batch said all that a held one wants to say: then nobody has to decide any more."""
        whole = self.wholes.get(held.feed, {}).get(held.source, Whole())
        begun = whole.of(snapshot=held.snapshot).get(held.month, {})
        return all(begun.get(area, 0) > held.begun_ms for area in held.named)


def _alone(area: str, day: int) -> tuple[str, ...]:
    return (area,)


def _closed(batch: Batch) -> Closed:
    period, areas, mode = batch.said or ("", (), "")
    return Closed(batch.feed, batch.batchid, month_number(period), areas, mode, batch.begun_ms, batch.source)


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
