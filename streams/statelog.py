"""Where folded state is kept durable: a port with two adapters, a compacted Kafka topic and none (embedded)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import Stop
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter

Restore = Callable[[bytes, bytes | None], None]


class Item(msgspec.Struct, frozen=True, gc=False):
    """One state record; None deletes the key. `tied`: durable together with the next one, or neither is."""

    key: bytes
    value: bytes | None
    timestamp_ms: int | None = None
    tied: bool = False


class StateLog(Protocol):
    """Durable state of partitions. A partition has one owner; a second writer is noticed and stops one of them."""

    async def start(self) -> None:
        """Connects."""

    async def stop(self) -> None:
        """Disconnects."""

    async def load(self, partition: int, restore: Restore, ours: Callable[[], bool]) -> bool:
        """Feeds every record since the last load to `restore`; False when the partition is no longer ours."""

    async def fence(self, partitions: Iterable[int]) -> None:
        """Raises Stop when somebody else wrote into a partition since our last write or load."""

    async def write(self, items: Mapping[int, list[Item]]) -> None:
        """Delivers all items, per partition in order. Raises Stop when a foreign record came between."""

    def forget(self, partition: int) -> None:
        """The partition will be loaded from the start next time."""


class NoStateLog:
    """Nothing is kept: the embedded service rebuilds its ledgers from the archive at start."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def load(self, partition: int, restore: Restore, ours: Callable[[], bool]) -> bool:
        return ours()

    async def fence(self, partitions: Iterable[int]) -> None: ...

    async def write(self, items: Mapping[int, list[Item]]) -> None: ...

    def forget(self, partition: int) -> None: ...


class KafkaStateLog:
    """State in a topic with the input's partition count, read by position with a consumer outside any group."""

    def __init__(self, topic: str, config: StreamConfig, delivery: Delivery) -> None:
        self._topic = topic
        self._config = config
        self._delivery = delivery
        self._next: dict[int, int] = {}
        self._reader: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=self._config.broker,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=100,
        )
        await self._reader.start()

    async def stop(self) -> None:
        if self._reader is not None:
            await self._reader.stop()
            self._reader = None

    async def load(self, partition: int, restore: Restore, ours: Callable[[], bool]) -> bool:
        reader = self._connected()
        place = TopicPartition(self._topic, partition)
        end = (await reader.end_offsets([place]))[place]
        position = self._next.get(partition, 0)
        if position < end:
            reader.assign([place])
            reader.seek(place, position)
            while position < end:
                if not ours():
                    return False
                for records in (await reader.getmany(place, timeout_ms=500)).values():
                    for record in records:
                        restore(record.key, record.value)
                position = await reader.position(place)
            reader.unsubscribe()
        self._next[partition] = end if position < end else position
        return ours()

    async def fence(self, partitions: Iterable[int]) -> None:
        reader = self._connected()
        places = [TopicPartition(self._topic, p) for p in partitions if p in self._next]
        if not places:
            return
        for place, end in (await reader.end_offsets(places)).items():
            if end != self._next[place.partition]:
                raise _foreign(self._topic, place.partition, self._next[place.partition], end)

    async def write(self, items: Mapping[int, list[Item]]) -> None:
        letters = [
            Letter(self._topic, partition, item.key, item.value, item.timestamp_ms, tied=item.tied)
            for partition, batch in items.items()
            for item in batch
        ]
        for (_, partition), batches in (await self._delivery.send(letters)).items():
            for batch in batches:
                expected = self._next.get(partition, batch.first_offset)
                if batch.first_offset != expected:
                    raise _foreign(self._topic, partition, expected, batch.first_offset)
                self._next[partition] = batch.first_offset + batch.records

    def forget(self, partition: int) -> None:
        self._next.pop(partition, None)

    def _connected(self) -> AIOKafkaConsumer:
        if self._reader is None:
            raise RuntimeError("state log is not started")
        return self._reader


def _foreign(topic: str, partition: int, expected: int, found: int) -> Stop:
    return Stop(f"状态主题 {topic}/{partition} 有他人写入（{expected} → {found}）")
