"""A month of a million rows in GB18030: checked and published in bounded memory, killed twice, each row there once.

Run by `make acceptance`; the figures go to `docs/acceptance/publisher.json`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import TopicPartition

from deploy.local import KafkaBroker
from gateway.keys import init_keys
from load_tests.mess.forms import flood
from tests.conftest import repository
from tests.live.test_resume import PARTITIONS, TOPIC, ends_of, publish

pytestmark = [pytest.mark.live, pytest.mark.acceptance, pytest.mark.timeout(7200)]
FIGURES = repository() / "docs" / "acceptance" / "publisher.json"
ROWS = 1_000_000
MEGABYTES = 300


def peak(pid: int) -> int:
    """Most memory a process has had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def watched(process: "subprocess.Popen[str]") -> tuple[str, int]:
    """What a process said, and its peak."""
    most = 0
    while process.poll() is None:
        try:
            most = max(most, peak(process.pid))
        except (FileNotFoundError, IndexError):
            break
        time.sleep(0.2)
    return process.communicate()[0], most


def test_a_million_rows(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    broker = kafka_broker.bootstrap
    admin = KafkaAdminClient(bootstrap_servers=broker)
    if TOPIC not in admin.list_topics():
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    admin.close()
    init_keys(tmp_path / "data" / "keys", synthetic=True)
    file = flood(tmp_path / "flood.csv", ROWS)
    words = [sys.executable, "-m", "lidm.main", "feed", "check", str(file), "--feed", "medical.settlement", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    began = time.monotonic()
    checking = subprocess.Popen([*words, "--synthetic"], env=environment, stdout=subprocess.PIPE, text=True)
    said, check_peak = watched(checking)
    check_seconds = time.monotonic() - began
    assert json.loads(said)["good"] == ROWS
    before = sum(ends_of(broker).values())
    for share in (0.3, 0.7):
        running = publish(tmp_path / "data", file, broker)
        while sum(ends_of(broker).values()) - before < share * ROWS:
            assert running.poll() is None
            time.sleep(0.5)
        running.send_signal(signal.SIGKILL)
        running.wait(20)
    out, publish_peak = watched(publish(tmp_path / "data", file, broker))
    receipt = json.loads(out)
    assert (receipt["sent"], receipt["bad"], receipt["closed"]) == (ROWS, 0, True)
    assert arrived(broker, receipt["batchid"]) == ROWS
    assert max(check_peak, publish_peak) < MEGABYTES
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    figures = {"check_mb": check_peak, "publish_mb": publish_peak, "check_rows_per_second": round(ROWS / check_seconds)}
    FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def arrived(broker: str, batchid: str) -> int:
    """Distinct bills of the batch in the topic. Fails where one lies there twice."""
    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False)
    places = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
    consumer.assign(places)
    consumer.seek_to_beginning()
    ends, seen = consumer.end_offsets(places), bytearray(ROWS)
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=1000).values():
            for record in records:
                event = json.loads(record.value)
                if event.get("batchid") == batchid and "settle_no" in event["data"]:
                    number = int(event["data"]["settle_no"][1:])
                    assert not seen[number]
                    seen[number] = 1
    consumer.close()
    return sum(seen)
