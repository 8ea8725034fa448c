"""Ways to read the archived topics with kafka-python: as a member of a group, or every partition by assignment."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from sinks.rows import ARCHIVED, Message

GROUP = "lidm-archive"
MOCK_API = (2, 0)  # librdkafka's in-memory broker does not answer kafka-python's version questions
_LIMITS = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_bytes": 16 * 1024 * 1024,
    "max_partition_fetch_bytes": 2 * 1024 * 1024,
    "max_poll_records": 500,
    "metrics_enabled": False,
    "bootstrap_timeout_ms": 5_000,
    "metadata_max_age_ms": 30_000,
}


class Consumer(Protocol):
    """What the archive needs of a consumer."""

    def poll(self, timeout_ms: int, max_records: int) -> Mapping[TopicPartition, Sequence[Message]]: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], timeout_ms: int) -> None: ...
    def committed(self, partition: TopicPartition, metadata: Literal[True]) -> OffsetAndMetadata | None: ...
    def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]: ...
    def assignment(self) -> set[TopicPartition]: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    def close(self, timeout_ms: int) -> None: ...


def group_consumer(
    broker: str, *, group: str = GROUP, session_seconds: float = 30.0, topics: Sequence[str] = ARCHIVED
) -> Consumer:
    """A member of the group: partitions are shared with the other archive workers.

    Its topics are looked up before the first poll. kafka-python 3.0 may lose the lookup that subscribing asks for: the
    leader then assigns nothing; and a rejoin because of late metadata that outlasts one poll is never finished.
    """
    consumer = KafkaConsumer(
        *topics,
        bootstrap_servers=broker,
        group_id=group,
        session_timeout_ms=int(session_seconds * 1000),
        heartbeat_interval_ms=int(min(3.0, session_seconds / 3) * 1000),
        **_LIMITS,
    )
    for topic in topics:
        consumer.partitions_for_topic(topic)
    member: Consumer = consumer
    return member


def assigned_consumer(
    broker: str,
    partitions: int,
    *,
    group: str = GROUP,
    topics: Sequence[str] = ARCHIVED,
    api_version: tuple[int, ...] | None = MOCK_API,
) -> Consumer:
    """Reads every partition itself and commits under the group's name; for the one process of the embedded mode.

    Not a group member: rejoining after a restart waits out a session on the in-memory broker.
    """
    consumer = KafkaConsumer(bootstrap_servers=broker, group_id=group, api_version=api_version, **_LIMITS)
    consumer.assign([TopicPartition(topic, number) for topic in topics for number in range(partitions)])
    assigned: Consumer = consumer
    return assigned


def follow(
    broker: str, topic: str, partitions: int, *, from_start: bool, embedded: bool, seconds: float | None = None
) -> Iterator[Message]:
    """Messages of a topic as they come, without a group; ends after `seconds`, or never. Raises KafkaError."""
    version = MOCK_API if embedded else None
    consumer = KafkaConsumer(bootstrap_servers=broker, api_version=version, **_LIMITS)
    until = None if seconds is None else time.monotonic() + seconds
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        if not from_start:
            consumer.seek_to_end(*places)
            for place in places:
                consumer.position(place)
        while until is None or time.monotonic() < until:
            for messages in consumer.poll(timeout_ms=200).values():
                yield from messages
    finally:
        consumer.close(timeout_ms=1_000)
