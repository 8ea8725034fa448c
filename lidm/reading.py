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
    """Every message there is now, per partition in order; from `since_ms` on where the broker finds offsets by time.

    Raises Unreachable.
    """
    with _consumer(settings) as consumer:
        # The in-memory broker finds no offsets by time: it is short enough to be read from its start.
        yield from _read(consumer, _places(consumer, settings, topic), None if settings.embedded else since_ms)


def ends_of(settings: Settings, topic: str) -> dict[int, int]:
    """End offset of each partition of a topic. Raises Unreachable."""
    with _consumer(settings) as consumer:
        places = _places(consumer, settings, topic)
        return {place.partition: int(end) for place, end in consumer.end_offsets(places).items()} if places else {}


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
            **settings.security.options(),
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaError as error:
        raise Unreachable(f"消息服务连接不上：{broker}（{type(error).__name__}）") from error


def _places(consumer: Any, settings: Settings, topic: str) -> list[TopicPartition]:
    """Where the topic lies; the in-memory broker makes a topic when it is first written."""
    numbers = consumer.partitions_for_topic(topic) or set()
    if not numbers and not settings.embedded:
        raise Unreachable(f"没有主题 {topic}：请先运行 lidm topics apply")
    return [TopicPartition(topic, number) for number in sorted(numbers)]


def _read(consumer: Any, places: list[TopicPartition], since_ms: int | None) -> Iterator[Any]:
    if not places:
        return
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
