"""From an event to its alert at a steady rate, on the wall clock and the broker's: intake and monitor as in production.

Both times are the broker's (`LogAppendTime`): when the bill that crosses a line was appended to its feed topic, and
when the first alert about that household was appended to `alerts.v1`. Households are fresh, without old ledgers.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from load_tests.bench import ground, process
from load_tests.bench.bills import LINES_FEN, Plan, plan, year_before
from load_tests.bench.ground import Message, broker, publish, wait_read
from load_tests.bench.rounds import BILLS, DETECTORS, FEEDS, MEMBERS
from schemas.calendar import SHANGHAI
from schemas.errors import DataError
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS
from streams.ticks import now_ms

RATE = 2_000
BILLS_PER_HOUSEHOLD = 10
NUMBER = b'"id":"MS-'
DIGITS = 9


class Heard(NamedTuple):
    """Broker times in milliseconds: of each bill's first copy by number, of each household's first alert."""

    bills: dict[int, int]
    alerts: dict[str, int]


def measure(folder: Path, seconds: int, rate: int = RATE) -> dict[str, Any]:
    """Seconds from event to alert, p50 and p99. Raises DataError when other households are alerted than planned."""
    bench = plan(rate * seconds, max(1, rate * seconds // BILLS_PER_HOUSEHOLD), today=datetime.now(SHANGHAI).date())
    with broker(folder / "latency") as kafka:
        bootstrap = kafka.bootstrap
        ground.create_topics(bootstrap, "wall")
        publish(bootstrap, HOUSEHOLD_EVENTS, ground.controls(now_ms(), DETECTORS))
        publish(bootstrap, MEMBERS, ((None, k, v) for k, v in bench.memberships()))
        with (
            process.monitor(bootstrap, folder, clock="wall") as monitor,
            process.intake(bootstrap, folder, FEEDS, clock="wall") as intake,
        ):
            wait_read(bootstrap, "intake", (MEMBERS,), intake.alive)
            wait_read(bootstrap, "monitor", None, monitor.alive)
            sent = paced(((None, k, v) for k, v in bench.messages()), rate)
            publish(bootstrap, BILLS, sent, compression="snappy")  # kafka-python, our reader below, knows no lz4
            wait_read(bootstrap, "intake", (BILLS,), intake.alive)
            wait_read(bootstrap, "monitor", None, monitor.alive)
            peaks = {"intake": intake.peak_mib(), "monitor": monitor.peak_mib()}
        heard = Heard(heard_bills(bootstrap), first_alerts(ground.read_all(bootstrap, ALERTS)))
    return {**told(heard, causes(bench), len(bench.order)), "rate": rate, "peak_mib": peaks}


def paced(
    messages: Iterable[Message],
    rate: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Message]:
    """The same messages, no faster than the rate."""
    began = clock()
    for number, message in enumerate(messages):
        early = began + number / rate - clock()
        if early > 0.002:
            sleep(early)
        yield message


def causes(bench: Plan) -> dict[str, int]:
    """By household: the number of the bill with which its person first passed the line, in the order sent."""
    before, found = year_before(bench.today), dict[str, int]()
    paid, seen = [0] * len(bench.people), set[int]()
    for at in bench.order:
        bill = bench.bills[at]
        if at in seen or not before < bill.day <= bench.today:
            continue
        seen.add(at)
        paid[bill.person] += bill.self_paid_fen
        resident = bench.people[bill.person]
        if paid[bill.person] > LINES_FEN[resident.scheme]:
            found.setdefault(resident.household, bill.number)
    return found


def told(heard: Heard, caused: dict[str, int], events: int) -> dict[str, Any]:
    """The figures. Raises DataError when the alerted households are not the planned ones."""
    if heard.alerts.keys() != caused.keys():
        differ = len(heard.alerts.keys() ^ caused.keys())
        raise DataError(f"预警的户与计划不同：{differ} 户（如果测量跨过了午夜，请重测）")
    took = [heard.alerts[household] - heard.bills[number] for household, number in caused.items()]
    span = (max(heard.bills.values()) - min(heard.bills.values())) / 1000
    return {
        "events": events,
        "alerts": len(took),
        "rate_achieved": round(events / span) if span else None,
        "p50_seconds": percentile(took, 50) / 1000,
        "p99_seconds": percentile(took, 99) / 1000,
        "max_seconds": max(took) / 1000,
    }


def percentile(values: Sequence[int], share: int) -> int:
    """The smallest value that is not below `share` percent of them (nearest rank). Raises DataError without any."""
    if not values:
        raise DataError("没有一条预警可测")
    return sorted(values)[max(1, ceil(len(values) * share / 100)) - 1]


def first_alerts(messages: Iterable[tuple[int, bytes]]) -> dict[str, int]:
    """By household: when its first alert of the measured rule was appended."""
    found: dict[str, int] = {}
    for at, value in messages:
        alert = json.loads(value)
        if alert["detector"] in DETECTORS:
            found[alert["household"]] = min(at, found.get(alert["household"], at))
    return found


def heard_bills(bootstrap: str) -> dict[int, int]:
    """By number: when the first copy of a bill was appended."""
    found: dict[int, int] = {}
    for at, value in ground.read_all(bootstrap, BILLS):
        start = value.index(NUMBER) + len(NUMBER)
        number = int(value[start : start + DIGITS])
        found[number] = min(at, found.get(number, at))
    return found
