"""Faults, one after another: each says what it did, and leaves a worker for every stage."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from load_tests.chaos.fleet import KILLED, Worker, wait_until
from load_tests.chaos.lab import STAGES, Lab
from load_tests.chaos.pace import Pace
from load_tests.chaos.workload import Week

FAILPOINTS: dict[str, tuple[str, ...]] = {
    "intake": ("mid_outputs", "after_outputs", "after_commit"),
    "monitor": ("after_outputs", "mid_state", "after_state", "after_commit"),
    "cases": ("after_outputs", "mid_state", "after_state", "after_commit"),
    "archive": ("mid_insert", "after_insert", "after_commit"),
}
STOPPED = 4
STOP_SECONDS = 25.0


@dataclass
class Journal:
    """What happened: crashes by failpoint, kills that counted, joins, exit codes of clean stops."""

    crashed: list[str] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    joins: int = 0
    stops: list[tuple[str, int, float]] = field(default_factory=list)
    thawed: dict[str, int | None] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Notes how long a part took."""
        began = time.monotonic()
        yield
        self.seconds[what] = round(time.monotonic() - began, 1)


def crash_at_every_failpoint(lab: Lab, weeks: Iterator[Week], journal: Journal, pace: Pace) -> None:
    """Every stage dies at its first failpoint, comes back and dies at its next; weeks go by until all have died.

    One worker per stage, with static membership, so that a crash costs a restart and not a session.
    """
    chains = {stage: list(names) for stage, names in FAILPOINTS.items()}
    for worker in [each for stage in STAGES for each in lab.fleet.of(stage)]:
        _stop(worker, journal)

    def next_of(stage: str) -> Worker:
        name = f"{stage}.{chains[stage].pop(0)}" if chains[stage] else None
        return lab.fleet.start(stage, failpoint=name, LIDM_INSTANCE="1")

    for stage in STAGES:
        next_of(stage)
    with _watching(lab, next_of) as ended:
        while any(chains.values()) or any(worker.failpoint for worker in lab.fleet.living):
            lab.play(next(weeks), pace)
    for worker in ended:
        if worker.process.returncode != KILLED or worker.failpoint is None:
            raise AssertionError(f"{worker.stage} ended with {worker.process.returncode}: {worker.last_words()}")
        journal.crashed.append(worker.failpoint)


def kill_at_work(
    lab: Lab, week: Week, journal: Journal, kills: int, pace: Pace, pick: Callable[[int], str]
) -> None:
    """`kill -9` of the stage `pick(n)` names, each only while it has lag and something not yet durable."""
    stop = threading.Event()

    def hunt() -> None:
        for number in range(kills):
            stage = pick(number)
            while not stop.is_set():
                worker = next(iter(lab.fleet.of(stage)), None)
                said = worker.phase() if worker else {}
                if worker is not None and said.get("dirty", 0) > 0:
                    worker.kill()
                    journal.kills.append(f"{stage} in {said['phase']} with {said['dirty']} not durable")
                    lab.ready(lab.fleet.start(stage), 90)
                    break
                time.sleep(0.01)

    hunter = threading.Thread(target=hunt, name="hunter")
    hunter.start()
    try:
        lab.play(week, pace)
    finally:
        stop.set()
        hunter.join(60)


@contextmanager
def joins(lab: Lab, journal: Journal, stages: tuple[str, ...] = STAGES, every: float = 10.0) -> Iterator[None]:
    """While inside, a second worker of these stages joins, and leaves by SIGTERM, by turns every `every` seconds."""
    stop = threading.Event()

    def come_and_go() -> None:
        guests: list[Worker] = []
        while not stop.is_set():
            began = time.monotonic()
            if guests:
                for guest in guests:
                    _stop(guest, journal)
                guests = []
            else:
                guests = [lab.fleet.start(stage) for stage in stages]
                for guest in guests:
                    wait_until(guest.phase, 60, f"{guest.stage} does not start: {guest.last_words()}")
                journal.joins += len(guests)
            stop.wait(max(1.0, began + every - time.monotonic()))
        for guest in guests:
            _stop(guest, journal)

    visitor = threading.Thread(target=come_and_go, name="joins")
    visitor.start()
    try:
        yield
    finally:
        stop.set()
        visitor.join(120)


@contextmanager
def frozen(lab: Lab, journal: Journal, stages: tuple[str, ...], seconds: float) -> Iterator[None]:
    """A worker of each stage stands still for longer than its session while another takes over; then it goes on.

    It may notice and stop (exit code 4) or find its way back; it must not do harm.
    """
    stalled = [lab.fleet.of(stage)[0] for stage in stages]
    heirs = [lab.fleet.start(stage) for stage in stages]
    for heir in heirs:
        lab.ready(heir)
    for worker in stalled:
        worker.freeze()
    began = time.monotonic()
    try:
        yield
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        for stage in stages:
            wait_until(lambda s=stage: lab.lag.members(s) == 1, 30, f"nobody took over from the frozen {stage}")
    finally:
        for worker in stalled:
            worker.thaw()
    for worker in stalled:
        code = worker.wait(5.0)
        journal.thawed[worker.stage] = code
        if code not in (None, 0, STOPPED):
            raise AssertionError(f"{worker.stage} ended with {code} after a freeze: {worker.last_words()}")


@contextmanager
def store_away(lab: Lab, seconds: float) -> Iterator[None]:
    """ClickHouse frozen, killed, and started again after `seconds`."""

    def away() -> None:
        lab.stack.clickhouse.freeze()
        time.sleep(seconds / 3)
        lab.stack.clickhouse.kill()
        time.sleep(seconds * 2 / 3)
        lab.stack.clickhouse.start()

    outage = threading.Thread(target=away, name="outage")
    outage.start()
    try:
        yield
    finally:
        outage.join(seconds + 90)


@contextmanager
def _watching(lab: Lab, again: Callable[[str], Worker]) -> Iterator[list[Worker]]:
    """Starts a stage again whenever its worker dies by itself; collects who died."""
    ended: list[Worker] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.1):
            for worker in [each for each in lab.fleet.workers if not each.alive and not each.expected]:
                worker.expected = True
                ended.append(worker)
                again(worker.stage)

    thread = threading.Thread(target=run, name="restarts")
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join(30)


def _stop(worker: Worker, journal: Journal) -> None:
    """SIGTERM; a clean end within the promised time."""
    began = time.monotonic()
    code = worker.stop(STOP_SECONDS + 5)
    journal.stops.append((worker.stage, code, round(time.monotonic() - began, 1)))
