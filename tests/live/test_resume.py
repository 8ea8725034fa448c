"""A publication killed without warning, twice, and run again: every row lies in the topic once, the batch is closed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import TopicPartition

from deploy.local import KafkaBroker
from gateway.keys import init_keys
from load_tests.mess.forms import flood
from schemas.envelope import Delivery, Manifest
from schemas.feed import FEEDS
from tests.gateway.test_broker import drain

TOPIC = FEEDS["medical.settlement"].topic
PARTITIONS = 6
ROWS = 45_000


def publish(folder: Path, file: Path, broker: str) -> "subprocess.Popen[str]":
    words = ["feed", "publish", "medical.settlement", str(file), "--period", "2026-05", "--area", "339901000000"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment |= {"LIDM_DATA_DIR": str(folder), "LIDM_BROKER": broker}
    command = [sys.executable, "-m", "lidm.main", *words, "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ends_of(broker: str) -> dict[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=broker)
    places = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
    found = {place.partition: end for place, end in consumer.end_offsets(places).items()}
    consumer.close()
    return found


@pytest.mark.timeout(290)
def test_killed_twice_each_row_arrives_once(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    broker = kafka_broker.bootstrap
    admin = KafkaAdminClient(bootstrap_servers=broker)
    if TOPIC not in admin.list_topics():
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    admin.close()
    init_keys(tmp_path / "data" / "keys", synthetic=True)
    file = flood(tmp_path / "flood.csv", ROWS)
    before = ends_of(broker)
    for share in (0.2, 0.6):
        running = publish(tmp_path / "data", file, broker)
        while sum(ends_of(broker).values()) - sum(before.values()) < share * ROWS:
            assert running.poll() is None, running.communicate()
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        running.wait(20)
    out, err = publish(tmp_path / "data", file, broker).communicate(timeout=200)
    receipt = json.loads(out)
    assert (receipt["sent"], receipt["bad"], receipt["closed"]) == (ROWS, 0, True), err
    assert receipt["resumed_at"] > 0
    mine = [(p, value) for p, _, value, _ in drain(broker, TOPIC, api=None)]
    decode, keys, ends = FEEDS["medical.settlement"].decode, Counter[str](), dict[int, int]()
    for partition, value in mine:
        for outcome in decode(value, 4_000_000_000_000):
            if isinstance(outcome, Delivery) and outcome.batchid == receipt["batchid"]:
                keys[outcome.fact.key] += 1
            elif isinstance(outcome, Manifest) and outcome.what == "end" and outcome.batchid == receipt["batchid"]:
                ends[partition] = outcome.rows
    assert keys == Counter(f"S{n}" for n in range(ROWS))
    assert [ends[p] for p in range(PARTITIONS)] == receipt["partitions"]
    assert [last for _, last in receipt["offsets"]] == [end - 1 for _, end in sorted(ends_of(broker).items())]
    again = json.loads(publish(tmp_path / "data", file, broker).communicate(timeout=100)[0])
    assert again["unchanged"]
    assert sum(ends_of(broker).values()) == sum(last + 1 for _, last in receipt["offsets"])
