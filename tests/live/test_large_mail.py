"""What the service writes itself waits for room in the broker's memory: mail of a checkpoint, what a crash owed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.city import lidm

pytestmark = [pytest.mark.live, pytest.mark.timeout(200)]


@pytest.mark.parametrize("what", ["mail", "owed"])
def test_more_than_the_broker_holds_goes_through_one_partition(tmp_path: Path, what: str) -> None:
    assert lidm(tmp_path, "gateway", "init", "--synthetic")[0] == 0
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    command = [sys.executable, "-m", "tests.live.large_mail", what, str(tmp_path)]
    done = subprocess.run(
        command, env=environment | {"LIDM_DATA_DIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stderr[-3000:]}"
