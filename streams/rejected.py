"""Sealed dead letters: what could not be taken is kept for a data steward, readable by nobody else."""

import hashlib
from collections.abc import Iterator

import msgspec

from schemas.sealing import seal
from schemas.topics import REJECTED
from streams.delivery import Headers, Letter

PART_BYTES = 1_000_000
"""Largest plaintext sealed in one message; a longer one travels in numbered parts."""


class Coordinates(msgspec.Struct, frozen=True, gc=False):
    """Where the original lies."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int


def dead_letters(
    code: str,
    pointer: str,
    message: str,
    at: Coordinates,
    key: bytes | None,
    value: bytes | None,
    public_key: bytes,
    partitions: int,
) -> Iterator[Letter]:
    """One sealed message, or several numbered ones. Code, pointer, digest, coordinates are headers, never content."""
    original = msgspec.msgpack.encode((key, value))
    digest = hashlib.sha256(original).hexdigest()
    parts = [original[i : i + PART_BYTES] for i in range(0, len(original), PART_BYTES)]
    for number, part in enumerate(parts):
        headers: Headers = (
            ("code", code.encode()),
            ("pointer", pointer.encode()),
            ("message", message.encode()),
            ("digest", digest.encode()),
            ("topic", at.topic.encode()),
            ("partition", str(at.partition).encode()),
            ("offset", str(at.offset).encode()),
            ("known_at", str(at.timestamp_ms).encode()),
            ("part", f"{number + 1}/{len(parts)}".encode()),
        )
        yield Letter(
            REJECTED,
            at.offset % partitions,
            f"{at.topic}/{at.partition}/{at.offset}".encode(),
            seal(public_key, part, aad=digest.encode()),
            at.timestamp_ms,
            headers,
        )
