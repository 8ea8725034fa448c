"""A year of a city of 160,000 households under a draft in less than ten minutes on two cores, from a saved log.

One partition's year is made and stands for each of them, so that making the log takes minutes and not hours: what is
measured is folding, and every partition is folded for itself.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.records import FactRecord, decode_block
from schemas.topics import Catalogue
from sinks.log_file import LogFile, save
from sinks.store import LogBlock
from tests.acceptance.figures import noted
from tests.streams.making import POLICY, Block, story

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]
HOUSEHOLDS, WEEKS, CORES = 160_000, 52, 2
PARTITIONS = Catalogue.partitions("city")
WINDOW = ("--from", "2025-05-12", "--to", "2026-05-10")
MOST_SECONDS = 600
LINES = "339901000000/risk/medical_selfpay.yaml"


def draft(folder: Path) -> Path:
    """Lower lines for everybody."""
    made = folder / "policy"
    shutil.copytree(POLICY, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (made / LINES).read_text(encoding="utf-8")
    (made / LINES).write_text(text.replace("15000元", "12000元").replace("5000元", "4000元"), encoding="utf-8")
    return made


def repeated(blocks: list[Block], partitions: int) -> Iterator[LogBlock]:
    """One partition's blocks as those of all."""
    for partition in range(partitions):
        for block in blocks:
            yield LogBlock("g1", partition, *block)


def facts(blocks: list[Block]) -> int:
    """How many facts a partition has."""
    return sum(isinstance(each, FactRecord) for _, _, value in blocks for each in decode_block(value))


def measured(log: LogFile, policy: Path, jobs: int, folder: Path) -> tuple[float, float, dict[str, Any]]:
    """Seconds on the wall, seconds of CPU, and what it said."""
    began, used = time.monotonic(), _cpu()
    done = subprocess.run(
        [sys.executable, "-m", "lidm.main", "backtest", "--policy", str(policy), *WINDOW,
         "--law", "counterfactual", "--log", str(log.path), "--jobs", str(jobs), "--json"],
        capture_output=True, text=True, check=False,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("LIDM_")}, "LIDM_DATA_DIR": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return time.monotonic() - began, _cpu() - used, json.loads(done.stdout)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_year_of_a_city_in_ten_minutes(tmp_path: Path) -> None:
    blocks = story(households=-(-HOUSEHOLDS // PARTITIONS), weeks=WEEKS).blocks
    log = save(tmp_path / "year.log", repeated(blocks, PARTITIONS))
    events = facts(blocks) * PARTITIONS
    wall, cpu, said = measured(log, draft(tmp_path), CORES, tmp_path)
    noted(5, "backtest", {
        "households": said["households"],
        "facts": events,
        "log_mb": round(log.path.stat().st_size / 1e6),
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "household_years_per_second": round(said["households"] / wall, 1),
        "cpu_us_per_fact": round(cpu * 1e6 / events, 1),
        "gained": said["total"]["gained"],
        "lost": said["total"]["lost"],
        "met": wall < MOST_SECONDS,
    })  # fmt: skip
    assert said["households"] >= HOUSEHOLDS * 0.99
    assert said["total"]["gained"] > 0
    assert wall < MOST_SECONDS
