"""The whole bench: which jobs, how many rounds, one report. Every row is a job that can be left out."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from load_tests.bench import ledgers, rounds
from load_tests.bench.bills import plan
from load_tests.bench.figures import MOST_SPREAD, REFERENCE_FLOOR_US, Job, reference_us, spread
from load_tests.bench.rounds import Cost, Scene

ROWS = ("whole_path", "plain_faust", "batched", "ledgers")
PERSONS = 4_000
Progress = Callable[[str], None]


def run(events: int, households: int, times: int, rows: Sequence[str], say: Progress) -> dict[str, Any]:
    """Runs the rows asked for in a temporary folder and reports figures. Raises DataError when alerts are wrong."""
    with tempfile.TemporaryDirectory(prefix="lidm-bench-") as folder:
        report: dict[str, Any] = {"events": events, "households": households, "rounds": times}
        report |= _first_job(Path(folder), events, households, times, rows, say)
    if "ledgers" in rows:
        say(f"台账：{PERSONS} 人，24 个月")
        report["ledgers"] = _as_reference(ledgers.measure(PERSONS), report.get("floor_us"))
    return report


def _as_reference(measured: dict[str, Any], floor: float | None) -> dict[str, Any]:
    """CPU figures as reference microseconds too, where the floor of this run is known."""
    if floor is None:
        return measured
    scaled = {
        name.replace("_cpu_us_", "_reference_us_"): round(value * REFERENCE_FLOOR_US / floor, 1)
        for name, value in measured.items()
        if "_cpu_us_" in name
    }
    return measured | scaled


def _first_job(
    folder: Path, events: int, households: int, times: int, rows: Sequence[str], say: Progress
) -> dict[str, Any]:
    wanted = {row for row in ("whole_path", "plain_faust", "batched") if row in rows}
    if not wanted:
        return {}
    bench = plan(events, households)
    say(f"准备：{households} 户，{events} 条结算单")
    scene = rounds.prepare(folder, bench, "plain_faust" in wanted, "batched" in wanted)
    jobs = {row: Job() for row in wanted}
    for number in range(times):
        _round(scene, jobs, events)
        told = "，".join(f"{row} {sum(job.rounds[-1].values()):.1f}" for row, job in jobs.items())
        say(f"第 {number + 1} 轮（基准微秒/条）：{told}")
    return _told(jobs)


def _round(scene: Scene, jobs: dict[str, Job], events: int) -> None:
    with scene.round(scene.singles) as bootstrap:
        floor = rounds.measure_floor(bootstrap, scene)
        ours = rounds.measure_product(bootstrap, scene) if "whole_path" in jobs else {}
        floor = (floor + rounds.measure_floor(bootstrap, scene)) / 2
        if ours:
            _note(jobs["whole_path"], ours, events, floor)
        if "plain_faust" in jobs:
            _note(jobs["plain_faust"], {"worker": rounds.measure_faust(bootstrap, scene)}, events, floor)
    if "batched" in jobs:
        with scene.round(scene.arrays) as bootstrap:
            _note(jobs["batched"], rounds.measure_product(bootstrap, scene), events, floor)


def _note(job: Job, costs: dict[str, Cost], events: int, floor: float) -> None:
    job.floors.append(floor)
    job.rounds.append({name: reference_us(cost.cpu, events, floor) for name, cost in costs.items()})
    job.walls.append(max(cost.wall for cost in costs.values()))
    for name, cost in costs.items():
        job.peaks_mib[name] = max(cost.peak_mib, job.peaks_mib.get(name, 0))


def _told(jobs: dict[str, Job]) -> dict[str, Any]:
    floors = next(iter(jobs.values())).floors
    found: dict[str, Any] = {"floor_us": round(median(floors), 2), "floor_spread": spread(floors)}
    found["void"] = spread(floors) > MOST_SPREAD
    if "whole_path" in jobs:
        ours = jobs["whole_path"]
        found["whole_path_cpu_us_per_event"] = ours.total
        found["stages"] = {**ours.parts, "floor": 1.7}
        found["peak_mib"] = ours.peaks_mib
        found["whole_path_rounds"] = [round(sum(each.values()), 2) for each in ours.rounds]
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
