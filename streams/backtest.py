"""One partition folded twice from the same log: with the policies of then, and with others in their place.

The monitor's own fold, detectors and episodes, and nothing is sent. Rules answer for themselves, so the second time
only those are asked that read something else then. On the eve of the first day on which answers may differ everybody is
asked again in both, so that what differs follows from the values. Two things are not as they were: everybody is asked
on that eve, and an episode does not go along with a person who moves after it but is found again where the person lives
now. What came along in the log is the answer of the policy of then.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec
import zstandard

from detectors.registry import Detector
from policy.bundle import Bundle
from schemas.calendar import SHANGHAI
from schemas.records import PolicyBody, PolicyRecord, Record, TickBody, TickRecord, TransferRecord, encode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.config import StreamConfig
from streams.control import day_of
from streams.metrics import METRICS
from streams.rebuild import KEEP_EVERY, LoggedBlock
from streams.replay import opened
from streams.watch import Watch

Instead = Callable[[Bundle], Bundle]
_MARKS = (b"tick", b"policy.activated", b"transfer")
"""Kinds of records that are looked at; a block that only speaks of one is looked at for nothing."""


class Span(NamedTuple):
    """Day ordinals, all included: the first and last asked about, and the first on which answers may differ."""

    first: int
    last: int
    parts: int


class Twice(NamedTuple):
    """A partition at the end of the span, twice; once where no rule can answer otherwise. `begun`, `reached`: first and
    last day that the log tells of."""

    before: Watch
    after: Watch | None
    begun: int | None
    reached: int | None


class Activated(NamedTuple):
    """A bundle and the day from which it was in force."""

    day: int
    bundle: Bundle


def fold_twice(
    blocks: Iterable[LoggedBlock],
    partition: int,
    config: StreamConfig,
    span: Span,
    instead: Instead,
    touched: Mapping[str, Detector],
) -> Twice:
    """Folds a partition's whole log up to the end of the span; blocks come in order. Raises Stop on no block.

    `touched`: the rules that may answer otherwise; the second watch knows no others.
    """
    pair = _Pair(partition, config, instead, touched)
    begun: int | None = None
    reached: int | None = None
    with METRICS.muted():
        for block in blocks:
            records = _looked_at(block)
            day = _told_day(records)
            if day is not None and day >= span.parts:
                pair.part(block.known_at)
            if day is not None and day > span.last:  # so all of the last day is over
                pair.tick(_end_of(span.last))
                reached = span.last if begun is not None else None
                break
            begun = day if begun is None else begun
            reached = day if day is not None else reached
            pair.fold(block, records)
    return Twice(pair.before, pair.after, begun, reached)


def activated(blocks: Iterable[LoggedBlock], last: int) -> list[Activated]:
    """The bundles that one partition was told of up to the end of a day, oldest first."""
    found: list[Activated] = []
    on = 0
    for block in blocks:
        for record in _looked_at(block):
            if isinstance(record, TickRecord):
                on = max(on, day_of(record.body.at_ms))
                if on > last:
                    return found
            elif isinstance(record, PolicyRecord):
                found.append(Activated(day_of(record.known_at), _unpacked(record.body)))
    return found


class _Pair:
    """Two watches of one partition; what they are told differs from the day on which they part."""

    def __init__(self, partition: int, config: StreamConfig, instead: Instead, touched: Mapping[str, Detector]) -> None:
        self.before = Watch(partition, config)
        self.after = Watch(partition, config, touched) if touched else None
        self._instead = instead
        self._parted = False
        self._offset = 0
        self._packed: dict[str, bytes] = {}

    def fold(self, block: LoggedBlock, records: list[Record]) -> None:
        """Takes a block; `records` where it was looked at."""
        if not self._parted or not any(isinstance(each, PolicyRecord | TransferRecord) for each in records):
            self._take(block.known_at, block.block, block.block)
            return
        theirs = [_alone(each) for each in records]
        ours = [self._replaced(each) if isinstance(each, PolicyRecord) else each for each in theirs]
        self._take(block.known_at, encode_block(theirs), encode_block(ours))

    def part(self, at_ms: int) -> None:
        """From here on other values hold in one of them, and everybody is asked in both."""
        if self._parted or self.after is None:
            return
        self._parted = True
        bundle = self.before.known.bundle
        if bundle is not None:
            name = f"{bundle.hash}+"  # the name it has is in force already, and nobody would be asked
            again = PolicyRecord("", at_ms, "", 0, 0, PolicyBody(name, self._pack(bundle)))
            self._take(at_ms, encode_block([again]), encode_block([self._replaced(again)]))

    def tick(self, at_ms: int) -> None:
        """It is at least so late."""
        value = encode_block([TickRecord("", at_ms, "", 0, 0, TickBody(at_ms))])
        self._take(at_ms, value, value)

    def _take(self, at_ms: int, theirs: bytes, ours: bytes) -> None:
        """Blocks are numbered anew: the log may have begun again at 0, and some are put in between."""
        self.before.fold(HOUSEHOLD_EVENTS, self._offset, at_ms, theirs)
        if self.after is not None:
            self.after.fold(HOUSEHOLD_EVENTS, self._offset, at_ms, ours)
        self._offset += 1
        if self._offset % KEEP_EVERY == 0:
            for watch in filter(None, (self.before, self.after)):
                watch.keep(watch.drain().state)

    def _replaced(self, record: PolicyRecord) -> PolicyRecord:
        bundle = self._instead(_unpacked(record.body))
        body = msgspec.structs.replace(record.body, bundle=self._pack(bundle))
        return msgspec.structs.replace(record, body=body)

    def _pack(self, bundle: Bundle) -> bytes:
        packed = self._packed.get(bundle.hash)
        if packed is None:
            packed = self._packed[bundle.hash] = zstandard.compress(bundle.canonical())
        return packed


def _looked_at(block: LoggedBlock) -> list[Record]:
    return opened(block) if any(mark in block.block for mark in _MARKS) else []


def _told_day(records: Iterable[Record]) -> int | None:
    return max((day_of(each.body.at_ms) for each in records if isinstance(each, TickRecord)), default=None)


def _alone(record: Record) -> Record:
    """Without the episodes that came along with a person."""
    if not isinstance(record, TransferRecord):
        return record
    return msgspec.structs.replace(record, body=msgspec.structs.replace(record.body, episodes=()))


def _unpacked(body: PolicyBody) -> Bundle:
    return Bundle.from_canonical(zstandard.decompress(body.bundle))


def _end_of(day: int) -> int:
    over = datetime.combine(date.fromordinal(day) + timedelta(days=1), datetime.min.time(), SHANGHAI)
    return int(over.timestamp() * 1000) - 1
