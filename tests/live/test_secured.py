"""Publishing to a secured cluster: over TLS with a password it arrives; without either the way is refused and said."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.local import Missing
from gateway.keys import init_keys
from schemas.envelope import Delivery
from schemas.feed import FEEDS
from tests.conftest import unavailable
from tests.gateway.people import number
from tests.gateway.test_publish import bill, table
from tests.live.secured import PASSWORD, USER, SecuredBroker, certificate_for_loopback

KIND = "medical.settlement"
TOPIC = FEEDS[KIND].topic


@dataclass
class Department:
    """A department with its own folder, before a secured broker."""

    broker: SecuredBroker
    folder: Path

    def publish(self, name: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        """`lidm feed publish` of one bill called `name`; an empty change leaves the setting out."""
        password = self.folder / "password"
        said = {
            "LIDM_DATA_DIR": str(self.folder),
            "LIDM_BROKER": self.broker.outside,
            "LIDM_KAFKA_SECURITY": "SASL_SSL",
            "LIDM_KAFKA_CA_FILE": str(self.broker.authority),
            "LIDM_KAFKA_USERNAME": USER,
            "LIDM_KAFKA_PASSWORD_FILE": str(password),
        }
        file = table(self.folder / f"{name}.csv", [bill(number(1), name)])
        settings = {name: value for name, value in (said | changes).items() if value}
        return subprocess.run(
            [sys.executable, "-m", "lidm.main", "feed", "publish", KIND, str(file), "--json"],
            env=os.environ | settings, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    def arrived(self) -> list[str]:
        """Keys of the facts in the topic, read at the inner listener."""
        consumer = KafkaConsumer(
            TOPIC, bootstrap_servers=self.broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3_000,
            enable_auto_commit=False,
        )  # fmt: skip
        found = [o for m in consumer for o in FEEDS[KIND].decode(m.value, 4_000_000_000_000)]
        consumer.close()
        return [each.fact.key for each in found if isinstance(each, Delivery)]


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    folder = tmp_path_factory.mktemp("department")
    init_keys(folder / "keys", synthetic=True)
    (folder / "password").write_text(PASSWORD + "\n")
    (folder / "password").chmod(0o600)
    broker = SecuredBroker(tmp_path_factory.mktemp("secured"))
    try:
        broker.start()
    except Missing as reason:
        unavailable(reason)
    with contextlib.closing(broker):
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics([NewTopic(TOPIC, 4, 1)])
        admin.close()
        yield Department(broker, folder)


def test_over_tls_with_the_password_it_arrives(department: Department) -> None:
    done = department.publish("S1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["sent"] == 1
    assert department.arrived() == ["S1"]


def test_other_ways_are_refused_and_nothing_arrives(department: Department, tmp_path: Path) -> None:
    before = department.arrived()
    wrong = tmp_path / "wrong"
    wrong.write_text("another")
    wrong.chmod(0o600)
    stranger, _ = certificate_for_loopback(tmp_path)
    for changes in (
        {"LIDM_KAFKA_PASSWORD_FILE": str(wrong)},
        {"LIDM_KAFKA_CA_FILE": str(stranger)},
        {"LIDM_KAFKA_SECURITY": "SSL", "LIDM_KAFKA_USERNAME": "", "LIDM_KAFKA_PASSWORD_FILE": ""},
    ):
        done = department.publish("S2", **changes)
        assert done.returncode == 3, (changes, done.stdout, done.stderr[-2000:])
        assert "消息服务" in done.stderr
        assert "Traceback" not in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    assert department.arrived() == before
