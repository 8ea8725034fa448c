"""A cut-off list on a running service: nothing takes effect, also after a kill, until somebody decides."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from load_tests.chaos.fleet import wait_until
from tests.live.city import lidm
from tests.live.service import TOWN, Service, number_of, roster, service

pytestmark = [pytest.mark.live, pytest.mark.timeout(290)]
CERT, PEOPLE = "disability.certificate", 40


def certificates(path: Path, people: range, level: str = "2") -> Path:
    """One certificate each."""
    rows = [
        {"identity": number_of(n), "category": "PHYSICAL", "issued_on": "2024-03-01", "level": level, "action": "NEW"}
        for n in people
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def snapshot(made: Service, file: Path) -> str:
    """Publishes it; the batch."""
    month = f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m}"
    words = ["feed", "publish", CERT, str(file), "--period", month, "--area", TOWN, "--mode", "full_snapshot"]
    return str(made.said(*words)["batchid"])


def begun(made: Service, folder: Path) -> None:
    """Everybody is registered, and a first list has been read."""
    made.call("roster", "load", str(roster(folder / "roster.csv", range(PEOPLE))))
    wait_until(lambda: made.counted("lidm_events_in_total", feed="civil.household") >= PEOPLE, 60, "no roster")
    snapshot(made, certificates(folder / "all.jsonl", range(PEOPLE)))
    wait_until(lambda: made.counted("lidm_events_in_total", feed=CERT) >= PEOPLE, 60, "no first list")


def told(made: Service) -> list[Any]:
    """Everything that was ever held, by batch."""
    return [(each["batchid"], each["state"], each["before"], each["gone"]) for each in made.said(
        "feed", "hold", "list", "--all")]  # fmt: skip


def test_half_a_list_waits_through_a_kill_and_is_released(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with service(folder, CERT) as made:
        begun(made, tmp_path)
        half = snapshot(made, certificates(tmp_path / "half.jsonl", range(PEOPLE // 2), "3"))
        expected = [(half, "held", PEOPLE, PEOPLE // 2)]
        wait_until(lambda: told(made) == expected, 60, "the batch is not held")
        assert made.counted("lidm_batches_held", feed=CERT) == 1
        made.process.send_signal(signal.SIGKILL)
        made.process.wait(30)
    with service(folder, CERT) as made:
        wait_until(lambda: told(made) == expected, 60, "the batch is not held any more")
        code, _, err = lidm(folder, "feed", "hold", "release", half)
        assert code == 2, err
        made.call("feed", "hold", "release", half, "--reason", "已与残联核实")
        wait_until(lambda: told(made)[0][1] == "released", 60, "the batch is not released")
        code, _, _ = lidm(folder, "feed", "hold", "refuse", half, "--reason", "重复")
        assert code == 1
        assert made.counted("lidm_batches_held", feed=CERT) == 0


def test_the_right_list_sent_afterwards_leaves_nothing_to_decide(tmp_path: Path) -> None:
    with service(tmp_path / "data", CERT) as made:
        begun(made, tmp_path)
        snapshot(made, certificates(tmp_path / "half.jsonl", range(PEOPLE // 2), "3"))
        wait_until(lambda: [each[1] for each in told(made)] == ["held"], 60, "the batch is not held")
        snapshot(made, certificates(tmp_path / "right.jsonl", range(PEOPLE - 2), "4"))
        wait_until(lambda: [each[1] for each in told(made)] == ["superseded"], 60, "the batch still waits")
        assert made.call("feed", "hold", "list").strip() == "没有待确认的批次"
