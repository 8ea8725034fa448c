"""Batches of state: tied records go whole into one batch; a foreign writer is noticed."""

import asyncio
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.errors import Stop
from streams.delivery import BATCH_BYTES, Delivered, Letter, _fill
from streams.statelog import Item, KafkaStateLog
from tests.streams.making import config


def batches(lane: list[Letter]) -> list[list[bytes]]:
    """The keys of the batches a lane makes."""
    made, at = [], 0
    while at < len(lane):
        batch = BatchBuilder(BATCH_BYTES, 0)
        taken = len(_fill(batch, lane, at))
        assert taken
        assert batch.size() <= BATCH_BYTES
        made.append([each.key or b"" for each in lane[at : at + taken]])
        at += taken
    return made


def letter(key: str, size: int, tied: bool = False) -> Letter:
    return Letter("t", 0, key.encode(), b"x" * size, 1, tied=tied)


def test_tied_letters_never_part() -> None:
    lane = []
    for number in range(40):
        lane += [
            letter(f"h{number}/a", 60_000, True),
            letter(f"h{number}/b", 30_000, True),
            letter(f"h{number}", 9_000),
        ]
    for keys in batches(lane):
        homes = [key.split(b"/")[0] for key in keys]
        assert all(homes.count(home) == 3 for home in homes)


def test_loose_letters_fill_a_batch() -> None:
    lane = [letter(str(number), 100_000) for number in range(20)]
    assert [len(keys) for keys in batches(lane)] == [8, 8, 4]


def test_a_group_larger_than_a_batch_is_not_cut() -> None:
    lane = [letter("h/a", 500_000, True), letter("h/b", 500_000, True), letter("h", 10)]
    assert not _fill(BatchBuilder(BATCH_BYTES, 0), lane, 0)


class FakeDelivery:
    """Delivers into a list that others write into as well."""

    def __init__(self) -> None:
        self.end = 0

    async def send(self, letters: list[Letter]) -> dict[tuple[str, int], list[Delivered]]:
        """Everything in one batch."""
        first, self.end = self.end, self.end + len(letters)
        return {("state", 0): [Delivered(first, len(letters))]} if letters else {}


def test_a_foreign_record_in_between_stops() -> None:
    delivery: Any = FakeDelivery()
    log = KafkaStateLog("state", config(), delivery)
    items = {0: [Item(b"a", b"1"), Item(b"b", b"2")]}
    asyncio.run(log.write(items))
    asyncio.run(log.write(items))
    delivery.end += 1
    with pytest.raises(Stop, match="他人写入"):
        asyncio.run(log.write(items))
    log.forget(0)
    asyncio.run(log.write(items))
