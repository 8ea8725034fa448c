"""A monthly dump through the broker: rows of people with 24 months behind them, in random order, as single events.

Every row is about somebody watched, which a whole department's dump is not: 7 million rows cost at most this.
"""

import json
import random
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from load_tests.bench import ground, process
from load_tests.bench.ground import PARTITIONS, Message, everywhere, publish, wait_read
from load_tests.bench.recovery import DUMPED, Recovered
from load_tests.bench.rounds import Cost
from load_tests.bench.volumes import CITY, at_ms, period_of, person_name, shuffled, tick
from schemas.errors import DataError
from schemas.partition import partition_of
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS, REJECTED, feed_topic

KIND = "employment.contribution"
TOPIC = feed_topic(KIND)
MONTH = DUMPED + 1
CITY_ROWS = 7_000_000
CORES = 2
SOURCE = "urn:xinghe:social-insurance"


class Dump(NamedTuple):
    """A measured dump: rows, and what each stage spent on them."""

    rows: int
    intake: Cost
    monitor: Cost


def measure(given: Recovered, rows: int) -> Dump:
    """Publishes the dump, then lets intake begin: rows wait from the first second. Raises DataError on lost rows."""
    bootstrap, monitor, folder = given.bootstrap, given.monitor, given.monitor.log.parent
    at = at_ms(MONTH + 1)
    publish(bootstrap, HOUSEHOLD_EVENTS, everywhere(tick(MONTH + 1)), at)
    publish(bootstrap, TOPIC, messages(given.numbers, rows), at)
    wait_read(bootstrap, "monitor", None, monitor.alive)
    before = monitor.cpu()
    with process.intake(bootstrap, folder, (KIND,)) as intake:
        ready, began = intake.first("ready"), time.monotonic()
        wait_read(bootstrap, "intake", (TOPIC,), intake.alive)
        read = Cost(intake.cpu() - float(ready["total_cpu"]), time.monotonic() - began, intake.peak_mib())
        wait_read(bootstrap, "monitor", None, monitor.alive)
        folded = Cost(monitor.cpu() - before, time.monotonic() - began, monitor.peak_mib())
    _complete(bootstrap, rows)
    return Dump(rows, read, folded)


def minutes_for_city(rows: int, wall_seconds: float) -> float:
    """Minutes 7 million rows take at this rate."""
    return round(wall_seconds / rows * CITY_ROWS / 60, 1)


def derived_minutes(us_per_row: float) -> float:
    """Minutes 7 million rows take two cores that do nothing else and share the work evenly."""
    return round(CITY_ROWS * us_per_row / 1e6 / CORES / 60, 1)


def messages(numbers: list[int], rows: int) -> Iterator[Message]:
    """The dump with its manifests: people in random order, again and again with another employer."""
    sent = [0] * PARTITIONS
    yield from _manifests("begin", sent)
    for number, passed in _turns(numbers, rows):
        person = person_name(number)
        partition = partition_of(person, PARTITIONS)
        sent[partition] += 1
        yield partition, person.encode(), row(person, passed)
    yield from _manifests("end", sent)


def row(person: str, employer: int) -> bytes:
    """One row: a month paid for by one employer."""
    period = period_of(MONTH)
    return (
        f'{{"specversion":"1.0","id":"C{period}-{person[2:]}-{employer}","source":"{SOURCE}","type":"lidm.{KIND}",'
        f'"subject":"{person}","time":"{period}-21T09:00:00+08:00","recordedtime":"{period}-25T02:00:00+08:00",'
        f'"operation":"record","sequence":0,"batchid":"{_batch()}","data":{{"month":"{period}",'
        f'"employer":"E33990100{employer:03d}","base":520000,"paid_on":"{period}-21"}}}}'
    ).encode()


def _turns(numbers: list[int], rows: int) -> Iterator[tuple[int, int]]:
    rng, passed = random.Random(2), 0
    while rows > 0:
        for number in shuffled(rng, numbers)[:rows]:
            yield number, passed
        rows, passed = rows - len(numbers), passed + 1


def _manifests(what: str, rows: list[int]) -> Iterable[Message]:
    period = period_of(MONTH)
    for partition, count in enumerate(rows):
        data: dict[str, Any] = {"feed": KIND, "period": period, "areas": [CITY], "mode": "delta", "rows": count}
        event = {
            "specversion": "1.0",
            "id": f"{_batch()}-{what}-{partition}",
            "source": SOURCE,
            "type": f"lidm.batch.{what}",
            "time": f"{period}-25T02:00:00+08:00",
            "recordedtime": f"{period}-25T02:00:00+08:00",
            "batchid": _batch(),
            "data": {**data, "nothing_happened": False},
        }
        yield partition, _batch().encode(), json.dumps(event).encode()


def _batch() -> str:
    return f"{KIND}-{period_of(MONTH)}"


def _complete(bootstrap: str, rows: int) -> None:
    """Every row reached the households: a figure for work not done is no figure."""
    if any(True for _ in ground.read_all(bootstrap, REJECTED)):
        raise DataError("月度整批的数据被拒收")
    blocks = (decode_block(value) for _, value in ground.read_all(bootstrap, HOUSEHOLD_EVENTS))
    found = sum(isinstance(record, FactRecord) for block in blocks for record in block)
    if found != rows:
        raise DataError(f"月度整批 {rows} 行，户事件中有 {found} 行")
