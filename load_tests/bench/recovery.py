"""Recovery: a monitor starts on a state topic as it lies there right after a monthly dump, nothing of it compacted yet.

The state is a small town's, folded for 24 months and through the dump's first copy, renamed as often as persons are
wanted. What grows with persons is reading; starting the process and joining the group is not scaled up.
"""

import contextlib
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from load_tests.bench import ground, process
from load_tests.bench.copies import Raw, Town, spread_out
from load_tests.bench.ground import PARTITIONS, Message, broker, everywhere, publish, wait_read
from load_tests.bench.ledgers import CITY_PERSONS, MONTHS, decoded_like_a_city, grown
from load_tests.bench.process import Worker
from load_tests.bench.volumes import COPY, FIRST, PER_HOUSEHOLD, at_ms, closing, dump, membership, tick
from schemas.errors import DataError
from schemas.partition import partition_of
from schemas.topics import HOUSEHOLD_EVENTS, MEMBERS, STATE
from streams.control import Control
from streams.registry import encode_stay, stay_key, stay_of
from streams.statelog import Item

TOWN_PERSONS = 1_000
DUMPED = FIRST + MONTHS
"""The month whose dump has just been folded."""


@dataclass(frozen=True)
class Recovered:
    """A running monitor that has read back everything, and what that took."""

    bootstrap: str
    monitor: Worker
    told: dict[str, Any]
    numbers: list[int]
    """The people, as `volumes` numbers them."""


def town(persons: int = TOWN_PERSONS, months: int = MONTHS) -> Town:
    """State of so many months and what a dump writes over it: each half of a household at another checkpoint."""
    rng, dumped = random.Random(1), FIRST + months
    ledgers = grown(rng, persons, months)
    ledgers.fold([tick(dumped + 1)])
    settled = _raw(ledgers.watch.records())
    rewritten: list[Raw] = []
    ledgers.hear = lambda state: rewritten.extend(_of_households(state))
    for half in range(PER_HOUSEHOLD):
        ledgers.fold(dump(rng, range(half, persons, PER_HOUSEHOLD), dumped))
    ledgers.fold(closing(dumped))
    return Town(persons, settled, rewritten, _raw(ledgers.watch.control_records()))


@contextlib.contextmanager
def recovered(folder: Path, persons: int) -> Iterator[Recovered]:
    """A broker with that state, and the product's monitor on it, all read back. Raises DataError when it is not all."""
    one = town(min(TOWN_PERSONS, persons))
    copies = max(1, round(persons / one.persons))
    numbers = [copy * COPY + number for copy in range(copies) for number in range(one.persons)]
    with broker(folder / "recovery") as kafka:
        bootstrap = kafka.bootstrap
        ground.create_topics(bootstrap, "driven")
        size = _publish_state(bootstrap, one, copies)
        publish(bootstrap, MEMBERS, _stays(numbers), at_ms(DUMPED + 1))
        for _ in range(2):  # the first is applied already, the second makes the monitor load
            publish(bootstrap, HOUSEHOLD_EVENTS, everywhere(tick(DUMPED + 1)), at_ms(DUMPED + 1))
        began = time.monotonic()
        with process.monitor(bootstrap, folder, decoded=decoded_like_a_city(len(numbers))) as monitor:
            opened = monitor.all("opened", PARTITIONS)
            seconds = time.monotonic() - began
            wait_read(bootstrap, "monitor", None, monitor.alive)
            if sum(each["households"] for each in opened) != len(numbers) // PER_HOUSEHOLD:
                raise DataError("恢复后的户数不对")
            told = _told(len(numbers), size, seconds, sum(each["loading"] for each in opened), monitor)
            yield Recovered(bootstrap, monitor, told, numbers)


def _told(persons: int, size: int, seconds: float, loading: float, monitor: Worker) -> dict[str, Any]:
    return {
        "persons": persons,
        "state_topic_bytes_per_person": round(size / persons),
        "seconds": round(seconds, 1),
        "reading_seconds": round(loading, 1),
        "seconds_per_350000_persons": at_city_size(seconds, loading, persons),
        "scaled": persons != CITY_PERSONS,
        "cpu_seconds": round(monitor.cpu(), 1),
        "peak_mib": monitor.peak_mib(),
    }


def at_city_size(seconds: float, loading: float, persons: int) -> float:
    """Seconds for 350,000 persons: what grows with persons is scaled, the rest is not."""
    return round(seconds - loading + loading * CITY_PERSONS / persons, 1)


def _publish_state(bootstrap: str, one: Town, copies: int) -> int:
    """Fills the state topic as the monitor does, with its compression; returns bytes of keys and values."""
    size = 0

    def counted() -> Iterator[Message]:
        nonlocal size
        for partition, key, value in spread_out(one, copies, PARTITIONS):
            size += len(key) + len(value)
            yield partition, key, value

    publish(bootstrap, STATE, counted(), at_ms(DUMPED + 1), "snappy")
    return size


def _stays(numbers: list[int]) -> Iterator[Message]:
    """What intake has to know of each person."""
    for number in numbers:
        stay = stay_of(membership(number))
        yield partition_of(stay.person, PARTITIONS), stay_key(stay), encode_stay(stay)


def _of_households(state: list[Item]) -> Iterator[Raw]:
    for item in state:
        if item.value is not None and not Control.owns(item.key.decode()):
            yield item.key, item.value


def _raw(records: Iterable[tuple[str, bytes]]) -> list[Raw]:
    return [(key.encode(), value) for key, value in records]
