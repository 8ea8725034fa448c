"""Snapshot of a partition's case work: a record per case_id that changed, then a marker of how far events are covered.

Keys hold a `/`, which no household has. A record may be ahead of the marker (the snapshot it belongs to was cut off):
events read twice change nothing, so that does no harm. A marker without all it counts is not used.
"""

from collections.abc import Iterator

import msgspec

from cases.snapshot import LIMIT_BYTES, VERSIONS, encode_record, seq_of
from streams.casework import Casework
from streams.statelog import Item

CHAIN = b"chain/"
MARKER = b"ckpt/"


class Marker(msgspec.Struct, array_like=True, frozen=True):
    """Every event before offset `next` is in the records: `events` of them, that opened `opened` cases.

    Whoever encodes cannot know where the events will lie: the log fills in `next` when they are durable.
    """

    next: int
    events: int
    opened: int


def encode_marker(marker: Marker) -> bytes:
    """Versions first."""
    return VERSIONS + msgspec.msgpack.encode(marker)


def decode_marker(raw: bytes) -> Marker | None:
    """The marker; None when another version wrote it."""
    return msgspec.msgpack.decode(raw[len(VERSIONS) :], type=Marker) if raw.startswith(VERSIONS) else None


def is_snapshot(key: bytes) -> bool:
    """Whether a key belongs to a snapshot rather than to an event."""
    return b"/" in key


def snapshot_of(work: Casework, partition: int) -> list[Item]:
    """What changed since the last snapshot, the marker last; none when a case has outgrown a record."""
    view = work.view
    items = [Item(CHAIN + case_id.encode(), encode_record(work.record(case_id))) for case_id in view.touched]
    if any(len(item.value or b"") > LIMIT_BYTES for item in items):
        return []
    view.touched.clear()
    marker = Marker(-1, view.events, view.opened)
    return [*items, Item(MARKER + str(partition).encode(), encode_marker(marker))]


class Snapshot:
    """Collects the records of a state log and says whether they can be used."""

    def __init__(self) -> None:
        self._records: dict[bytes, tuple[int, bytes]] = {}
        self._behind: set[bytes] = set()
        self._marker: tuple[bytes, Marker] | None = None

    def take(self, key: bytes, value: bytes | None) -> None:
        """One record in the order of the log. Of one key the furthest wins, whichever was written later."""
        if value is None:
            self._records.pop(key, None)
        elif key.startswith(MARKER):
            self._take_marker(key, value)
        elif (seq := seq_of(value)) is not None:
            known = self._records.get(key)
            if known is None or known[0] <= seq:
                self._records[key] = (seq, value)
                self._behind.discard(key)
            else:
                self._behind.add(key)

    @property
    def marker(self) -> Marker | None:
        """How far the records reach; None when there is no snapshot of this version, or not all of it."""
        if self._marker is None or sum(seq for seq, _ in self._records.values()) < self._marker[1].events:
            return None
        return self._marker[1]

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Everything of a snapshot that can be used, the marker last."""
        if self._marker is not None:
            yield from ((key, value) for key, (_, value) in self._records.items())
            yield self._marker[0], encode_marker(self._marker[1])

    def behind(self) -> list[Item]:
        """Records to write again: an older one was written after them, and compaction would keep that."""
        return [Item(key, self._records[key][1]) for key in sorted(self._behind & self._records.keys())]

    def _take_marker(self, key: bytes, value: bytes) -> None:
        marker = decode_marker(value)
        if marker is not None and (self._marker is None or self._marker[1].next <= marker.next):
            self._marker = (key, marker)
