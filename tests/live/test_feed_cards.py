"""From rows on a feed to a case of the data steward, through every stage: cards, units, alerts, one case, its end."""

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from load_tests.chaos.events import CITY, Message, Pen, membership
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from load_tests.chaos.workload import BORN, SINCE
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.case_words import Lane
from schemas.cases import CaseEvent, OpenedBody, decode_event
from schemas.feed_reports import CardReport, ReceiptReport, decode_report, encode_report
from schemas.partition import partition_of
from schemas.topics import ALERTS, CASE_EVENTS, FEED_REPORTS

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
KIND = "employment.contribution"
MONDAY = datetime(2026, 5, 18, 12, tzinfo=SHANGHAI)
PEOPLE = [f"p_{n:031x}0" for n in range(20)]
UNIT = f"f_{KIND}"


def arrival(day: int, flaws: dict[str, int], partitions: int) -> Message:
    """What the gateway says of a file, with so many spoiled numbers."""
    at = MONDAY + timedelta(days=day)
    at_ms, key = int(at.timestamp() * 1000), KIND.encode()
    report = ReceiptReport(KIND, f"d{day}", "b1", "2026-05", "upload", "", at_ms, 400, 400, 0, {}, True, flaws)
    return Message(FEED_REPORTS, partition_of(key, partitions), key, encode_report(report), at_ms)


def rows(day: int, partitions: int) -> list[Message]:
    pen = Pen(MONDAY + timedelta(days=day), partitions)
    said = {"month": "2026-04", "base": 520_000}
    return [
        pen.event(KIND, f"{day}-{n}", PEOPLE[n % 20], {**said, "employer": f"E{n}"}, date(2026, 5, 18))
        for n in range(60)
    ]


def make_cards(made: Lab, day: int) -> list[dict[str, object]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIDM_")}
    at = (MONDAY + timedelta(days=day, hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    done = subprocess.run(
        [sys.executable, "-m", "lidm.main", "feed", "cards", "--at", at, "--json"],
        env={**environment, "LIDM_DATA_DIR": str(made.settings.data_dir), "LIDM_AREA": CITY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def a_day(made: Lab, day: int, flaws: dict[str, int]) -> list[dict[str, object]]:
    partitions = made.config.partitions
    made.publish([*rows(day, partitions), arrival(day, flaws, partitions)])
    made.quiet("intake", "monitor", "archive")
    cards = make_cards(made, day)
    made.quiet("monitor", "archive")
    made.tick(int((MONDAY + timedelta(days=day, hours=2)).timestamp() * 1000))
    made.quiet("monitor", "cases", "archive")
    return cards


def alerts(made: Lab) -> list[Alert]:
    found = read_all(made.config.broker, made.config.partitions, ALERTS)
    return [a for a in (Alert.model_validate_json(m.value) for m in found) if a.family == "quality"]


def case_events(made: Lab) -> list[CaseEvent]:
    return [decode_event(m.value) for m in read_all(made.config.broker, made.config.partitions, CASE_EVENTS)]


def test_the_data_steward_gets_one_case_and_hears_when_the_feed_heals(tmp_path: Path) -> None:
    with lab(tmp_path / "lab") as made:
        begin = int((MONDAY - timedelta(days=1)).timestamp() * 1000)
        made.begin(begin)
        for code in ("ID-QUALITY", "AMOUNT-UNIT", "FEED-HEALTH"):
            made.golive(code, begin)
        pen = Pen(MONDAY - timedelta(days=1), made.config.partitions)
        home = membership("h_" + "1" * 32, SINCE, "CHILD", BORN["CHILD"])
        made.publish([pen.event("civil.household", f"m{n}", p, home, SINCE) for n, p in enumerate(PEOPLE)])
        made.quiet("intake", "monitor")

        first = a_day(made, 0, {"checksum": 40})
        assert {(c["feed"], c["span"]) for c in first} >= {(KIND, "day"), (KIND, "month")}
        assert make_cards(made, 0) == []
        a_day(made, 1, {"checksum": 60})
        a_day(made, 2, {})

        said = [(a.state, a.household, a.cause, a.measure) for a in alerts(made)]
        assert said == [
            ("raised", UNIT, "invalid", 100),
            ("updated", UNIT, "invalid", 150),
            ("lapsed", UNIT, "invalid", 150),
        ]
        opened = [e for e in case_events(made) if isinstance(e.body, OpenedBody)]
        assert [(e.household, e.lane) for e in opened] == [(UNIT, Lane.DATA)]

        stored = made.store.query(
            "SELECT argMax(json, at_ms) AS body, period FROM feed_cards "
            "WHERE feed = %(feed)s AND span = 'day' GROUP BY period ORDER BY period",
            {"feed": KIND},
        )
        days = [decode_report(str(body).encode()) for body, _ in stored]
        assert [(c.period, c.rows) for c in days if isinstance(c, CardReport)] == [
            ("2026-05-18", 60),
            ("2026-05-19", 60),
            ("2026-05-20", 60),
        ]
