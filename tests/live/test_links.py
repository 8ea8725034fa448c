"""One account of three households, from the file to the alert: embedded, over a restart, and corrected."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from load_tests.chaos.fleet import wait_until
from tests.live.city import lidm
from tests.live.service import Service, number_of, roster, service

pytestmark = [pytest.mark.live, pytest.mark.timeout(480)]
DETECTOR, FEED = "DUPLICATE-CONFLICT", "civil.payee"
ACCOUNT = "6217 0011 8001 2345 678"
SPELT = (ACCOUNT, ACCOUNT.replace(" ", ""), "６２１７００１１８００１２３４５６７８")


def test_three_households_are_asked_about_one_account(tmp_path: Path) -> None:
    with service(tmp_path, trial_detectors=DETECTOR) as first:
        first.call("policy", "activate")
        golive = ("detectors", "golive", "339901000000", DETECTOR, "--per-day", "50")
        code, _, err = lidm(tmp_path, *golive, LIDM_TRIAL_DETECTORS=DETECTOR)
        assert code == 0, err
        first.call("roster", "load", str(roster(tmp_path / "roster.csv", range(4))))
        month = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        closed = ("civil.benefit", "--period", month, "--area", "339901000000", "--nothing-happened")
        first.call("feed", "publish", *closed)  # while payments are late nothing ends
        _publish(first, tmp_path / "one.jsonl", [_paid(n, SPELT[n]) for n in range(3)])
        wait_until(lambda: len(_alerts(first)) == 3, 90, "no three alerts")
        before = _alerts(first)
        assert {a["state"] for a in before} == {"raised"}
        assert {a["measure"] for a in before} == {3}
        assert all("3户互不相干的家庭共用" in a["reason"] for a in before)
        others = {a["household"] for a in before}
        assert not [a for a in before if any(other in a["reason"] for other in others)]
        assert first.counted("lidm_links_told_total") >= 3
        explained = first.said("explain", before[0]["alert_id"], "--replay")
        assert explained["replay"]
        assert first.stop()[0] == 0
    with service(tmp_path, trial_detectors=DETECTOR) as second:
        assert _alerts(second) == before
        _publish(second, tmp_path / "two.jsonl", [_paid(2, SPELT[2]) | {"operation": "reverse", "id": "r"}])
        wait_until(lambda: {a["state"] for a in _alerts(second)} == {"withdrawn"}, 90, "nothing was withdrawn")
        assert [(a["alert_id"], a["revision"]) for a in _alerts(second)] == [(a["alert_id"], 2) for a in before]
        assert second.stop()[0] == 0
    digits = "".join(ACCOUNT.split()).encode()
    kept = [each for folder in ("store", "run") for each in (tmp_path / folder).rglob("*") if each.is_file()]
    assert kept
    assert not [each for each in [*kept, tmp_path / "service.err"] if digits in each.read_bytes()]


def _paid(person: int, account: str) -> dict[str, Any]:
    return {"identity": number_of(person), "id": f"a-{person}", "account": account, "holder": "SELF",
            "since": "2026-01-05"}  # fmt: skip


def _publish(running: Service, file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    running.call("feed", "publish", FEED, str(file), "--again")


def _alerts(running: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = running.said("alerts", "list", "--all")
    return sorted(found, key=lambda each: str(each["alert_id"]))
