"""Delivery of messages in whole batches to chosen partitions, each send awaited to the broker's acknowledgement."""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import msgspec
from aiokafka import AIOKafkaProducer

from schemas.errors import Stop
from streams.config import StreamConfig

BATCH_BYTES = 900_000
"""Largest batch we build; a single larger message (a sealed rejection) travels alone."""
RECORD_OVERHEAD = 40
"""What a record needs in a batch besides key and value, at most."""

Headers = tuple[tuple[str, bytes], ...]


class Letter(msgspec.Struct, frozen=True, gc=False):
    """One message to one partition. `timestamp_ms` None = now. `tied`: in one batch with the next one, whole or not."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    headers: Headers = ()
    tied: bool = False


class Delivered(NamedTuple):
    """Where a batch came to lie."""

    first_offset: int
    records: int


class Gate(Protocol):
    """Holds a producer back while readers are too far behind (the embedded broker forgets what overflows)."""

    async def admit(self, topic: str, partition: int, size: int) -> None:
        """Returns once `size` more bytes may be written."""

    def sent(self, topic: str, partition: int, first_offset: int, sizes: list[int]) -> None:
        """Remembers what was written."""


class Delivery:
    """An idempotent producer (acks=all). Order per partition is the order given; any failure raises KafkaError."""

    def __init__(self, config: StreamConfig, gate: Gate | None = None) -> None:
        self._config = config
        self._gate = gate
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connects. Must run in the loop that will send."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._config.broker,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            max_request_size=1_048_576,
            compression_type=self._config.compression,
            request_timeout_ms=30_000,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Closes the connection; everything sent was already awaited."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def send(self, letters: Iterable[Letter]) -> dict[tuple[str, int], list[Delivered]]:
        """Delivers all letters; returns where each partition's batches begin."""
        lanes: dict[tuple[str, int], list[Letter]] = {}
        for letter in letters:
            lanes.setdefault((letter.topic, letter.partition), []).append(letter)
        results = await asyncio.gather(*(self._send_lane(t, p, lane) for (t, p), lane in lanes.items()))
        return dict(zip(lanes, results, strict=True))

    async def _send_lane(self, topic: str, partition: int, lane: list[Letter]) -> list[Delivered]:
        producer = self._producer
        if producer is None:
            raise RuntimeError("delivery is not started")
        waiting = []
        at = 0
        while at < len(lane):
            batch = producer.create_batch()
            sizes = _fill(batch, lane, at)
            if not sizes:
                raise Stop(f"{topic}：一条或一组消息超过一批的上限 {BATCH_BYTES} 字节")
            at += len(sizes)
            batch.close()
            if self._gate is not None:
                await self._gate.admit(topic, partition, sum(sizes))
            future = await producer.send_batch(batch, topic, partition=partition)
            waiting.append((future, sizes))
        delivered = []
        for future, sizes in waiting:
            first = (await future).offset
            if self._gate is not None:
                self._gate.sent(topic, partition, first, sizes)
            delivered.append(Delivered(first, len(sizes)))
        return delivered


def _fill(batch: Any, lane: list[Letter], start: int) -> list[int]:
    """Puts as many letters into the batch as it takes, tied ones all or none; their sizes. A broker keeps or loses a
    batch as a whole."""
    sizes: list[int] = []
    following = start
    while following < len(lane):
        first = following
        while lane[following].tied and following + 1 < len(lane):
            following += 1
        following += 1
        if following - first > 1:
            weight = sum(_weight(letter) for letter in lane[first:following])
            if batch.size() + weight > BATCH_BYTES:
                break
        for letter in lane[first:following]:
            headers = list(letter.headers) if letter.headers else []
            appended = batch.append(timestamp=letter.timestamp_ms, key=letter.key, value=letter.value, headers=headers)
            if appended is None:
                if following - first > 1:
                    raise Stop("一户的状态没有装进一批，停止以免只写一半")
                return sizes
            sizes.append(len(letter.value or b"") + len(letter.key or b"") + 20)
    return sizes


def _weight(letter: Letter) -> int:
    return len(letter.value or b"") + len(letter.key or b"") + RECORD_OVERHEAD
