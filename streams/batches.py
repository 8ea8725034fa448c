"""Batches still open in one feed partition. They travel in the metadata of a commit, so they are few and short."""

import hashlib
import json
from functools import lru_cache

import msgspec

OPEN_BATCHES = 32
"""Open batches kept per feed partition; one more and the oldest is given up: its end is then refused as unknown."""
NAME_BYTES = 60
"""Longest batch id kept as it is, in JSON. 32 batches stay under 3,500 bytes; Kafka takes 4,096 with a commit."""


class OpenBatch(msgspec.Struct):
    """Rows of a batch counted so far in one feed partition; `mark`: of whose batch it is, "" where that is unknown."""

    rows: int
    begun_ms: int
    mark: str = ""

    def belongs_to(self, source: str) -> bool:
        """Whether it is a batch of this source."""
        return self.mark in ("", mark_of(source))


Batches = dict[str, OpenBatch]
"""By name, oldest first."""


@lru_cache(maxsize=1024)
def batch_name(batchid: str) -> str:
    """A short name of a batch: its id, or the digest of a long one."""
    if len(batchid) <= NAME_BYTES and len(json.dumps(batchid)) <= NAME_BYTES and not batchid.startswith("#"):
        return batchid
    return "#" + hashlib.sha256(batchid.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@lru_cache(maxsize=1024)
def mark_of(source: str) -> str:
    """A short mark of a source."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def begin(batches: Batches, batchid: str, begun_ms: int, source: str) -> bool:
    """Opens a batch, or opens it anew, as the newest; False, nothing done, while another source has one of its number.

    Rows name only the number: two of one number at a time could not be told apart.
    """
    name = batch_name(batchid)
    known = batches.get(name)
    if known is not None and not known.belongs_to(source):
        return False
    batches.pop(name, None)
    batches[name] = OpenBatch(0, begun_ms, mark_of(source))
    _bound(batches)
    return True


def encode_batches(batches: Batches) -> str:
    """The metadata of a commit: ASCII, empty without open batches."""
    if not batches:
        return ""
    said = {name: [b.rows, b.begun_ms, *([b.mark] if b.mark else [])] for name, b in batches.items()}
    return json.dumps(said, separators=(",", ":"))


def decode_batches(metadata: str) -> Batches:
    """Reads such metadata, also that of a version which kept more and longer names."""
    if not metadata:
        return {}
    said = json.loads(metadata).items()
    batches = {name if name.startswith("#") else batch_name(name): OpenBatch(*known) for name, known in said}
    _bound(batches)
    return batches


def _bound(batches: Batches) -> None:
    while len(batches) > OPEN_BATCHES:
        del batches[next(iter(batches))]
