"""Figures of what intake reads, for the report card: one record per feed partition and commit, delivered before it.

Counts are exact. Some messages, by the person they are keyed with, are looked into for which fields are filled and how
late they were recorded and of what order their amounts are: one in sixteen while few come, one in sixty-four in a
flood. Whether the same event came before is asked of one person in sixty-four, always the same ones. A refused message
is never looked into, unless its amounts alone were in doubt, and only names of the feed's own fields are counted:
nothing a sender wrote gets into a record. A range read again after a crash begins at the same offset, so that its
record replaces the one written then.
"""

import hashlib
from collections.abc import Hashable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Protocol

import msgspec

from schemas.amounts import Amounts, note
from schemas.feed import FEEDS
from schemas.feed_reports import ReadingReport, encode_report
from schemas.partition import partition_of
from schemas.topics import FEED_REPORTS
from streams.counts import SliceCounts
from streams.delivery import Letter

SAMPLED = b"0"
STEADY = b"048c"
"""Last and last but one digit of a key that is looked into; pseudonyms are evenly spread."""
FLOOD = 64
"""A slice of so many messages is part of a flood."""
MOST_SAMPLES = 4_000
_DAY_MS = 86_400_000
_STEPS = ((-1, "future"), (_DAY_MS, "day"), (7 * _DAY_MS, "week"), (31 * _DAY_MS, "month"))


class Record(Protocol):
    """A message of a feed topic."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Place(Hashable, Protocol):
    """A partition of a topic."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...


class _Look(msgspec.Struct):
    """The little of an event that figures need."""

    id: str
    source: str
    time: datetime
    subject: str = ""
    operation: str = "record"
    recordedtime: datetime | None = None
    data: dict[str, msgspec.Raw] = {}


class _Sum(msgspec.Struct):
    """What was read of a partition since the last commit."""

    feed: str
    first: int
    last: int = 0
    names: frozenset[str] = frozenset()
    money: frozenset[str] = frozenset()
    known_ms: int = 0
    counts: SliceCounts = msgspec.field(default_factory=SliceCounts)
    looked: int = 0
    filled: dict[str, int] = {}
    skew: dict[str, int] = {}
    sampled: list[str] = []
    amounts: Amounts = {}


_one = msgspec.json.Decoder(_Look).decode
_several = msgspec.json.Decoder(list[_Look]).decode


class Figures:
    """The figures of one worker."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._sums: dict[Any, _Sum] = {}

    def add(self, place: Place, feed: str, records: Sequence[Record], counts: SliceCounts) -> None:
        """Adds one slice of a feed partition and what was made of it."""
        sums = self._sums.get(place)
        if sums is None:
            names, money = _names(place.topic), _money(place.topic)
            sums = self._sums[place] = _Sum(feed, records[0].offset, names=names, money=money)
        sums.last, sums.known_ms = records[-1].offset, records[-1].timestamp
        _sum_up(sums.counts, counts)
        few, refused = len(records) < FLOOD, counts.refused_at - counts.doubted_at
        for record in records:
            key = record.key
            if key is not None and key[-1:] == SAMPLED and record.offset not in refused:
                steady = key[-2:-1] in STEADY
                if few or steady:
                    _look(sums, record, repeats=steady)

    def letters(self) -> list[Letter]:
        """Records to deliver before the commit they belong to; starts afresh."""
        sums, self._sums = self._sums, {}
        return [self._letter(place, each) for place, each in sums.items()]

    def forget(self, place: Place) -> None:
        """Somebody else reads this again."""
        self._sums.pop(place, None)

    def _letter(self, place: Place, sums: _Sum) -> Letter:
        counts = sums.counts
        report = ReadingReport(
            topic=place.topic,
            feed=sums.feed,
            partition=place.partition,
            first=sums.first,
            last=sums.last,
            known_ms=sums.known_ms,
            rows=counts.rows,
            routed=counts.rows - counts.out_of_scope - counts.bad,
            out_of_scope=counts.out_of_scope,
            corrected=counts.corrected,
            reversed=counts.reversed,
            refused=counts.refused,
            looked=sums.looked,
            filled=sums.filled,
            skew=sums.skew,
            sampled=tuple(sums.sampled),
            closed=tuple(counts.closed),
            amounts=sums.amounts,
        )
        key = sums.feed.encode()
        return Letter(FEED_REPORTS, partition_of(key, self._partitions), key, encode_report(report), sums.known_ms)


@cache
def _names(topic: str) -> frozenset[str]:
    """The fields of the feed of a topic."""
    return frozenset(field.name for spec in FEEDS.every if spec.topic == topic for field in spec.fields)


@cache
def _money(topic: str) -> frozenset[str]:
    """Those of them that are amounts."""
    return frozenset(
        field.name for spec in FEEDS.every if spec.topic == topic for field in spec.fields if field.kind == "fen"
    )


def _sum_up(sums: SliceCounts, counts: SliceCounts) -> None:
    sums.rows += counts.rows
    sums.out_of_scope += counts.out_of_scope
    sums.corrected += counts.corrected
    sums.reversed += counts.reversed
    sums.closed += counts.closed
    for code, n in counts.refused.items():
        sums.refused[code] = sums.refused.get(code, 0) + n


def _look(sums: _Sum, record: Record, *, repeats: bool) -> None:
    value = record.value or b""
    try:
        events = _several(value) if value[:1] == b"[" else [_one(value)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # refused and counted as such
    for event in events:
        sums.looked += 1
        for name, raw in event.data.items():
            if name in sums.names and (said := bytes(raw)) != b"null":
                sums.filled[name] = sums.filled.get(name, 0) + 1
                if name in sums.money and (digits := said.removeprefix(b"-")).isdigit():
                    note(sums.amounts, name, int(digits))
        recorded = event.recordedtime or event.time
        late = record.timestamp - int(recorded.timestamp() * 1000) if recorded.tzinfo else 0
        step = next((name for limit, name in _STEPS if late <= limit), "late")
        sums.skew[step] = sums.skew.get(step, 0) + 1
        if repeats and len(sums.sampled) < MOST_SAMPLES:
            sums.sampled.append(_digest(event))


def _digest(event: _Look) -> str:
    """Names an event: the same one sent again has the same name."""
    head = f"{event.source}|{event.id}|{event.subject}|{event.operation}|".encode()
    return hashlib.blake2b(head + b"".join(bytes(raw) for raw in event.data.values()), digest_size=8).hexdigest()
