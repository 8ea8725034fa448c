"""Reads whole topics, or what came since the last time."""

from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.lag import Lag


class Reader:
    """One topic from its start; every call of `news` goes on where the last one ended. Not a group member."""

    def __init__(self, broker: str, partitions: int, topic: str) -> None:
        self._topic = topic
        self._lag = Lag(broker, partitions)
        self._consumer = KafkaConsumer(
            bootstrap_servers=broker,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            check_crcs=False,
        )
        places = [TopicPartition(topic, p) for p in range(partitions)]
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)

    def news(self) -> Iterator[Any]:
        """Every message up to what is the end now, per partition in order."""
        ends = self._lag.ends(self._topic)
        waiting = {TopicPartition(self._topic, p) for p, end in ends.items()}
        waiting = {place for place in waiting if self._consumer.position(place) < ends[place.partition]}
        while waiting:
            for messages in self._consumer.poll(timeout_ms=500, max_records=5000).values():
                yield from messages
            waiting = {place for place in waiting if self._consumer.position(place) < ends[place.partition]}

    def close(self) -> None:
        """Disconnects."""
        self._consumer.close()
        self._lag.close()


def read_all(broker: str, partitions: int, topic: str) -> list[Any]:
    """Every message of a topic, per partition in order."""
    reader = Reader(broker, partitions, topic)
    try:
        return sorted(reader.news(), key=lambda message: (message.partition, message.offset))
    finally:
        reader.close()
