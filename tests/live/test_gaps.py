"""Retention took messages before anybody read them: the worker stops and names the way on; taken, it goes on."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition

from deploy.local import KafkaBroker
from lidm.cluster import admin_of, apply
from load_tests.chaos.fleet import wait_until
from schemas.topics import Catalogue, feed_topic
from streams.guard import STOPPED
from streams.lag import Lag
from tests.live.city import lidm

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
TOPIC = feed_topic("medical.settlement")
WRITTEN, GONE = 10, (6, 0, 3, 0)


@dataclass
class Scene:
    """A cluster of its own whose feed lost its oldest messages, and a data folder."""

    broker: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
        return clean | {"LIDM_BROKER": self.broker, "LIDM_DATA_DIR": str(self.folder), "LIDM_SESSION_SECONDS": "6"}

    def worker(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "lidm.main", "worker", "intake"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def topics(self, *words: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "lidm.main", "topics", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with closing(KafkaBroker(tmp_path / "kafka")) as broker:
        broker.start()
        with admin_of(broker.bootstrap) as admin:
            apply(admin, Catalogue.load(), "trial", "wall")
            with closing(KafkaProducer(bootstrap_servers=broker.bootstrap)) as producer:
                for n in range(WRITTEN * len(GONE)):
                    producer.send(TOPIC, b"{}", partition=n % len(GONE))
                producer.flush(30)
            admin.delete_records({TopicPartition(TOPIC, p): n for p, n in enumerate(GONE) if n})
        assert lidm(tmp_path, "gateway", "init", "--synthetic")[0] == 0
        yield Scene(broker.bootstrap, tmp_path)


def test_a_gap_stops_intake_until_somebody_answers_for_it(scene: Scene) -> None:
    stopped = scene.worker()
    _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == STOPPED
    assert "lidm topics accept-gap intake" in said, said[-2000:]
    wait_until(lambda: "还有" not in scene.topics("accept-gap", "intake")[1], 30, "the dead member stays")
    code, listed = scene.topics("accept-gap", "intake")
    assert (code, "--messages 9" in listed) == (1, True), listed
    assert scene.topics("accept-gap", "intake", "--messages", "8", "--reason", "部门已补发")[0] == 2
    assert scene.topics("accept-gap", "intake", "--messages", "9")[0] == 2
    code, accepted = scene.topics("accept-gap", "intake", "--messages", "9", "--reason", "部门已补发")
    assert (code, "已接受 intake 漏掉 9 条" in accepted) == (0, True), accepted
    assert "没有缺口" in scene.topics("accept-gap", "intake")[1]
    again = scene.worker()
    try:
        wait_until(lambda: _accepted(scene.folder, again.pid) == sum(GONE), 40, "the gap is not counted")
        with closing(Lag(scene.broker, len(GONE))) as lag:
            wait_until(lambda: not lag.total("intake"), 40, "it does not go on")
    finally:
        again.send_signal(signal.SIGTERM)
        _, said = again.communicate(timeout=60)
    assert again.returncode == 0
    notes = [json.loads(line) for line in said.splitlines() if '"gap_accepted"' in line]
    assert sorted((note["partition"], note["lost"], note["why"]) for note in notes) == [
        (0, 6, "部门已补发"), (2, 3, "部门已补发"),
    ]  # fmt: skip


def _accepted(folder: Path, pid: int) -> int:
    """What the worker says it was told to do without."""
    metric = "lidm_gap_messages_accepted_total"
    face = folder / "run" / f"worker-{pid}.json"
    if not face.exists():
        time.sleep(0.2)
        return 0
    page = f"{json.loads(face.read_text())['http']}/metrics"
    with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: S310 - loopback
        lines = answer.read().decode().splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{metric}{{")))
