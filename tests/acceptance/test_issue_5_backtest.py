"""A year of a city of 160,000 households under a draft in less than ten minutes on two cores, from a saved log.

A city of an eighth of that is made, and its partitions stand eight times in the log, so that making it takes minutes
and not hours: what is measured is folding, and every partition is folded for itself.
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

from gateway.identities import Linkage
from gateway.vault import Vault
from load_tests.city.driver import Driver
from load_tests.city.logged import Logged
from load_tests.city.planner import City, Config
from policy.bundle import Bundle
from schemas.records import FactRecord, decode_block
from schemas.sealing import new_key_pair
from schemas.topics import Catalogue
from sinks.log_file import LogFile, save
from sinks.store import LogBlock
from tests.acceptance.figures import noted
from tests.streams.making import POLICY

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]
HOUSEHOLDS, TIMES, CORES = 160_000, 8, 2
PARTITIONS = Catalogue.partitions("city")
WINDOW = ("--from", "2025-01-01", "--to", "2025-12-31")
MOST_SECONDS = 600
LINES = "339901000000/risk/medical_selfpay.yaml"


def draft(folder: Path) -> Path:
    """Lower lines for everybody."""
    made = folder / "policy"
    shutil.copytree(POLICY, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (made / LINES).read_text(encoding="utf-8")
    (made / LINES).write_text(text.replace("15000元", "12000元").replace("5000元", "4000元"), encoding="utf-8")
    return made


def city_log(folder: Path, households: int, partitions: int) -> list[LogBlock]:
    """What intake and monitor wrote for the households of a city in its first year."""
    city = City(Config(households, months=12, seed=5), folder)
    service = Logged(new_key_pair()[1], partitions)
    with Vault(folder / "vault.sqlite", b"v" * 32) as vault:
        Driver(city, service, Linkage(b"k" * 32, synthetic=True), vault, Bundle.load(POLICY)).run()
    return list(service.blocks())


def repeated(blocks: list[LogBlock], times: int) -> Iterator[LogBlock]:
    """The partitions of one log so many times, each under a number of its own."""
    apart = max(block.partition for block in blocks) + 1
    for copy in range(times):
        for block in blocks:
            yield block._replace(partition=block.partition + apart * copy)


def facts(blocks: list[LogBlock]) -> int:
    """How many facts a log has."""
    return sum(isinstance(each, FactRecord) for block in blocks for each in decode_block(block.block))


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
    (tmp_path / "city").mkdir()
    blocks = city_log(tmp_path / "city", HOUSEHOLDS // TIMES, PARTITIONS // TIMES)
    log = save(tmp_path / "year.log", repeated(blocks, TIMES))
    events = facts(blocks) * TIMES
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
    assert said["total"]["gained"] + said["total"]["longer"] > 0
    assert wall < MOST_SECONDS
