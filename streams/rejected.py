"""Sealed dead letters: what could not be taken is kept for a data steward, readable by nobody else."""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec

from schemas.partition import partition_of
from schemas.plain_identity import carries_identity
from schemas.sealing import seal
from schemas.topics import REJECTED
from streams.delivery import Headers, Letter
from streams.letters import replays_of

PART_BYTES = 800_000
"""Largest plaintext sealed in one message, below what any of our publishers takes; a longer one travels in parts."""
NAMED_PROBLEMS = 100
"""As many problems of a message are named in its headers; `count` says how many there are."""
NAMED_BYTES = 8_000
BATCH_CHARACTERS = 128


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
    problems: Sequence[tuple[str, str]] = (),
    headers: Headers = (),
    batch: str | None = None,
) -> Iterator[Letter]:
    """One sealed message, or several numbered ones. Code, pointer, digest, coordinates are headers, never content.

    Code, pointer and message are those of the first problem; `problems` is every one (code, pointer into the message)
    where an array has several. `headers` are sealed with the message; of them only the count of replays shows.
    """
    headers = tuple((name, content or b"") for name, content in headers)
    original = msgspec.msgpack.encode((key, value, headers) if headers else (key, value))
    digest = hashlib.sha256(original).hexdigest()
    parts = [original[i : i + PART_BYTES] for i in range(0, len(original), PART_BYTES)]
    problems = problems or [(code, pointer)]
    place = f"{at.topic}/{at.partition}/{at.offset}".encode()
    said: Headers = (
        ("code", code.encode()),
        ("pointer", pointer.encode()),
        ("message", message.encode()),
        ("count", str(len(problems)).encode()),
        ("problems", _named(problems)),
        ("digest", digest.encode()),
        ("topic", at.topic.encode()),
        ("partition", str(at.partition).encode()),
        ("offset", str(at.offset).encode()),
        ("known_at", str(at.timestamp_ms).encode()),
        ("batch", _shown(batch)),
        ("replays", str(replays_of(headers)).encode()),
    )
    for number, part in enumerate(parts):
        yield Letter(
            REJECTED,
            partition_of(place, partitions),
            place,
            seal(public_key, part, aad=digest.encode()),
            at.timestamp_ms,
            (*said, ("part", f"{number + 1}/{len(parts)}".encode())),
        )


def _shown(batch: str | None) -> bytes:
    """A batch id as a header may carry it: a department chose it, so it may be anything."""
    if not batch or len(batch) > BATCH_CHARACTERS or not batch.isprintable() or carries_identity(batch):
        return b""
    return batch.encode()


def _named(problems: Sequence[tuple[str, str]]) -> bytes:
    """The first problems as compact JSON, within what a header may weigh."""
    named: list[bytes] = []
    room = NAMED_BYTES - 2
    for problem in problems[:NAMED_PROBLEMS]:
        said = msgspec.json.encode(problem)
        room -= len(said) + 1
        if room < 0:
            break
        named.append(said)
    return b"[" + b",".join(named) + b"]"
