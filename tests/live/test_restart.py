"""The embedded service stopped and started again on its folder: ledgers, open episodes and cases are there again."""

from pathlib import Path
from typing import Any

import pytest

from load_tests.chaos.fleet import wait_until
from sinks.embedded import EmbeddedStore
from tests.live.city import lidm
from tests.live.service import BILLS, Service, bills, roster, service

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
DETECTOR = "MED-SELFPAY"
DEAR = 800_000


def test_what_was_known_is_known_after_a_restart(tmp_path: Path) -> None:
    with service(tmp_path) as first:
        first.call("policy", "activate")
        first.call("detectors", "golive", "339901000000", DETECTOR, "--per-day", "50")
        first.call("roster", "load", str(roster(tmp_path / "roster.csv", range(3))))
        _publish(first, bills(tmp_path / "one.jsonl", 1, 1, fen=DEAR))
        wait_until(lambda: _alerts(first) and _cases(first), 30, "no alert, no case")
        before, (case,) = _alerts(first), _cases(first)
        first.call("case", "accept", case["number"])
        code, seconds = first.stop()
        assert (code, seconds < 25) == (0, True), f"exit {code} after {seconds:.0f} s"
    with service(tmp_path) as second:
        assert _alerts(second) == before
        assert [(c["number"], c["state"]) for c in _cases(second)] == [(case["number"], "accepted")]
        _same_bill_again(second, tmp_path, before)
        _a_little_more(second, tmp_path, before)
        _the_case_goes_on(second, case["number"])
        assert second.stop()[0] == 0


def test_what_a_crash_left_unsaid_is_said_after_it(tmp_path: Path) -> None:
    """The block was archived, the alert and its case were not."""
    with service(tmp_path) as first:
        first.call("policy", "activate")
        first.call("detectors", "golive", "339901000000", DETECTOR, "--per-day", "50")
        first.call("roster", "load", str(roster(tmp_path / "roster.csv", range(3))))
        _publish(first, bills(tmp_path / "one.jsonl", 1, 1, fen=DEAR))
        wait_until(lambda: _alerts(first) and _cases(first), 30, "no alert, no case")
        before, (case,) = _alerts(first), _cases(first)
        first.process.kill()
        first.process.wait()
        _says_that_it_is_gone(first, tmp_path / "one.jsonl", before)
    _forget(tmp_path, "alerts", "case_events")
    with service(tmp_path) as second:
        wait_until(lambda: _alerts(second) and _cases(second), 30, "no alert, no case")
        assert _alerts(second) == before
        assert [(c["case_id"], c["number"]) for c in _cases(second)] == [(case["case_id"], case["number"])]
        assert second.stop()[0] == 0
    with service(tmp_path) as third:
        assert third.words.count('"said_again"') == 1, "said by the second, not by the third"
        assert _alerts(third) == before


def _says_that_it_is_gone(killed: Service, file: Path, alerts: list[dict[str, Any]]) -> None:
    """What only it could take is refused by name; what lies on disk can be read."""
    assert (killed.folder / "run" / "service.json").exists()
    code, _, err = lidm(killed.folder, "feed", "publish", BILLS, str(file))
    assert (code, f"进程 {killed.process.pid}" in err) == (3, True), err
    assert _alerts(killed) == alerts


def _forget(folder: Path, *tables: str) -> None:
    """What the archive had not got to before the crash."""
    store = EmbeddedStore(folder / "store")
    try:
        for table in tables:
            store.execute(f"TRUNCATE TABLE {table}")
    finally:
        store.close()


def _same_bill_again(running: Service, folder: Path, before: list[dict[str, Any]]) -> None:
    _publish(running, folder / "one.jsonl")
    wait_until(lambda: running.counted("lidm_events_in_total", feed=BILLS) == 1, 30, "the bill was not read")
    _quiet(running)
    assert _alerts(running) == before
    assert running.counted("lidm_alerts_total") == 0


def _a_little_more(running: Service, folder: Path, before: list[dict[str, Any]]) -> None:
    """Another bill is added to the one of before: the same episode, one step up."""
    _publish(running, bills(folder / "two.jsonl", 1, 1, fen=2 * DEAR, begin=1))
    wait_until(lambda: _alerts(running) != before, 30, "the episode did not go on")
    (now,) = _alerts(running)
    assert (now["alert_id"], now["state"]) == (before[0]["alert_id"], "updated")
    assert (now["revision"], now["measure"]) == (before[0]["revision"] + 1, 3 * DEAR)


def _the_case_goes_on(running: Service, number: str) -> None:
    running.call("case", "verify", number, "--result", "need", "--evidence", "visit:已入户查看票据")
    shown = running.said("case", "show", number)
    assert [event["type"] for event in shown["events"]][:2] == ["opened", "accepted"], shown["events"]
    assert [(c["number"], c["state"]) for c in _cases(running)] == [(number, "verified")]


def _publish(running: Service, file: Path) -> None:
    running.call("feed", "publish", BILLS, str(file), "--again")


def _alerts(running: Service) -> list[dict[str, Any]]:
    return list(running.said("alerts", "list", "--all"))


def _cases(running: Service) -> list[dict[str, Any]]:
    return list(running.said("case", "list"))


def _quiet(running: Service) -> None:
    """What was read has had time to become an alert: a later command record has been folded and archived."""
    blocks = running.said("store", "status")["rows"]["blocks"]
    running.call("policy", "activate")
    wait_until(lambda: running.said("store", "status")["rows"]["blocks"] >= blocks + 4, 30, "blocks are not archived")
