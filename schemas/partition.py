"""The partitioner of the contract: Kafka's murmur2, so that every client puts a key into the same partition."""

import struct

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition_of(key: str | bytes, n: int) -> int:
    """Partition of `key` among `n`, as Java's default partitioner and librdkafka's `murmur2_random` choose it."""
    data = key.encode() if isinstance(key, str) else key
    return (murmur2(data) & 0x7FFFFFFF) % n


def murmur2(data: bytes) -> int:
    """Unsigned 32-bit murmur2 of `data` with Kafka's seed."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for word in struct.unpack_from(f"<{whole >> 2}I", data):
        k = word * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ (k >> 24)) * _M & _MASK)
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)
