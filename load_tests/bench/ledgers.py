"""Rows that need no broker: ledgers of 24 months folded warm and cold, their size, and reading them back.

Households of two; per person and month 0.86 bills, one benefit, and for every second person one contribution: the
volumes of a watched city. Every figure includes encoding what a checkpoint would write.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import zstandard

from load_tests.bench.ground import POLICY
from policy.bundle import Bundle
from schemas.facts import AnyFact, Benefit, Bill, Contribution, Declared, Membership, Status, first_day
from schemas.records import (
    FactBody,
    FactRecord,
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    TickBody,
    TickRecord,
    encode_block,
)
from schemas.topics import HOUSEHOLD_EVENTS
from streams.config import StreamConfig
from streams.watch import Watch

CITY, FIRST = "339901000000", 2024 * 12
PER_HOUSEHOLD, BILLS, BLOCK, BLOCKS_PER_CHECKPOINT = 2, 0.86, 200, 200
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1).toordinal()


class Ledgers:
    """One partition with its log position; folds records and keeps what a checkpoint would."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.offset = 0
        self.bytes = 0

    def fold(self, records: Iterator[Record]) -> int:
        """Folds records in blocks; returns how many."""
        block: list[Record] = []
        count = 0
        for record in records:
            block.append(record)
            count += 1
            if len(block) == BLOCK:
                self._block(block)
                block = []
        if block:
            self._block(block)
        self._checkpoint()
        return count

    def _block(self, block: list[Record]) -> None:
        self.watch.fold(HOUSEHOLD_EVENTS, self.offset, block[0].known_at, encode_block(block))
        self.offset += 1
        if self.offset % BLOCKS_PER_CHECKPOINT == 0:
            self._checkpoint()

    def _checkpoint(self) -> None:
        state = self.watch.drain().state
        self.bytes += sum(len(item.key) + len(item.value or b"") for item in state)
        self.watch.keep(state)


def measure(persons: int, months: int = 24) -> dict[str, Any]:
    """CPU microseconds per event warm and cold, changelog bytes per event, bytes per person, seconds to read back."""
    rng, config = random.Random(1), StreamConfig(broker="none", partitions=1, clock="driven", decoded_households=10**9)
    ledgers = Ledgers(Watch(0, config))
    ledgers.fold(_begin(persons))
    for month in range(FIRST, FIRST + months):
        ledgers.fold(_month(rng, persons, month))
        ledgers.fold(iter([_tick(month + 1)]))
    ledgers.bytes = 0
    count, warm = _timed(lambda: ledgers.fold(_month(rng, persons, FIRST + months)))
    changelog = ledgers.bytes / count
    records = [*ledgers.watch.records(), *ledgers.watch.control_records()]
    size = sum(len(key) + len(value) for key, value in records)
    back = Ledgers(Watch(0, replace(config, decoded_households=1000)))
    began = time.monotonic()
    for key, value in records:
        back.watch.restore(key.encode(), value)
    back.watch.opened()
    recovered = time.monotonic() - began
    back.offset = ledgers.offset
    dumped, cold = _timed(lambda: back.fold(_dump(rng, persons, FIRST + months + 1)))
    return {
        "persons": persons,
        "months": months,
        "warm_cpu_us_per_event": round(warm / count * 1e6, 1),
        "cold_dump_cpu_us_per_event": round(cold / dumped * 1e6, 1),
        "changelog_bytes_per_event": round(changelog),
        "state_bytes_per_person": round(size / persons),
        "restore_seconds_per_350000_persons": round(recovered / persons * 350_000, 1),
    }


def _timed(work: Callable[[], int]) -> tuple[int, float]:
    before = time.process_time()
    count = work()
    return count, time.process_time() - before


def _begin(persons: int) -> Iterator[Record]:
    bundle, at = Bundle.load(POLICY), _at(FIRST)
    yield PolicyRecord("", at, "", 0, 0, PolicyBody(bundle.hash, zstandard.compress(bundle.canonical())))
    yield _tick(FIRST)
    for code in ("MED-SELFPAY", "RIGID-RATIO", "JOB-LOSS", "RENT-ARREARS", "MEMBER-DEATH", "DEATH-ON-BENEFIT"):
        yield GoliveRecord("", at, "", 0, 0, GoliveBody(CITY, code, 20))
    since = first_day(FIRST - 24)
    for number in range(persons):
        household, person = _household(number), _person(number)
        head = number % PER_HOUSEHOLD == 0
        declared = Declared(CITY, CITY, CITY, CITY, 300_000, "期间", "文书") if head else None
        key = f"{household}|{person}|{since}"
        statuses = (Status("DIBAO", since, None, "某局", "某号"),)
        relation = "HEAD" if head else "SPOUSE"
        head_of_fact = (key, at, 0, f"m{number}", "民政", False, since)
        fact = Membership(*head_of_fact, household, person, relation, None, 715_000, statuses, declared)
        yield FactRecord(household, at, "", 0, number, FactBody(person, fact))


def _month(rng: random.Random, persons: int, month: int) -> Iterator[Record]:
    order = list(range(persons))
    rng.shuffle(order)
    for number in order:
        yield _record(number, month, _benefit(number, month))
        if number % 2:
            yield _record(number, month, _contribution(number, month))
        if rng.random() < BILLS:
            yield _record(number, month, _bill(rng, number, month))


def _dump(rng: random.Random, persons: int, month: int) -> Iterator[Record]:
    order = list(range(persons))
    rng.shuffle(order)
    return (_record(number, month, _contribution(number, month)) for number in order)


def _bill(rng: random.Random, number: int, month: int) -> AnyFact:
    day, paid = first_day(month) + rng.randrange(28), rng.randrange(1_000, 8_000)
    key = f"S{month}-{number:07d}"
    return Bill(key, _at(month), 0, f"{key}~0a1b2c3d", "医保", False, day, paid, paid // 4, 0, paid * 3, "OUTPATIENT")


def _benefit(number: int, month: int) -> AnyFact:
    key = f"{_person(number)}|DIBAO|{month}"
    return Benefit(key, _at(month), 0, f"b{month}-{number:07d}", "民政", False, first_day(month), "DIBAO", 98_000)


def _contribution(number: int, month: int) -> AnyFact:
    key = f"{_person(number)}|{month}|E{number % 900:04d}"
    event = f"c{month}-{number:07d}"
    return Contribution(key, _at(month), 0, event, "人社", False, first_day(month), f"E{number % 900:04d}", 450_000)


def _record(number: int, month: int, fact: AnyFact) -> Record:
    return FactRecord(_household(number), _at(month), "feeds", 0, number, FactBody(_person(number), fact))


def _tick(month: int) -> Record:
    return TickRecord("", _at(month), "", 0, 0, TickBody(_at(month)))


def _at(month: int) -> int:
    return (first_day(month) - EPOCH) * DAY_MS


def _household(number: int) -> str:
    return f"h_{number // PER_HOUSEHOLD:032x}"


def _person(number: int) -> str:
    return f"p_{number:032x}"
