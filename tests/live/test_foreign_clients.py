"""Java's producer, kcat and our kit put the same person into the same partition, and the examples work as written."""

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.local import KafkaBroker, Missing
from deploy.local.jars import kafka_libs
from gateway.publisher import BrokerPublisher
from schemas.feed import FEEDS
from schemas.generate import example_event
from schemas.partition import partition_of
from tests.conftest import unavailable
from tests.gateway.test_broker import drain

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
PEOPLE = [f"p_{uuid.uuid5(uuid.NAMESPACE_OID, str(n)).hex}" for n in range(10_000)]
PARTITIONS = 12


def events() -> bytes:
    event = example_event(FEEDS["medical.settlement"])
    return "".join(json.dumps(event | {"subject": p, "id": p}, ensure_ascii=False) + "\n" for p in PEOPLE).encode()


def with_java(bootstrap: str, topic: str, folder: Path) -> None:
    if shutil.which("javac") is None:
        unavailable(Missing("没有找到 javac：python -m deploy.local install --tests"))
    jars = f"{kafka_libs()}/*"
    source = EXAMPLES / "java" / "PublishEvents.java"
    compiled = ["javac", "-encoding", "UTF-8", "-cp", jars, "-d", str(folder), str(source)]
    done = subprocess.run(compiled, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    run = ["java", "-cp", f"{folder}:{jars}", "PublishEvents", bootstrap, topic]
    ran = subprocess.run(run, input=events(), capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.count(b"\n") == len(PEOPLE)


def with_kcat(bootstrap: str, topic: str, folder: Path) -> None:
    if shutil.which("kcat") is None:
        unavailable(Missing("没有找到 kcat：python -m deploy.local install --tests"))
    script = ["bash", str(EXAMPLES / "kcat.sh"), bootstrap, topic]
    done = subprocess.run(script, input=events(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def with_our_kit(bootstrap: str, topic: str, folder: Path) -> None:
    with BrokerPublisher(bootstrap) as way:
        for person, value in zip(PEOPLE, events().splitlines(), strict=True):
            way.send(topic, partition_of(person, way.partitions(topic)), person.encode(), value)


@pytest.mark.timeout(280)
def test_ten_thousand_people_lie_in_the_same_partitions(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    ways: list[Callable[[str, str, Path], None]] = [with_java, with_kcat, with_our_kit]
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    places: list[dict[str, int]] = []
    decode = FEEDS["medical.settlement"].decode
    for way in ways:
        topic = f"feeds.t{uuid.uuid4().hex[:8]}.v1"
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        way(kafka_broker.bootstrap, topic, tmp_path)
        found = drain(kafka_broker.bootstrap, topic, api=None)
        places.append({key.decode(): partition for partition, key, _, _ in found})
        assert len(found) == len(PEOPLE)
        assert type(decode(found[0][2], 4_000_000_000_000)[0]).__name__ == "Delivery"
    admin.close()
    assert places[0] == places[1] == places[2]
    assert set(places[0]) == set(PEOPLE)
    assert set(places[0].values()) == set(range(PARTITIONS))
