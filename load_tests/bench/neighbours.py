"""Whether a feed of nothing but garbage slows the others: event to alert in windows with and without it, in turn.

One run on a real broker, intake and monitor as in production, the breaker as it is set by default. Bills flow at a
steady rate throughout. In every round one window has them alone, in the other a second feed sends garbage at its own
rate until the window ends: it is refused, sealed, and parked by the breaker. Then it is told to flow again, so that
every garbage window meets a feed that flows; what had piled up is read before the next window begins.
"""

import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from load_tests.bench import ground, process
from load_tests.bench.bills import Plan, plan
from load_tests.bench.ground import PARTITIONS, Message, broker, publish, wait_read, wait_until
from load_tests.bench.latency import Heard, causes, first_alerts, heard_bills, paced, percentile
from load_tests.bench.rounds import BILLS, DETECTORS, FEEDS, MEMBERS
from schemas.calendar import SHANGHAI
from schemas.errors import DataError
from schemas.feed import FEEDS as KNOWN
from schemas.generate import example_event
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS, INTAKE_CONTROL, REJECTED
from streams.breaker import FeedControl, control_letter, decode_control
from streams.lag import Lag
from streams.ticks import now_ms

GARBAGE = "housing.security"
TOPIC = KNOWN[GARBAGE].topic
SETTLE_SECONDS = 3.0
DRAIN_SECONDS = 120.0
BILLS_PER_HOUSEHOLD = 10
PERCENT = 95
MOST = 1.2
"""How much larger the share's latency may be beside garbage."""

Kind = Literal["alone", "garbage"]


class Window(NamedTuple):
    """A stretch of time on the broker's clock, in milliseconds."""

    kind: Kind
    began: int
    ended: int


@dataclass(frozen=True)
class Sizes:
    """How much; smaller ones show that it works, not how fast. Rates are messages a second."""

    rounds: int = 8
    seconds: float = 20.0
    rate: int = 1_000
    garbage_rate: int = 1_000

    @property
    def bills(self) -> int:
        """More than are sent: a window and its garbage, pauses, and what is read again."""
        return round(self.rate * self.rounds * (2 * self.seconds + 2 * SETTLE_SECONDS + 30))


