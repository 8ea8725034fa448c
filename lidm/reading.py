"""Reads a topic from the past up to its present end, without a group; for commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from lidm.settings import Settings
from schemas.errors import Unreachable

_EMBEDDED_API = (2, 0)


def read_topic(settings: Settings, topic: str, *, since_ms: int | None = None) -> Iterator[Any]:
    """Every message there is now (from `since_ms` on, by broker time), per partition in order. Raises Unreachable."""
    with _consumer(settings) as consumer:
        yield from _read(consumer, topic, since_ms)


def ends_of(settings: Settings, topic: str) -> dict[int, int]:
    """End offset of each partition of a topic. Raises Unreachable."""
    with _consumer(settings) as consumer:
        return {place.partition: int(end) for place, end in consumer.end_offsets(_places(consumer, topic)).items()}


@contextmanager
def _consumer(settings: Settings) -> Iterator[Any]:
    broker = settings.bootstrap
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=broker,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            api_version=_EMBEDDED_API if settings.embedded else None,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaError as error:
        raise Unreachable(f"消息服务连接不上：{broker}（{type(error).__name__}）") from error


def _places(consumer: Any, topic: str) -> list[TopicPartition]:
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise Unreachable(f"没有主题 {topic}：请先运行 lidm topics apply")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def _read(consumer: Any, topic: str, since_ms: int | None) -> Iterator[Any]:
    places = _places(consumer, topic)
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    consumer.seek_to_beginning(*places)
    if since_ms is not None:
        for place, found in consumer.offsets_for_times(dict.fromkeys(places, since_ms)).items():
            consumer.seek(place, found.offset if found is not None else ends[place])
    while waiting := [place for place in places if consumer.position(place) < ends[place]]:
        consumer.resume(*waiting)
        for place, messages in consumer.poll(timeout_ms=500, max_records=2000).items():
            yield from (message for message in messages if message.offset < ends[place])
