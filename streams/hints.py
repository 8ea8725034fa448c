"""What intake learns from compacted topics: memberships, aliases, parked feeds, limits of amounts.

Hints only; ledgers are the truth.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.amount_limits import read_amounts
from schemas.doubts import Doubts
from schemas.topics import ALIASES, INTAKE_CONTROL, MEMBERS
from streams.breaker import Breaker, decode_control
from streams.config import StreamConfig
from streams.registry import Registry, decode_stay

log = structlog.get_logger("lidm.intake")


class AliasRecord(msgspec.Struct, frozen=True):
    """Value of a record in `persons.aliases.v1`; the key is the later pseudonym."""

    person: str


async def open_hints(config: StreamConfig) -> AIOKafkaConsumer:
    """A consumer of all hints at their start; a restarted embedded service has its memberships from the archive."""
    topics = [ALIASES, INTAKE_CONTROL] if config.embedded else [MEMBERS, ALIASES, INTAKE_CONTROL]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=config.broker,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    places = [TopicPartition(topic, p) for topic in topics for p in range(config.partitions)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    return consumer


async def to_the_end(consumer: AIOKafkaConsumer) -> AsyncIterator[Any]:
    """Every record up to what is the end now."""
    ends = await consumer.end_offsets(list(consumer.assignment()))
    while any([await consumer.position(place) < end for place, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                yield record


def learn(record: Any, registry: Registry, breaker: Breaker, doubts: Doubts) -> None:
    """Takes a hint. One that cannot be read is skipped: ledgers do not rest on it."""
    if record.value is None:
        return
    try:
        if record.topic == MEMBERS:
            registry.merge(decode_stay(record.value))
        elif record.topic == INTAKE_CONTROL:
            key = (record.key or b"").decode()
            if (amounts := read_amounts(key, record.value)) is not None:
                doubts.learn(*amounts)
            else:
                breaker.learn(key, decode_control(record.value))
        elif record.key is not None:
            person = msgspec.json.decode(record.value, type=AliasRecord).person
            registry.alias(record.key.decode(), person)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        log.warning("hint_unreadable", topic=record.topic, partition=record.partition, offset=record.offset)
