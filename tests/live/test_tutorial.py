"""The tutorial works as written: its shell blocks are run in order against a fresh stack, by foreign clients."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import Missing
from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.live


def script() -> str:
    """Every block in order; `make up` and `make down` without the install, which is not what is tested here."""
    blocks = BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 9
    up = "python -m deploy.local up && lidm topics apply > /dev/null && lidm store migrate > /dev/null"
    text = "\n".join(blocks).replace("make up", up, 1).replace("make down", "python -m deploy.local down", 1)
    # A stop on the way must not leave a stack behind.
    return "set -eo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true; python -m deploy.local down' EXIT\n" + text


@pytest.mark.timeout(420)
def test_every_block_of_the_tutorial_runs(tmp_path: Path) -> None:
    for tool in ("kcat", "java", "clickhouse-client"):
        if shutil.which(tool) is None:
            unavailable(Missing(f"没有找到 {tool}：python -m deploy.local install --tests"))
    (tmp_path / "docs").mkdir()
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["LIDM_DATA_DIR"] = str(tmp_path / "data")
    environment["PYTHONPATH"] = str(ROOT)
    if cache := os.environ.get("LIDM_CACHE"):
        environment["LIDM_CACHE"] = cache
    command = ["bash", "-c", script()]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    tail = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, tail
    assert "办结" in done.stdout, tail
    assert "NOT_JSON" in done.stdout, tail
    assert not re.search(r"999999196804010016", done.stdout + done.stderr), "an identity number was shown"
