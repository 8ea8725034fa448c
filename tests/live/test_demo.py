"""`lidm demo` as a subprocess: a small city on the embedded service, its last line of output, its manners."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

KEYS = {
    "events", "rejected", "out_of_scope", "alerts", "planted", "missed", "false_alarms", "cases_closed", "rows_match",
    "seconds",
}  # fmt: skip


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lidm.main", "demo", *arguments]
    environment = os.environ | {"LIDM_DATA_DIR": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment, check=False)


def test_a_small_city_ends_with_every_planted_episode(tmp_path: Path) -> None:
    done = demo(tmp_path / "data", "--households", "60", "--months", "9", "--exit", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    last = json.loads(done.stdout.splitlines()[-1])
    assert last.keys() >= KEYS
    assert last["planted"] >= 24
    assert (last["missed"], last["false_alarms"], last["wrong_end"]) == (0, 0, 0)
    assert last["rejected"] > 0
    assert last["out_of_scope"] > 0
    assert last["cases_closed"] > 0
    assert last["contacts_opened"] > 0
    assert last["rows_match"] is True
    assert "999999" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["store", "vault.sqlite"])
def test_a_folder_with_other_data_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "theirs").write_text("")
    done = demo(tmp_path, "--exit")
    assert done.returncode == 2
    assert "不会覆盖" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_killed_demo_takes_its_service_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lidm.main", "demo", "--households", "60", "--months", "9"]
    owner = subprocess.Popen(
        command, env=os.environ | {"LIDM_DATA_DIR": str(tmp_path)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    face = tmp_path / "run" / "service.json"
    until = time.monotonic() + 60
    while not face.exists() and time.monotonic() < until:
        time.sleep(0.2)
    service = psutil.Process(json.loads(face.read_text())["pid"])
    assert service.pid != owner.pid
    owner.kill()
    owner.wait()
    service.wait(timeout=60)
    assert not face.exists(), "it ended in order"
