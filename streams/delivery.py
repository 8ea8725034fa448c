"""Delivery of messages in whole batches to chosen partitions, each send awaited to the broker's acknowledgement."""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

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

    def reserve(self, writer: str, topic: str, partition: int, size: int) -> bool:
        """Takes room for `size` more bytes if there is any now."""

    async def admit(self, writer: str, topic: str, partition: int, size: int) -> None:
        """Returns once there was room and it is taken."""

    def sent(self, topic: str, partition: int, first_offset: int, sizes: list[int]) -> None:
        """What was reserved is written."""

    def release(self, topic: str, partition: int, size: int) -> None:
        """What was reserved will not be written."""


class Delivery:
    """An idempotent producer (acks=all). Order per partition is the order given; any failure raises KafkaError.

    `writer`: the stage that sends; a gate does not make it wait for its own reading.
    """

    def __init__(self, config: StreamConfig, gate: Gate | None = None, writer: str = "") -> None:
        self._config = config
        self._gate = gate
        self._writer = writer
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
        route = _Route(self._gate, self._writer, topic, partition)
        at = 0
        try:
            while at < len(lane):
                batch = producer.create_batch()
                sizes = _fill(batch, lane, at)
                if not sizes:
                    raise Stop(f"{topic}：一条或一组消息超过一批的上限 {BATCH_BYTES} 字节")
                at += len(sizes)
                batch.close()
                await route.admit(sum(sizes))
                route.depart(await producer.send_batch(batch, topic, partition=partition), sizes)
            await route.settle()
        finally:
            route.abandon()
        return route.delivered


class _Route:
    """Batches of one lane on their way: room is taken before each and told to the gate once it is written."""

    def __init__(self, gate: Gate | None, writer: str, topic: str, partition: int) -> None:
        self._gate = gate
        self._writer = writer
        self._topic = topic
        self._partition = partition
        self._reserved = 0
        self._underway: deque[tuple[Future[RecordMetadata], list[int]]] = deque()
        self.delivered: list[Delivered] = []

    async def admit(self, size: int) -> None:
        """Takes room. Before it waits, everything earlier is told to be written: nobody reads what is underway."""
        if self._gate is None:
            return
        if not self._gate.reserve(self._writer, self._topic, self._partition, size):
            await self.settle()
            await self._gate.admit(self._writer, self._topic, self._partition, size)
        self._reserved += size

    def depart(self, written: "Future[RecordMetadata]", sizes: list[int]) -> None:
        """A batch was handed to the producer."""
        self._underway.append((written, sizes))

    async def settle(self) -> None:
        """Waits until everything handed over is acknowledged."""
        while self._underway:
            written, sizes = self._underway[0]
            first = (await written).offset
            self._underway.popleft()
            if self._gate is not None:
                self._gate.sent(self._topic, self._partition, first, sizes)
                self._reserved -= sum(sizes)
            self.delivered.append(Delivered(first, len(sizes)))

    def abandon(self) -> None:
        """Gives back the room of what failed."""
        if self._gate is not None and self._reserved:
            self._gate.release(self._topic, self._partition, self._reserved)
            self._reserved = 0


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
