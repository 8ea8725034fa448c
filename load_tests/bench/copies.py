"""Many ledgers from few: the state of one small town, and the same town again under other names of equal length.

Growing 24 months of ledgers through the fold costs CPU seconds per thousand persons; renaming costs milliseconds.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from load_tests.bench.volumes import copy_name
from schemas.partition import partition_of
from streams.control import Kept, Marker

_FIRST_COPY = copy_name(0).encode()
_APPLIED = struct.Struct(">q")

Raw = tuple[bytes, bytes]
"""Key and value of one state record."""


class Town(NamedTuple):
    """State after so many months (`settled`, each key once), what a monthly dump wrote over it, and the control."""

    persons: int
    settled: list[Raw]
    rewritten: list[Raw]
    control: list[Raw]


def renamed(raw: bytes, copy: int) -> bytes:
    """The same bytes about other people: names of copy 0 begin alike, in keys, facts and causes."""
    if copy == 0:
        return raw
    other = copy_name(copy).encode()
    return raw.replace(b"h_" + _FIRST_COPY, b"h_" + other).replace(b"p_" + _FIRST_COPY, b"p_" + other)


def spread_out(town: Town, copies: int, partitions: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, key and value of the whole state topic: everybody settled, then the dump's pages, then the control.

    Every record says it applied offset 0: the log these ledgers came from is not there.
    """
    for part in (town.settled, town.rewritten):
        homes = [key.partition(b"/")[0] for key, _ in part]
        for copy in range(copies):
            for home, (key, value) in zip(homes, part, strict=True):
                place = partition_of(renamed(home, copy), partitions)
                yield place, renamed(key, copy), _APPLIED.pack(0) + renamed(value[8:], copy)
    for partition in range(partitions):
        yield from ((partition, key, value) for key, value in began(town.control, partition))


def began(control: Sequence[Raw], partition: int) -> Iterator[Raw]:
    """The control of one partition of a log whose first block is applied; the marker last."""
    for key, value in control:
        if key == b"control":
            yield key, _again(value, Kept)
        elif key.startswith(b"ckpt/"):
            yield f"ckpt/{partition}".encode(), _again(value, Marker)
        else:
            yield key, value


def _again(raw: bytes, kind: type[Kept] | type[Marker]) -> bytes:
    found = msgspec.msgpack.decode(raw, type=kind)
    found.next = 1
    return msgspec.msgpack.encode(found)
