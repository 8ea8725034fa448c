"""From ordinary days to limits, to rows held back in another unit, an alert, somebody's word, and the ledger."""

import json
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from load_tests.chaos.events import CITY, Message, Pen, membership
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from load_tests.chaos.workload import BORN, SINCE
from schemas.feed import FEEDS
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS
from tests.live.test_feed_cards import KIND, MONDAY, PEOPLE, UNIT, alerts, make_cards

pytestmark = [pytest.mark.live, pytest.mark.timeout(590)]


def rows(day: int, bases: list[int], partitions: int) -> list[Message]:
    pen = Pen(MONDAY + timedelta(days=day), partitions)
    return [
        pen.event(KIND, f"{day}-{n}", PEOPLE[n % 20], {"month": "2026-04", "base": base, "employer": f"E{day}-{n}"},
                  date(2026, 5, 18))
        for n, base in enumerate(bases)
    ]  # fmt: skip


def lidm(made: Lab, *words: str) -> Any:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIDM_")}
    done = subprocess.run(
        [sys.executable, "-m", "lidm.main", *words, "--json"],
        env={**environment, "LIDM_DATA_DIR": str(made.settings.data_dir), "LIDM_AREA": CITY, "LIDM_ACTOR": "王某"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.startswith(("[", "{")) else done.stdout


def a_day(made: Lab, day: int, bases: list[int]) -> None:
    made.publish(rows(day, bases, made.config.partitions))
    made.quiet("intake", "monitor", "archive")
    make_cards(made, day)
    made.quiet("monitor", "archive")
    made.tick(int((MONDAY + timedelta(days=day, hours=2)).timestamp() * 1000))
    made.quiet("monitor", "archive")


def folded(made: Lab) -> set[str]:
    blocks = read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS)
    records = [r for m in blocks for r in decode_block(m.value)]
    found = [r.body.fact for r in records if isinstance(r, FactRecord) and r.topic == FEEDS[KIND].topic]
    return {each.employer for each in found}  # type: ignore[attr-defined]


def test_rows_in_another_unit_wait_until_somebody_asked(tmp_path: Path) -> None:
    with lab(tmp_path / "lab") as made:
        begin = int((MONDAY - timedelta(days=1)).timestamp() * 1000)
        made.begin(begin)
        made.golive("AMOUNT-UNIT", begin)
        pen = Pen(MONDAY - timedelta(days=1), made.config.partitions)
        home = membership("h_" + "1" * 32, SINCE, "CHILD", BORN["CHILD"])
        made.publish([pen.event("civil.household", f"m{n}", p, home, SINCE) for n, p in enumerate(PEOPLE)])
        made.quiet("intake", "monitor")
        for day in range(2):
            a_day(made, day, [520_000] * 60)
        [limits] = [each for each in lidm(made, "feed", "amounts") if each["feed"] == KIND]
        assert (limits["field"], limits["from_fen"] > 52, limits["below_fen"] > 520_000) == ("base", True, True)
        time.sleep(3)  # intake follows the topic; nothing else says that it has

        a_day(made, 2, [520_000] * 50 + [52] * 10)
        held = {f"E2-{n}" for n in range(50, 60)}
        assert not folded(made) & held
        assert {f"E2-{n}" for n in range(50)} <= folded(made)
        letters = lidm(made, "rejected", "list", "--code", "AMOUNT_UNIT")["letters"]
        assert [(each["feed"], each["pointer"]) for each in letters] == [(KIND, "/data/base")] * 10
        assert [(a.state, a.household, a.cause) for a in alerts(made)] == [("raised", UNIT, "base/low")]

        accept = [sys.executable, "-m", "lidm.main", "feed", "amounts", KIND, "--accept-days", "2"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LIDM_")}
        environment |= {"LIDM_DATA_DIR": str(made.settings.data_dir), "LIDM_ACTOR": "王某"}
        done = subprocess.run([*accept, "--reason", "已电话核实"], env=environment, timeout=60, check=False)
        assert done.returncode == 0
        time.sleep(3)
        sent = lidm(made, "rejected", "replay", "--code", "AMOUNT_UNIT", "--reason", "已核实")
        assert sent["sent"] == 10
        made.quiet("intake", "monitor", "archive")
        assert held <= folded(made)
        assert lidm(made, "rejected", "list", "--code", "AMOUNT_UNIT")["letters"] == []
