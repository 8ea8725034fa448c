"""Rows that need no broker: ledgers of 24 months folded warm and cold, their size, and reading them back.

The monitor's part alone: decoding a block, folding, the rules in service (those on trial where named), encoding
what a checkpoint writes. Blocks are made before the clock starts. Checkpoints come so often that a household is rarely
touched twice between two of them, as in a city, where a checkpoint sees a small share of the households.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from detectors.registry import running
from load_tests.bench.copies import renamed
from load_tests.bench.volumes import COPY, DETECTORS, FIRST, PER_HOUSEHOLD, begin, closing, dump, month_of, tick
from schemas.records import Record, encode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.collector import calm_collector
from streams.config import StreamConfig
from streams.statelog import Item
from streams.watch import Watch

MONTHS = 24
BLOCK = 200
SELDOM, OFTEN = 200, 2
"""Blocks between two checkpoints: while ledgers grow, and while they are measured."""
CITY_PERSONS = 350_000
COLD_PERSONS = 6_000


class Blocks(NamedTuple):
    """Records as intake sends them: how many, and each block with the time of its first record."""

    records: int
    blocks: list[tuple[int, bytes]]


@dataclass
class Ledgers:
    """One partition with its log position; folds blocks and keeps what a checkpoint would."""

    watch: Watch
    every: int = SELDOM
    offset: int = 0
    bytes: int = 0
    hear: Callable[[list[Item]], None] = lambda state: None
    """Told of every checkpoint's state."""

    def fold(self, records: Iterable[Record]) -> int:
        """Folds records in blocks; returns how many."""
        return self.take(packed(records))

    def take(self, given: Blocks) -> int:
        """Folds blocks and writes the last of them; returns how many records."""
        for known_at, block in given.blocks:
            self.watch.fold(HOUSEHOLD_EVENTS, self.offset, known_at, block)
            self.offset += 1
            if self.offset % self.every == 0:
                self._checkpoint()
        self._checkpoint()
        return given.records

    def _checkpoint(self) -> None:
        state = self.watch.drain().state
        self.bytes += sum(len(item.key) + len(item.value or b"") for item in state)
        self.watch.keep(state)
        self.hear(state)


def packed(records: Iterable[Record]) -> Blocks:
    """Records in blocks."""
    every = list(records)
    chunks = [every[start : start + BLOCK] for start in range(0, len(every), BLOCK)]
    return Blocks(len(every), [(chunk[0].known_at, encode_block(chunk)) for chunk in chunks])


def grown(rng: random.Random, persons: int, months: int = MONTHS, trial: tuple[str, ...] = ()) -> Ledgers:
    """Ledgers as they stand after so many months, everything decoded. Rules on trial that are named are live too."""
    ledgers = _ledgers(10**9, trial)
    ledgers.fold(begin(persons, live(trial)))
    for month in range(FIRST, FIRST + months):
        ledgers.fold([tick(month + 1)])
        ledgers.fold(month_of(rng, persons, month))
        ledgers.fold(closing(month))
    return ledgers


def _ledgers(decoded: int, trial: tuple[str, ...]) -> Ledgers:
    config = StreamConfig(broker="none", partitions=1, clock="driven", decoded_households=decoded, trial=trial)
    return Ledgers(Watch(0, config))


def live(trial: tuple[str, ...]) -> Iterable[str]:
    """Of rules on trial those about households: a feed's rule is asked about nobody here."""
    named = running(trial).items() if trial else ()
    return dict.fromkeys((*DETECTORS, *(code for code, each in named if each.about == "household")))


def decoded_like_a_city(persons: int) -> int:
    """How many households may stay decoded so that the share is that of a city of 350,000 in one worker."""
    return round(StreamConfig(broker="none", partitions=1).decoded_households * persons / CITY_PERSONS)


def measure(persons: int, months: int = MONTHS, trial: tuple[str, ...] = ()) -> dict[str, Any]:
    """CPU microseconds per event warm and cold, changelog bytes per event, bytes per person, seconds to read back."""
    calm_collector()
    rng = random.Random(1)
    ledgers = grown(rng, persons, months, trial)
    month = FIRST + months
    told = {"persons": persons, "months": months, **_warm(ledgers, rng, persons, month)}
    records = [*ledgers.watch.records()]
    told["state_bytes_per_person"] = round(sum(len(key) + len(value) for key, value in records) / persons)
    copies = -(-COLD_PERSONS // persons)
    numbers = [copy * COPY + number for copy in range(copies) for number in range(persons)]
    back, recovered = _restored(ledgers, records, copies, len(numbers), trial)
    told["restore_seconds_per_350000_persons"] = round(recovered / len(numbers) * CITY_PERSONS, 1)
    return told | _cold(back, rng, numbers, month + 1)


def _warm(ledgers: Ledgers, rng: random.Random, persons: int, month: int) -> dict[str, Any]:
    events = packed(month_of(rng, persons, month))
    _, ticked = _timed(lambda: ledgers.fold([tick(month + 1)]))
    ledgers.bytes, ledgers.every = 0, OFTEN
    count, used = _timed(lambda: ledgers.take(events))
    written = ledgers.bytes
    _, closed = _timed(lambda: ledgers.fold(closing(month)))
    return {
        "warm_cpu_us_per_event": round(used / count * 1e6, 1),
        "changelog_bytes_per_event": round(written / count),
        "month_tick_cpu_us_per_person": round(ticked / persons * 1e6, 1),
        "closing_cpu_us_per_person": round(closed / persons * 1e6, 1),
    }


def _restored(
    ledgers: Ledgers, records: Sequence[tuple[str, bytes]], copies: int, persons: int, trial: tuple[str, ...]
) -> tuple[Ledgers, float]:
    """The same state and its copies, read back; and CPU seconds that took."""
    state = [(renamed(key.encode(), copy), renamed(raw, copy)) for copy in range(copies) for key, raw in records]
    state += [(key.encode(), raw) for key, raw in ledgers.watch.control_records()]
    back = _ledgers(decoded_like_a_city(persons), trial)
    before = time.process_time()
    for key, raw in state:
        back.watch.restore(key, raw)
    back.watch.opened()
    used = time.process_time() - before
    back.offset, back.every = ledgers.offset, OFTEN
    return back, used


def _cold(back: Ledgers, rng: random.Random, numbers: Sequence[int], month: int) -> dict[str, Any]:
    rows = packed(dump(rng, numbers, month))
    back.fold([tick(month + 1)])
    back.watch.reset()  # the tick has decoded who was due
    back.bytes = 0
    count, used = _timed(lambda: back.take(rows))
    return {
        "cold_persons": len(numbers),
        "cold_households": len(numbers) // PER_HOUSEHOLD,
        "cold_decoded_households": max(1000, decoded_like_a_city(len(numbers))),
        "cold_dump_cpu_us_per_event": round(used / count * 1e6, 1),
        "cold_dump_changelog_bytes_per_event": round(back.bytes / count),
    }


def _timed(work: Callable[[], int]) -> tuple[int, float]:
    before = time.process_time()
    count = work()
    return count, time.process_time() - before
