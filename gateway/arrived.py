"""What a journal asks the broker: whether it is the one it wrote to, and which rows a killed run still delivered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import msgspec
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from schemas.errors import Unreachable

_PATIENCE_MS = 20_000
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Head(msgspec.Struct):
    type: str = ""
    batchid: str | None = None


_head = msgspec.json.Decoder(_Head).decode


class Standing(NamedTuple):
    """Whose cluster it is ("" where nothing tells), and where each partition of a topic ends."""

    cluster: str
    ends: tuple[int, ...]


class Arrived(Protocol):
    """Says what arrived; tests have their own."""

    def __call__(self, topic: str, batchid: str, after: Sequence[int]) -> list[tuple[int, bool]]:
        """Per partition: rows of the batch beyond the given offset (-1: from the beginning), and whether it ended."""
        ...


class ArrivedInKafka:
    """Reads the ends of a topic's partitions."""

    def __init__(self, bootstrap: str, options: dict[str, Any], *, embedded: bool = False, born: str = "") -> None:
        """`born`: birth mark of the process that holds an in-memory cluster, which names itself by chance."""
        self._born = born
        self._options = {"bootstrap_servers": bootstrap, **options, "api_version": (2, 0) if embedded else None}

    def __call__(self, topic: str, batchid: str, after: Sequence[int]) -> list[tuple[int, bool]]:
        """Rows and end per partition. Raises Unreachable when the topic cannot be read."""
        with self._reading(topic) as consumer:
            return self._count(consumer, topic, batchid, after)

    def standing(self, topic: str) -> Standing:
        """Where the topic stands now. Raises Unreachable when it cannot be read."""
        with self._reading(topic) as consumer:
            where = [TopicPartition(topic, partition) for partition in sorted(consumer.partitions_for_topic(topic))]
            ends = consumer.end_offsets(where) if where else {}
            named = consumer._cluster.cluster_id  # noqa: SLF001 - it came with the metadata, and nothing else tells it
        marks = [mark for mark in (named, self._born) if mark]
        return Standing(" ".join(marks), tuple(int(ends[place]) for place in where))

    @contextmanager
    def _reading(self, topic: str) -> Iterator[Any]:
        try:
            consumer = KafkaConsumer(enable_auto_commit=False, group_id=None, **self._options)
        except KafkaError as error:
            raise Unreachable("消息服务连接不上") from error
        try:
            yield consumer
        except KafkaError as error:
            raise Unreachable(f"不能读取主题 {topic}，无法确定已送达的行") from error
        finally:
            consumer.close()

    @staticmethod
    def _count(consumer: Any, topic: str, batchid: str, after: Sequence[int]) -> list[tuple[int, bool]]:
        where = [TopicPartition(topic, partition) for partition in range(len(after))]
        consumer.assign(where)
        ends, begins = consumer.end_offsets(where), consumer.beginning_offsets(where)
        for place, last in zip(where, after, strict=True):
            consumer.seek(place, max(last + 1, begins[place]))
        found = [0] * len(after)
        ended = [False] * len(after)
        while any(consumer.position(place) < ends[place] for place in where):
            polled = consumer.poll(timeout_ms=_PATIENCE_MS)
            if not polled:
                raise Unreachable(f"主题 {topic} 没有应答，无法确定已送达的行")
            for place, records in polled.items():
                found[place.partition] += sum(rows_of(record.value, batchid) for record in records)
                ended[place.partition] |= any(ends_batch(record.value, batchid) for record in records)
        return list(zip(found, ended, strict=True))


def rows_of(value: bytes | None, batchid: str) -> int:
    """Rows of the batch in one message; manifests are none."""
    return sum(head.batchid == batchid and not head.type.startswith("lidm.batch.") for head in _heads(value or b""))


def ends_batch(value: bytes | None, batchid: str) -> bool:
    """Whether a message is the end manifest of the batch."""
    return any(head.batchid == batchid and head.type == "lidm.batch.end" for head in _heads(value or b""))


def _heads(value: bytes) -> Iterator[_Head]:
    try:
        for raw in _split(value) if value.startswith(b"[") else [value]:
            yield _head(raw)
    except msgspec.MsgspecError:
        return
