"""Delivery of messages in whole batches to chosen partitions, each send awaited to the broker's acknowledgement."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from aiokafka import AIOKafkaProducer

from streams.config import StreamConfig

BATCH_BYTES = 900_000
"""Largest batch we build; a single larger message (a sealed rejection) travels alone."""

Headers = tuple[tuple[str, bytes], ...]


class Letter(NamedTuple):
    """One message to one partition. `timestamp_ms` None = now."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    headers: Headers = ()


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
            sizes: list[int] = []
            while at < len(lane):
                letter = lane[at]
                if not _append(batch, letter):
                    break
                sizes.append(len(letter.value or b"") + len(letter.key or b"") + 20)
                at += 1
            if not sizes:
                raise ValueError(f"message too large for {topic}: {len(lane[at].value or b'')} bytes")
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


def _append(batch: object, letter: Letter) -> bool:
    return (
        batch.append(  # type: ignore[attr-defined]
            timestamp=letter.timestamp_ms, key=letter.key, value=letter.value, headers=list(letter.headers)
        )
        is not None
    )
