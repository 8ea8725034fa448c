"""Admission to the in-memory broker: writers wait for the slowest reader and nobody else."""

import asyncio

from streams.memory_gate import MemoryGate
from tests.loops import in_a_loop

TOPIC, OTHER = "alerts.v1", "free.v1"
WRITER = "monitor"


def gate(limit: int = 100) -> MemoryGate:
    """Two readers of one topic."""
    return MemoryGate(limit, {TOPIC: {"cases", "archive"}})


async def admitted(of: MemoryGate, topic: str, size: int, writer: str = WRITER) -> bool:
    """Whether a writer gets through at once."""
    try:
        await asyncio.wait_for(of.admit(writer, topic, 0, size), 0.05)
    except TimeoutError:
        return False
    return True


def written(of: MemoryGate, topic: str, sizes: list[int]) -> None:
    """One batch in an empty partition."""
    assert of.reserve(WRITER, topic, 0, sum(sizes))
    of.sent(topic, 0, 0, sizes)


@in_a_loop
async def test_the_slowest_reader_decides() -> None:
    one = gate()
    written(one, TOPIC, [40, 40])
    assert not await admitted(one, TOPIC, 30)
    one.read("cases", TOPIC, 0, 2)
    assert not await admitted(one, TOPIC, 30)
    one.read("archive", TOPIC, 0, 2)
    assert await admitted(one, TOPIC, 30)
    assert one.unread(TOPIC, 0) == 0


@in_a_loop
async def test_a_batch_counts_until_it_is_read_to_its_end() -> None:
    one = gate()
    written(one, TOPIC, [60, 60])
    for reader in ("cases", "archive"):
        one.read(reader, TOPIC, 0, 1)
    assert one.unread(TOPIC, 0) == 120


@in_a_loop
async def test_topics_without_readers_and_other_partitions_are_free() -> None:
    one = gate()
    written(one, TOPIC, [100])
    written(one, OTHER, [1000])
    assert await admitted(one, OTHER, 1000)
    assert one.unread(TOPIC, 1) == 0


@in_a_loop
async def test_one_message_above_the_limit_passes_an_empty_partition() -> None:
    one = gate(limit=10)
    assert await admitted(one, TOPIC, 1000)
    one.sent(TOPIC, 0, 0, [1000])
    assert not await admitted(one, TOPIC, 1)


@in_a_loop
async def test_two_writers_cannot_both_take_the_last_room() -> None:
    one = gate()
    admissions = [asyncio.create_task(one.admit(writer, TOPIC, 0, 60)) for writer in ("monitor", "intake")]
    done, waiting = await asyncio.wait(admissions, timeout=0.05)
    assert (len(done), len(waiting)) == (1, 1)
    one.release(TOPIC, 0, 60)
    await asyncio.wait_for(waiting.pop(), 1)


@in_a_loop
async def test_a_stage_waits_for_what_it_has_taken_of_its_own_mail_not_until_it_is_done_with_it() -> None:
    one = gate()
    written(one, TOPIC, [100])
    one.read("archive", TOPIC, 0, 1)
    assert not await admitted(one, TOPIC, 50, "cases")
    one.took("cases", TOPIC, 0, 1)
    assert await admitted(one, TOPIC, 50, "cases")
    assert not await admitted(one, TOPIC, 50, "monitor")
    assert one.unread(TOPIC, 0) == 100


@in_a_loop
async def test_what_only_its_writer_reads_is_bounded_too() -> None:
    one = MemoryGate(100, {TOPIC: {"monitor"}})
    written(one, TOPIC, [100])
    assert not await admitted(one, TOPIC, 1, "monitor")
    one.took("monitor", TOPIC, 0, 1)
    assert await admitted(one, TOPIC, 100, "monitor")
    assert not await admitted(one, TOPIC, 1, "intake")
