"""Delivery to a broker that forgets what overflows: never more underway and unread than it holds, and no standstill."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, RequestTimedOutError
from aiokafka.producer.message_accumulator import BatchBuilder

from streams import delivery as under_test
from streams.delivery import BATCH_BYTES, Delivered, Delivery, Letter
from streams.memory_gate import MemoryGate
from tests.loops import in_a_loop
from tests.streams.making import config

TOPIC = "households.events.v1"
LIMIT = 2_000_000
LETTER_BYTES = 100_000
READERS = {TOPIC: {"monitor", "archive"}}


class Broker:
    """One partition in memory: acknowledges a little later, and remembers the most that was ever unread."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []
        self.end = 0
        self.most = 0
        self.positions = {"monitor": 0, "archive": 0}
        self.fails = False

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def create_batch(self) -> BatchBuilder:
        """See AIOKafkaProducer."""
        return BatchBuilder(BATCH_BYTES, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """See AIOKafkaProducer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        first, self.end = self.end, self.end + batch.record_count()
        self.batches.append((self.end, batch.size()))
        self.most = max(self.most, self.unread())
        if self.fails:
            loop.call_later(0.005, answer.set_exception, RequestTimedOutError())
        else:
            loop.call_later(0.005, answer.set_result, SimpleNamespace(offset=first))
        return answer

    def unread(self) -> int:
        """Bytes above the slowest position."""
        slowest = min(self.positions.values())
        return sum(size for end, size in self.batches if end > slowest)


@contextmanager
def reading(broker: Broker, gate: MemoryGate, *readers: str) -> Iterator[None]:
    """These readers keep up, a little late."""

    async def read() -> None:
        while True:
            await asyncio.sleep(0.02)
            for reader in readers:
                broker.positions[reader] = broker.end
                gate.read(reader, TOPIC, 0, broker.end)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        task.cancel()


@contextmanager
def taking(broker: Broker, gate: MemoryGate) -> Iterator[None]:
    """The monitor folds what comes, in a checkpoint that is not over."""

    async def take() -> None:
        while True:
            await asyncio.sleep(0.02)
            broker.positions["monitor"] = broker.end
            gate.took("monitor", TOPIC, 0, broker.end)

    task = asyncio.create_task(take())
    try:
        yield
    finally:
        task.cancel()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """Stands in for every producer."""
    one = Broker()
    monkeypatch.setattr(under_test, "AIOKafkaProducer", lambda **_: one)
    return one


async def started(gate: MemoryGate, writer: str) -> Delivery:
    delivery = Delivery(config(), gate, writer)
    await delivery.start()
    return delivery


def lane(size: int) -> list[Letter]:
    return [Letter(TOPIC, 0, None, b"x" * LETTER_BYTES, 1) for _ in range(size // LETTER_BYTES)]


def test_a_long_lane_goes_in_portions_that_readers_have_room_for(broker: Broker) -> None:
    @in_a_loop
    async def scenario() -> None:
        gate = MemoryGate(LIMIT, READERS)
        delivery = await started(gate, "intake")
        with reading(broker, gate, "monitor", "archive"):
            sent = await asyncio.wait_for(delivery.send(lane(12_000_000)), 10)
        assert broker.most <= LIMIT
        batches = sent[(TOPIC, 0)]
        assert sum(each.records for each in batches) == 120
        starts = [0]
        for each in batches:
            assert each == Delivered(starts[-1], each.records)
            starts.append(each.first_offset + each.records)

    scenario()


def test_two_producers_share_the_room(broker: Broker) -> None:
    @in_a_loop
    async def scenario() -> None:
        gate = MemoryGate(LIMIT, READERS)
        one, two = await started(gate, "intake"), await started(gate, "control")
        with reading(broker, gate, "monitor", "archive"):
            both = asyncio.gather(one.send(lane(6_000_000)), two.send(lane(6_000_000)))
            await asyncio.wait_for(both, 10)
        assert broker.end == 120
        assert broker.most <= LIMIT

    scenario()


def test_a_monitor_delivers_any_mail_while_being_done_with_it_waits_for_that(broker: Broker) -> None:
    """It takes its own mail out of the broker as it goes; others wait until it is done."""

    @in_a_loop
    async def scenario() -> None:
        gate = MemoryGate(LIMIT, READERS)
        intake, monitor = await started(gate, "intake"), await started(gate, "monitor")
        with reading(broker, gate, "archive"):
            await intake.send(lane(1_700_000))
            with taking(broker, gate):
                await asyncio.wait_for(monitor.send(lane(12_000_000)), 10)
            assert broker.most <= LIMIT
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(intake.send(lane(100_000)), 0.1)
            with reading(broker, gate, "monitor"):
                await asyncio.wait_for(intake.send(lane(100_000)), 5)

    scenario()


def test_even_a_monitor_waits_for_the_archive(broker: Broker) -> None:
    @in_a_loop
    async def scenario() -> None:
        gate = MemoryGate(LIMIT, READERS)
        monitor = await started(gate, "monitor")
        with reading(broker, gate, "monitor"), pytest.raises(TimeoutError):
            await asyncio.wait_for(monitor.send(lane(3_000_000)), 0.2)
        assert broker.most <= LIMIT

    scenario()


def test_what_failed_leaves_its_room(broker: Broker) -> None:
    @in_a_loop
    async def scenario() -> None:
        gate = MemoryGate(LIMIT, READERS)
        delivery = await started(gate, "intake")
        broker.fails = True
        with pytest.raises(KafkaError):
            await delivery.send(lane(1_700_000))
        assert gate.reserve("intake", TOPIC, 0, LIMIT)

    scenario()
