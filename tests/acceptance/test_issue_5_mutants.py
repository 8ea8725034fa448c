"""Small faults in rules and ledgers: at least 85 of 100 drawn at random are noticed by a test."""

import json
import os
import subprocess
import sys

import pytest

from load_tests.mutants.__main__ import ENOUGH
from tests.acceptance.figures import noted
from tests.conftest import repository

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(4 * 3600)]
FAULTS, SEED = 300, 1


def test_tests_notice_small_faults() -> None:
    words = ["--count", f"{FAULTS}", "--seed", f"{SEED}", "--jobs", f"{os.cpu_count() or 1}", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "load_tests.mutants", *words],
        capture_output=True, text=True, check=False, cwd=repository(),
    )  # fmt: skip
    assert done.stdout, done.stderr[-2000:]
    verdict = json.loads(done.stdout)
    noted(5, "mutants", {"seed": SEED, "met": done.returncode == 0, **verdict})
    assert verdict["drawn"] == FAULTS
    assert verdict["share"] >= ENOUGH, verdict["survived"]
