"""Twenty thousand households and two years, worked out a second time from the raw events: not one differs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.figures import noted
from tests.conftest import repository

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(6 * 3600)]
HOUSEHOLDS, MONTHS = 20_000, 24
WRONG_CALL = 2


def test_the_checker_agrees_on_every_household(tmp_path: Path) -> None:
    began = time.monotonic()
    words = ["--households", f"{HOUSEHOLDS}", "--months", f"{MONTHS}", "--jobs", f"{os.cpu_count() or 1}"]
    done = subprocess.run(
        [sys.executable, "-m", "load_tests.checker", *words, "--folder", str(tmp_path), "--json"],
        capture_output=True, text=True, check=False, cwd=repository(),
    )  # fmt: skip
    assert done.returncode < WRONG_CALL, done.stderr[-2000:]
    verdicts = json.loads(done.stdout)
    counts = ("checked", "positive", "episodes", "agreeing", "differing")
    noted(5, "checker", {
        "households": min(one["checked"] for one in verdicts),
        "months": MONTHS,
        "rules": {one["code"]: {name: one[name] for name in counts} for one in verdicts},
        "seconds": round(time.monotonic() - began),
        "met": done.returncode == 0,
    })  # fmt: skip
    assert {one["code"]: one["lines"][:5] for one in verdicts if one["differing"]} == {}
    assert all(one["checked"] >= HOUSEHOLDS * 0.99 for one in verdicts)
    assert all(one["positive"] for one in verdicts)
