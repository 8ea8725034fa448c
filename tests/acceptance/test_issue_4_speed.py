"""Rows a second of the publisher's kit on one core: checking a file offline, publishing it to a real broker.

Right before and after each measurement the reference loop of the bench is run: where the two lie apart by more than 1.3
it is measured again, three times at most; a job that was not calm even then makes the figures void. Speed decides
nothing here: each figure stands beside its aim in `docs/acceptance/4.json`.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest

from gateway.keys import init_keys
from load_tests.bench import ground
from load_tests.bench.bills import plan
from load_tests.bench.figures import REFERENCE_FLOOR_US
from load_tests.bench.report import Floors
from load_tests.bench.rounds import BILLS, measure_floor
from load_tests.mess.forms import flood, flood_lines
from tests.acceptance.figures import noted

pytestmark = [pytest.mark.live, pytest.mark.acceptance, pytest.mark.timeout(3600)]
KIND = "medical.settlement"
ROWS, PEOPLE, ROUNDS = 500_000, 100_000, 3
FLOOR_EVENTS = 200_000
MONTH = ("--period", "2026-05", "--area", "339901000000", "--again")
PATIENCE_SECONDS = 600


class Job(NamedTuple):
    """What is measured, and what it aims at in rows a second."""

    name: str
    aim: int
    words: tuple[str, ...]


def jobs(csv: Path, lines: Path) -> list[Job]:
    """Every way a department may take."""
    check, publish = ("feed", "check"), ("feed", "publish", KIND)
    offline = ("--feed", KIND, "--synthetic")
    return [
        Job("check csv gb18030", 40_000, (*check, str(csv), *offline)),
        Job("check json lines", 100_000, (*check, str(lines), *offline)),
        Job("publish csv gb18030", 30_000, (*publish, str(csv), *MONTH)),
        Job("publish json lines", 30_000, (*publish, str(lines), *MONTH)),
        Job("publish csv gb18030 in arrays of 100", 30_000, (*publish, str(csv), *MONTH, "--array", "100")),
    ]


def ran(job: Job, data: Path, bootstrap: str) -> tuple[float, float]:
    """Rows a second while it worked, and rows a CPU second of the whole process. Fails unless all rows passed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment |= {"LIDM_DATA_DIR": str(data), "LIDM_BROKER": bootstrap}
    before = _cpu()
    done = subprocess.run(
        [sys.executable, "-m", "lidm.main", *job.words, "--json"],
        capture_output=True, text=True, env=environment, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said.get("good", said.get("sent")) == ROWS
    return ROWS / said["seconds"], ROWS / (_cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Round(NamedTuple):
    """One measurement, and the floor beside it in microseconds."""

    wall: float
    cpu: float
    floor: float


def told(job: Job, rounds: Sequence[Round]) -> dict[str, Any]:
    """One job's figures; `reference`: per CPU second of a core on which the reference loop costs 1.7 µs."""
    wall = median(each.wall for each in rounds)
    return {
        "rows_per_second": round(wall),
        "rows_per_second_by_round": [round(each.wall) for each in rounds],
        "rows_per_cpu_second": round(median(each.cpu for each in rounds)),
        "rows_per_cpu_second_reference": round(median(each.cpu * each.floor / REFERENCE_FLOOR_US for each in rounds)),
        "aim": job.aim,
        "met": wall >= job.aim,
    }


def test_rows_a_second(tmp_path: Path) -> None:
    data = tmp_path / "data"
    init_keys(data / "keys", synthetic=True)
    wanted = jobs(flood(tmp_path / "a.csv", ROWS, PEOPLE), flood_lines(tmp_path / "a.jsonl", ROWS, PEOPLE))
    floors = Floors()
    rounds: dict[str, list[Round]] = {job.name: [] for job in wanted}
    with ground.broker(tmp_path / "floor") as still, ground.broker(tmp_path / "broker") as kafka:
        for each in (still, kafka):
            ground.create_topics(each.bootstrap, "wall")
        bench = plan(FLOOR_EVENTS, FLOOR_EVENTS // 10)
        ground.publish(still.bootstrap, BILLS, ((None, key, value) for key, value in bench.messages()))
        floors.read = partial(measure_floor, still.bootstrap, tmp_path)
        for _ in range(ROUNDS):
            for job in wanted:
                (wall, cpu), floor = floors.beside(partial(ran, job, data, kafka.bootstrap))
                rounds[job.name].append(Round(wall, cpu, floor))
    figures: dict[str, Any] = {job.name: told(job, rounds[job.name]) for job in wanted}
    figures |= {"rows": ROWS, "people": PEOPLE} | floors.told()
    noted(4, "speed", figures)
    assert {len(each) for each in rounds.values()} == {ROUNDS}
