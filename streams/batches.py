"""Batches still open in one feed partition. They travel in the metadata of a commit, so they are few and short."""

import hashlib
import json
from functools import lru_cache

import msgspec

OPEN_BATCHES = 32
"""Open batches kept per feed partition; one more and the oldest is given up: its end is then refused as unknown."""
NAME_BYTES = 60
"""Longest batch id kept as it is, in JSON. 32 batches stay under 3,100 bytes; Kafka takes 4,096 with a commit."""


class OpenBatch(msgspec.Struct):
    """Rows of a batch counted so far in one feed partition."""

    rows: int
    begun_ms: int


Batches = dict[str, OpenBatch]
"""By name, oldest first."""


@lru_cache(maxsize=1024)
def batch_name(batchid: str) -> str:
    """A short name of a batch: its id, or the digest of a long one."""
    if len(batchid) <= NAME_BYTES and len(json.dumps(batchid)) <= NAME_BYTES and not batchid.startswith("#"):
        return batchid
    return "#" + hashlib.sha256(batchid.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def begin(batches: Batches, batchid: str, begun_ms: int) -> None:
    """Opens a batch, or opens it anew, as the newest."""
    name = batch_name(batchid)
    batches.pop(name, None)
    batches[name] = OpenBatch(0, begun_ms)
    _bound(batches)


def encode_batches(batches: Batches) -> str:
    """The metadata of a commit: ASCII, empty without open batches."""
    if not batches:
        return ""
    return json.dumps({name: [b.rows, b.begun_ms] for name, b in batches.items()}, separators=(",", ":"))


def decode_batches(metadata: str) -> Batches:
    """Reads such metadata, also that of a version which kept more and longer names."""
    if not metadata:
        return {}
    said = json.loads(metadata).items()
    batches = {
        name if name.startswith("#") else batch_name(name): OpenBatch(rows, begun) for name, (rows, begun) in said
    }
    _bound(batches)
    return batches


def _bound(batches: Batches) -> None:
    while len(batches) > OPEN_BATCHES:
        del batches[next(iter(batches))]
