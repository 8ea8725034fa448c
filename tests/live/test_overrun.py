"""The broker in memory forgets what overflows: our publishers wait and lose nothing, others stop the service aloud."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer

from load_tests.chaos.fleet import wait_until
from schemas.facts import Bill
from schemas.records import FactRecord, decode_block
from schemas.topics import feed_topic
from sinks.embedded import EmbeddedStore
from streams.guard import STOPPED
from streams.lag import Lag
from tests.live.service import BILLS, Service, bills, roster, service

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
PERSONS, WATCHED = 2_000, 1_000
ROWS, LATE_ROWS = 60_000, 20_000
PARTITIONS = 4
SLOW_ROWS, SLOW_CHECKPOINT, SMALL_MEMORY = 38_000, 6, 300_000
LONG_NUMBER = "S" + "long" * 12 + "-"
MEMORY_BYTES = 20_000_000
"""What the broker holds of a topic of four partitions."""


def test_a_publisher_faster_than_the_service_loses_nothing_even_when_it_is_told_to_stop(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        running.call("policy", "activate")
        running.call("detectors", "golive", "339901000000", "MED-SELFPAY", "--per-day", "50")
        running.call("roster", "load", str(roster(tmp_path / "roster.csv", range(WATCHED))))
        sent = _publish(running, bills(tmp_path / "bills.jsonl", ROWS, PERSONS))
        assert sent["bytes"] > MEMORY_BYTES
        wait_until(lambda: _read(running) >= ROWS, 60, "rows are missing")
        assert _read(running) == ROWS
        assert running.counted("lidm_events_out_of_scope_total", feed=BILLS) == ROWS // 2
        assert running.counted("lidm_events_rejected_total") == 0
        _publish(running, bills(tmp_path / "late.jsonl", LATE_ROWS, PERSONS, begin=ROWS))
        code, seconds = running.stop()
    assert (code, seconds < 25) == (0, True), f"exit {code} after {seconds:.0f} s\n{running.words[-2000:]}"
    assert _archived(tmp_path) == {f"S{n}": 1 for n in range(ROWS + LATE_ROWS) if n % PERSONS < WATCHED}


@pytest.mark.timeout(480)
def test_a_publisher_ten_times_faster_than_the_service_loses_nothing(tmp_path: Path) -> None:
    """The service reads slowly: its monitor is seldom done, and what it has not finished holds back what comes."""
    with service(tmp_path, checkpoint_seconds=SLOW_CHECKPOINT, unread_bytes=SMALL_MEMORY) as running:
        running.call("roster", "load", str(roster(tmp_path / "roster.csv", range(WATCHED))))
        file = bills(tmp_path / "bills.jsonl", SLOW_ROWS, WATCHED, number=LONG_NUMBER)
        before, began = _read(running), time.monotonic()
        sent = _patiently(tmp_path, file)
        wait_until(lambda: _read(running) >= SLOW_ROWS, 60, "rows are missing")
        read_per_second = (_read(running) - before) / (time.monotonic() - began)
        sent_per_second = sent["read"] / sent["cpu_seconds"]  # its own work: others share this machine
        print(f"published {sent_per_second:,.0f} rows/s, read {read_per_second:,.0f} rows/s")
        assert sent["bytes"] > MEMORY_BYTES
        assert sent["waited_seconds"] > SLOW_CHECKPOINT, "it was not held back"
        assert sent_per_second >= 10 * read_per_second
        with closing(Lag(running.broker, PARTITIONS, embedded=True)) as lag:
            wait_until(lambda: not lag.total("intake", "monitor", "archive"), 60, "the monitor is not done")
        assert running.counted("lidm_events_rejected_total") == 0
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
    assert _archived(tmp_path) == {f"{LONG_NUMBER}{n}": 1 for n in range(SLOW_ROWS)}


@pytest.mark.parametrize("topic", [feed_topic(BILLS), "cases.commands.v1"])
def test_a_foreign_client_that_overruns_it_stops_the_service_aloud(tmp_path: Path, topic: str) -> None:
    with service(tmp_path) as running:
        _flood(running, topic)
        assert running.process.wait(30) == STOPPED
    last = next(json.loads(line) for line in reversed(running.words.splitlines()) if '"critical"' in line)
    assert topic in last["reason"]
    assert "消息" in last["reason"] or "位移不连续" in last["reason"]


def _publish(running: Service, file: Path) -> dict[str, int]:
    sent: dict[str, int] = running.said("feed", "publish", BILLS, str(file), "--array", "1000")
    assert sent["sent"] == sent["read"]
    return sent


def _patiently(folder: Path, file: Path) -> dict[str, float]:
    """Publishes for as long as it takes: being held back is what is tried here."""
    command = [sys.executable, "-m", "lidm.main", "feed", "publish", BILLS, str(file), "--array", "1000", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    done = subprocess.run(
        command, env=environment | {"LIDM_DATA_DIR": str(folder)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, float] = json.loads(done.stdout)
    return said


def _read(running: Service) -> int:
    return running.counted("lidm_events_in_total", feed=BILLS)


def _archived(folder: Path) -> Counter[str]:
    """How often each bill lies in the archived log."""
    store = EmbeddedStore(folder / "store")
    try:
        records = (record for *_, block in store.read_household_log() for record in decode_block(block))
        facts = (record.body.fact for record in records if isinstance(record, FactRecord))
        return Counter(fact.key for fact in facts if isinstance(fact, Bill))
    finally:
        store.close()


def _flood(running: Service, topic: str) -> None:
    """A client that knows nothing of admission, until the service has ended."""
    producer = Producer({
        "bootstrap.servers": running.broker, "linger.ms": 50, "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 1_000_000, "log_level": 0, "error_cb": lambda error: None,
    })  # fmt: skip
    until = time.monotonic() + 60
    while running.process.poll() is None and time.monotonic() < until:
        for n in range(1_000):
            producer.produce(topic, os.urandom(1_500), f"p_{n:032x}")
        producer.poll(0)
    producer.purge()
    producer.flush(1)
