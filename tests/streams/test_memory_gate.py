"""Admission to the in-memory broker: writers wait for the slowest reader and nobody else."""

import asyncio

from streams.memory_gate import MemoryGate
from tests.loops import in_a_loop

TOPIC, OTHER = "alerts.v1", "free.v1"


def gate(limit: int = 100) -> MemoryGate:
    """Two readers of one topic."""
    return MemoryGate(limit, {TOPIC: {"cases", "archive"}})


async def admitted(of: MemoryGate, topic: str, size: int) -> bool:
    """Whether a writer gets through at once."""
    try:
        await asyncio.wait_for(of.admit(topic, 0, size), 0.05)
    except TimeoutError:
        return False
    return True


@in_a_loop
async def test_the_slowest_reader_decides() -> None:
    one = gate()
    one.sent(TOPIC, 0, 0, [40, 40])
    assert not await admitted(one, TOPIC, 30)
    one.read("cases", TOPIC, 0, 2)
    assert not await admitted(one, TOPIC, 30)
    one.read("archive", TOPIC, 0, 2)
    assert await admitted(one, TOPIC, 30)
    assert one.unread(TOPIC, 0) == 0


@in_a_loop
async def test_a_batch_counts_until_it_is_read_to_its_end() -> None:
    one = gate()
    one.sent(TOPIC, 0, 0, [60, 60])
    for reader in ("cases", "archive"):
        one.read(reader, TOPIC, 0, 1)
    assert one.unread(TOPIC, 0) == 120


@in_a_loop
async def test_topics_without_readers_and_other_partitions_are_free() -> None:
    one = gate()
    one.sent(TOPIC, 0, 0, [100])
    one.sent(OTHER, 0, 0, [1000])
    assert await admitted(one, OTHER, 1000)
    assert one.unread(TOPIC, 1) == 0


@in_a_loop
async def test_one_message_above_the_limit_passes_an_empty_partition() -> None:
    one = gate(limit=10)
    assert await admitted(one, TOPIC, 1000)
    one.sent(TOPIC, 0, 0, [1000])
    assert not await admitted(one, TOPIC, 1)
