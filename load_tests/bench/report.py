"""The whole bench: which jobs, how many rounds, one report. Every row is a job that can be left out."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from load_tests.bench import ground, latency, month, rounds, screens
from load_tests.bench.bills import Plan, plan
from load_tests.bench.budgets import judged
from load_tests.bench.figures import MOST_SPREAD, REFERENCE_FLOOR_US, Between, Found, Job, between, reference_us
from load_tests.bench.ground import PARTITIONS
from load_tests.bench.process import Worker
from load_tests.bench.recovery import recovered
from load_tests.bench.rounds import BILLS, FEEDS, Cost, Scene
from streams.checkpoint import MAX_DIRTY
from streams.config import StreamConfig
from streams.intake import POLL_RECORDS

FIRST_JOB = ("whole_path", "plain_faust", "batched")
ROWS = (*FIRST_JOB, "ledgers", "latency", "recovery", "month", "screens")
FRESH_SECONDS = 20.0
LABELS = {"whole_path": "单条全程", "plain_faust": "plain Faust", "batched": "成批"}
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    events: int = 500_000
    households: int = 50_000
    rounds: int = 5
    ledger_persons: int = 4_000
    latency_seconds: int = 60
    recovery_persons: int = 40_000
    month_rows: int = 200_000
    screen_years: int = 10

    @property
    def full(self) -> bool:
        """Whether nothing is smaller than a figure needs: what a process costs once does not weigh on few events."""
        wanted = Sizes()
        return all(getattr(self, name.name) >= getattr(wanted, name.name) for name in fields(self))


def run(sizes: Sizes, rows: Sequence[str], say: Progress) -> dict[str, Any]:
    """Runs the rows asked for in a temporary folder and reports figures. Raises DataError when alerts are wrong."""
    report: dict[str, Any] = {"events": sizes.events, "households": sizes.households, "rounds": sizes.rounds}
    report["full_size"] = sizes.full
    with tempfile.TemporaryDirectory(prefix="lidm-bench-") as name:
        folder, floors = Path(name), Floors()
        if {*FIRST_JOB, "ledgers", "month"} & set(rows):
            scene = _prepared(folder, sizes, rows, say)
            floors.read = partial(_floor, scene)
            report |= _first_job(scene, floors, sizes, rows, say)
        if "ledgers" in rows:
            say(f"台账：{sizes.ledger_persons} 人，24 个月")
            report["ledgers"] = as_reference(*floors.beside(lambda: ledgers_in(folder, sizes.ledger_persons)))
        if "latency" in rows:
            say(f"事件到预警：每秒 {latency.RATE} 条，{sizes.latency_seconds} 秒")
            report["latency"] = latency.measure(folder, sizes.latency_seconds)
        if {"recovery", "month"} & set(rows):
            report |= _after_a_dump(folder, sizes, rows, floors, report.get("ledgers"), say)
        if "screens" in rows:
            say(f"查询：{sizes.screen_years} 年的预警与个案")
            report["screens"] = screens.measure(folder, sizes.screen_years)
    report |= floors.told()
    report["budgets"] = judged(report)
    return report


class Floors:
    """Readings of the floor beside what was measured; `read` takes one. One just taken serves what comes next too."""

    def __init__(self) -> None:
        self.read: Callable[[], float] = lambda: REFERENCE_FLOOR_US
        self._taken: list[tuple[float, float]] = []
        self._last, self._read_at = 0.0, float("-inf")

    def beside(self, measure: Callable[[], Found]) -> tuple[Found, float]:
        """What was measured, and the floor to scale it by: of several tries the calmest."""
        fresh = time.monotonic() - self._read_at < FRESH_SECONDS
        every = between(self._last if fresh else self.read(), measure, self.read)
        self._last, self._read_at = every[-1].after, time.monotonic()
        taken = min(every, key=lambda each: each.spread)
        self._taken.append((taken.floor, taken.spread))
        return taken.found, taken.floor

    def once(self, measure: Callable[[], Found]) -> Between[Found]:
        """What cannot be measured twice. Two floors that lie apart make void what stands between them, not the rest."""
        return between(self.read(), measure, self.read, tries=1)[0]

    def told(self) -> dict[str, Any]:
        """The median floor and how far the two around one measurement lay apart at most; nothing without any."""
        if not self._taken:
            return {}
        worst = max(apart for _, apart in self._taken)
        middle = round(median(floor for floor, _ in self._taken), 2)
        return {"floor_us": middle, "floor_spread": worst, "void": worst > MOST_SPREAD}


def as_reference(measured: dict[str, Any], floor: float) -> dict[str, Any]:
    """CPU figures as reference microseconds too."""
    scaled = {
        name.replace("_cpu_us_", "_reference_us_"): round(value * REFERENCE_FLOOR_US / floor, 1)
        for name, value in measured.items()
        if "_cpu_us_" in name
    }
    return measured | scaled


def ledgers_in(folder: Path, persons: int, trial: Sequence[str] = ()) -> dict[str, Any]:
    """What `load_tests.bench.ledgers` measures, in a process of its own; rules on trial only where named."""
    with Worker.stage("ledgers", folder / "ledgers.log", persons=persons, trial=trial) as worker:
        told = dict(worker.first("persons"))
    del told["total_cpu"]
    return told


def _prepared(folder: Path, sizes: Sizes, rows: Sequence[str], say: Progress) -> Scene:
    """Brokers with the bills of the first job; only with bills to read where that is left out."""
    wanted = set(FIRST_JOB) & set(rows)
    households = sizes.households if wanted else min(sizes.households, sizes.events)
    bench = plan(sizes.events, households)
    say(f"准备：{households} 户，{sizes.events} 条结算单")
    if wanted:
        return rounds.prepare(folder, bench, "plain_faust" in wanted, "batched" in wanted)
    with ground.broker(folder / "bills") as kafka:
        ground.create_topics(kafka.bootstrap, "driven")
        ground.publish(kafka.bootstrap, BILLS, ((None, k, v) for k, v in bench.messages()))
    return Scene(folder, bench, folder / "bills", folder / "bills")


def _floor(scene: Scene) -> float:
    with scene.round(scene.singles) as bootstrap:
        return rounds.measure_floor(bootstrap, scene.folder)


def _after_a_dump(
    folder: Path, sizes: Sizes, rows: Sequence[str], floors: Floors, ledgers: dict[str, Any] | None, say: Progress
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    say(f"恢复：{sizes.recovery_persons} 人，24 个月，刚收过月度整批")
    with recovered(folder, sizes.recovery_persons) as ready:
        if "recovery" in rows:
            found["recovery"] = ready.told
        if "month" in rows:
            say(f"月度整批：{sizes.month_rows} 行")
            dump = floors.once(lambda: month.measure(ready, sizes.month_rows))  # it adds a month
            found["month"] = _month_told(dump, len(ready.numbers), ledgers)
    return found


def _month_told(taken: Between[month.Dump], persons: int, ledgers: dict[str, Any] | None) -> dict[str, Any]:
    """What was measured through the broker, and apart from it what follows from costs per row."""
    dump, floor = taken.found, taken.floor
    intake = round(reference_us(dump.intake.cpu, dump.rows, floor), 1)
    monitor = round(reference_us(dump.monitor.cpu, dump.rows, floor), 1)
    cold = monitor if ledgers is None else float(ledgers["cold_dump_reference_us_per_event"])
    wall = dump.monitor.wall
    return {
        "floor_spread": taken.spread,
        "void": taken.spread > MOST_SPREAD,
        "measured": {
            "rows": dump.rows,
            "persons": persons,
            "wall_seconds": round(wall, 1),
            "events_per_second": round(dump.rows / wall),
            "minutes_for_7_million": month.minutes_for_city(dump.rows, wall),
            "intake_reference_us_per_event": intake,
            "monitor_reference_us_per_event": monitor,
            "peak_mib": {"intake": dump.intake.peak_mib, "monitor": dump.monitor.peak_mib},
        },
        "derived": {
            "minutes": month.derived_minutes(intake + cold),
            "intake_reference_us_per_event": intake,
            "cold_dump_reference_us_per_event": cold,
            "cold_from": "month.measured" if ledgers is None else "ledgers",
            "rows": month.CITY_ROWS,
            "cores": month.CORES,
        },
    }


def _first_job(scene: Scene, floors: Floors, sizes: Sizes, rows: Sequence[str], say: Progress) -> dict[str, Any]:
    jobs = {row: Job() for row in FIRST_JOB if row in rows}
    for number in range(sizes.rounds if jobs else 0):
        say(f"第 {number + 1} 轮，共 {sizes.rounds} 轮")
        for row, job in jobs.items():
            costs, floor = floors.beside(partial(_costs, row, scene))
            say(f"  {LABELS[row]} {_note(job, costs, sizes.events, floor):.1f} 基准微秒/条")
    return _told(jobs, scene.bench) if jobs else {}


def _costs(row: str, scene: Scene) -> dict[str, Cost]:
    """One round of a row, on a fresh copy of its broker."""
    with scene.round(scene.arrays if row == "batched" else scene.singles) as bootstrap:
        if row == "plain_faust":
            return {"worker": rounds.measure_faust(bootstrap, scene)}
        return rounds.measure_product(bootstrap, scene)


def _note(job: Job, costs: dict[str, Cost], events: int, floor: float) -> float:
    job.rounds.append({name: reference_us(cost.cpu, events, floor) for name, cost in costs.items()})
    job.walls.append(max(cost.wall for cost in costs.values()))
    for name, cost in costs.items():
        job.peaks_mib[name] = max(cost.peak_mib, job.peaks_mib.get(name, 0))
    return sum(job.rounds[-1].values())


def _told(jobs: dict[str, Job], bench: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "whole_path" in jobs:
        ours = jobs["whole_path"]
        found["whole_path_cpu_us_per_event"] = ours.total
        found["stages"] = {**ours.parts, "floor": REFERENCE_FLOOR_US}
        found["peak_mib"] = ours.peaks_mib
        found["whole_path_rounds"] = [round(sum(each.values()), 2) for each in ours.rounds]
        found["memory"] = memory(ours.peaks_mib, len(bench.order))
    if "batched" in jobs:
        found["batched_cpu_us_per_event"] = jobs["batched"].total
        found["batched_stages"] = jobs["batched"].parts
    if "plain_faust" in jobs:
        theirs = jobs["plain_faust"]
        found["plain_faust_cpu_us_per_event"] = theirs.total
        if "whole_path" in jobs:
            pairs = zip(theirs.rounds, jobs["whole_path"].rounds, strict=True)
            found["plain_faust_over_ours"] = round(median(sum(t.values()) / sum(o.values()) for t, o in pairs), 1)
    return found


def memory(peaks_mib: dict[str, int], backlog: int) -> dict[str, Any]:
    """Peaks under a backlog that waited from the start, and what bounds each stage whatever the backlog."""
    config = StreamConfig(broker="none", partitions=PARTITIONS)
    return {
        "peak_mib": peaks_mib,
        "largest_peak_mib": max(peaks_mib.values()),
        "backlog_events": backlog,
        "bounds": {
            "intake_fetched_bytes": config.fetch_bytes * PARTITIONS * len(FEEDS),
            "intake_poll_records": POLL_RECORDS,
            "monitor_dirty_households": MAX_DIRTY,
            "monitor_decoded_households": config.decoded_households,
        },
    }