def measure(folder: Path, sizes: Sizes) -> dict[str, Any]:
    """The figures. Raises DataError when other households are alerted than planned, or garbage was lost."""
    bench = shuffled(plan(sizes.bills, max(1, sizes.bills // BILLS_PER_HOUSEHOLD), today=datetime.now(SHANGHAI).date()))
    with broker(folder / "neighbours") as kafka:
        bootstrap = kafka.bootstrap
        ground.create_topics(bootstrap, "wall")
        publish(bootstrap, HOUSEHOLD_EVENTS, ground.controls(now_ms(), DETECTORS))
        publish(bootstrap, MEMBERS, ((None, k, v) for k, v in bench.memberships()))
        with (
            process.monitor(bootstrap, folder, clock="wall") as monitor,
            process.intake(bootstrap, folder, (*FEEDS, GARBAGE), clock="wall") as intake,
        ):
            wait_read(bootstrap, "intake", (MEMBERS,), intake.alive)
            wait_read(bootstrap, "monitor", None, monitor.alive)
            with flowing(bootstrap, bench, sizes.rate) as flow:
                windows, sent, parked = _rounds(bootstrap, sizes)
            wait_read(bootstrap, "intake", (BILLS, TOPIC), intake.alive)
            wait_read(bootstrap, "monitor", None, monitor.alive)
        heard = Heard(heard_bills(bootstrap), first_alerts(ground.read_all(bootstrap, ALERTS)))
        sealed = sum(1 for _ in ground.read_all(bootstrap, REJECTED))
    if sealed != sent:
        raise DataError(f"发出 {sent} 条废数据，未受理清单里有 {sealed} 条")
    caused = causes(replace(bench, order=bench.order[: flow.sent]))
    found = told(heard, caused, windows)
    return {**found, "rate": sizes.rate, "garbage_rate": sizes.garbage_rate, "garbage": sent, "parked": parked}


@dataclass
class Flow:
    """Bills on their way at a steady rate until told to stop."""

    sent: int = 0
    failed: BaseException | None = None


@contextmanager
def flowing(bootstrap: str, bench: Plan, rate: int) -> Iterator[Flow]:
    """Bills flow while the block runs. Raises what stopped them before, DataError when there were too few."""
    flow, enough = Flow(), threading.Event()

    def bills() -> Iterator[Message]:
        for key, value in bench.messages():
            if enough.is_set():
                return
            flow.sent += 1
            yield None, key, value

    def send() -> None:
        try:
            publish(bootstrap, BILLS, paced(bills(), rate), compression="snappy")
        except BaseException as error:
            flow.failed = error

    thread = threading.Thread(target=send, name="bills")
    thread.start()
    try:
        yield flow
        if not thread.is_alive():
            raise flow.failed or DataError("结算单在测量结束之前就发完了")
    finally:
        enough.set()
        thread.join()
    if flow.failed is not None:
        raise flow.failed


def _rounds(bootstrap: str, sizes: Sizes) -> tuple[list[Window], int, int]:
    """Windows in turn, either kind first by turns; how much garbage was sent, how often its feed was parked."""
    windows: list[Window] = []
    sent, parked, lag = 0, 0, Lag(bootstrap, PARTITIONS)
    try:
        for number in range(sizes.rounds):
            order: tuple[Kind, Kind] = ("alone", "garbage") if number % 2 == 0 else ("garbage", "alone")
            for kind in order:
                time.sleep(SETTLE_SECONDS)
                began = now_ms()
                if kind == "garbage":
                    waste = garbage(number, round(sizes.seconds * sizes.garbage_rate))
                    sent += publish(bootstrap, TOPIC, paced(waste, sizes.garbage_rate), compression="snappy")
                else:
                    time.sleep(sizes.seconds)
                windows.append(Window(kind, began, now_ms()))
                if kind == "garbage":
                    parked += _is_parked(bootstrap)
                    _flow_again(bootstrap, lag)
    finally:
        lag.close()
    return windows, sent, parked


def _is_parked(bootstrap: str) -> bool:
    """Whether the feed stands still, by what was said of it last."""
    said = [decode_control(value) for _, value in ground.read_all(bootstrap, INTAKE_CONTROL)]
    return bool(said) and max(said, key=lambda each: each.at_ms).state == "parked"


def _flow_again(bootstrap: str, lag: Lag) -> None:
    """As `lidm feed resume`: what piled up is read and not counted; returns when it is."""
    ends = {str(p): end for p, end in lag.ends(TOPIC).items()}
    letter = control_letter(GARBAGE, FeedControl("flowing", now_ms(), "bench", "下一轮", ends=ends), PARTITIONS)
    message = (letter.partition, letter.key, letter.value or b"")
    publish(bootstrap, letter.topic, [message], compression="snappy")  # kafka-python reads no lz4
    wait_until(lambda: not lag.of("intake", [TOPIC])[TOPIC], "the piled up garbage to be read", DRAIN_SECONDS)


def garbage(seed: int, count: int) -> Iterator[Message]:
    """Nothing of it can be taken: noise, half events, wrong types, unknown fields; keyed by nobody we know."""
    rnd, event = random.Random(seed), example_event(KNOWN[GARBAGE])
    whole = json.dumps(event, ensure_ascii=False).encode()
    wrong = json.dumps({**event, "data": {**event["data"], "amount": "viel"}}, ensure_ascii=False).encode()
    strange = json.dumps({**event, "data": {**event["data"], "name": "某"}}, ensure_ascii=False).encode()
    for number in range(count):
        kinds = (rnd.randbytes(len(whole)), whole[: rnd.randrange(1, len(whole))], wrong, strange)
        yield None, f"p_{rnd.getrandbits(128):032x}".encode(), kinds[number % len(kinds)]


def shuffled(bench: Plan, seed: int = 7) -> Plan:
    """The same bills in random order, so that lines are passed at any time."""
    order = list(bench.order)
    random.Random(seed).shuffle(order)
    return replace(bench, order=tuple(order))


def told(heard: Heard, caused: dict[str, int], windows: Sequence[Window]) -> dict[str, Any]:
    """The figures. Raises DataError when the alerted households are not the planned ones."""
    if heard.alerts.keys() != caused.keys():
        raise DataError(f"预警的户与计划不同：{len(heard.alerts.keys() ^ caused.keys())} 户")
    took: list[list[int]] = [[] for _ in windows]
    for household, number in caused.items():
        at = heard.bills[number]
        place = next((n for n, each in enumerate(windows) if each.began <= at < each.ended), None)
        if place is not None:
            took[place].append(heard.alerts[household] - at)
    kinds: tuple[Kind, Kind] = ("alone", "garbage")
    by_kind = {kind: [took[n] for n, each in enumerate(windows) if each.kind == kind] for kind in kinds}
    pooled = {kind: [ms for each in found for ms in each] for kind, found in by_kind.items()}
    each_p95 = {kind: [percentile(window, PERCENT) for window in found] for kind, found in by_kind.items()}
    p95 = {kind: percentile(found, PERCENT) for kind, found in pooled.items()}
    return {
        "rounds": len(by_kind["alone"]),
        "alerts": {kind: len(found) for kind, found in pooled.items()},
        "p50_ms": {kind: percentile(found, 50) for kind, found in pooled.items()},
        "p95_ms": p95,
        "p95_ms_by_round": each_p95,
        "ratio": _ratio(p95["garbage"], p95["alone"]),
        "ratio_by_round": [_ratio(b, a) for a, b in zip(each_p95["alone"], each_p95["garbage"], strict=True)],
        "spread_alone": _ratio(max(each_p95["alone"]), min(each_p95["alone"])),
    }


def _ratio(one: int, other: int) -> float:
    return round(one / max(1, other), 3)
