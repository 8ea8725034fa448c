"""The archive on real services: ClickHouse goes away for a while, workers die, groups share; rows equal the logs."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from deploy.local import ClickHouseServer, KafkaBroker
from schemas.topics import ALERTS, CASE_EVENTS, HOUSEHOLD_EVENTS
from sinks.archive import Archive, Limits
from sinks.clickhouse import ClickHouseStore
from sinks.consumers import MOCK_API, Consumer, assigned_consumer, group_consumer
from sinks.embedded import EmbeddedStore
from sinks.rows import ARCHIVED
from sinks.store import AlertStore
from tests.sinks.samples import alert, events, said
from tests.sinks.test_archive import running, until

PARTITIONS = 4
QUICK = Limits(linger_seconds=0.1, longest_pause_seconds=2.0)


class City:
    """Publishes blocks, alerts and case events of its own and knows what must stand in the store."""

    def __init__(self, broker: str, api_version: tuple[int, ...] | None = None) -> None:
        self.broker = broker
        self._producer = KafkaProducer(bootstrap_servers=broker, acks="all", api_version=api_version)
        self.blocks: dict[tuple[int, int], bytes] = {}
        self.alerts: set[tuple[str, int]] = set()
        self.events: set[tuple[str, int]] = set()
        self._number = int(uuid.uuid4().hex[:6], 16)

    def publish(self, count: int) -> None:
        """`count` blocks, alerts of two revisions and cases of three events; returns when the broker has them."""
        sent = []
        for _ in range(count):
            self._number += 1
            number = self._number
            value = os.urandom(2_000) + number.to_bytes(4, "big")
            sent.append((value, self._producer.send(HOUSEHOLD_EVENTS, value, partition=number % PARTITIONS)))
            for each in (alert(number), alert(number, 2, "updated")):
                self._producer.send(ALERTS, said(each).value, partition=number % PARTITIONS)
                self.alerts.add((each.alert_id, each.revision))
            for event in events(f"case-{number}", [alert(number)], verified=1, closed=True):
                self._producer.send(CASE_EVENTS, said(event).value, partition=number % PARTITIONS)
                self.events.add((event.case_id, event.seq))
        self._producer.flush()
        for value, future in sent:
            at = future.get(10)
            self.blocks[at.partition, at.offset] = value

    def close(self) -> None:
        """Lets go of the broker."""
        self._producer.close()

    def missing(self, store: AlertStore) -> list[str]:
        """What does not stand in the store, or differs."""
        alerts = {(str(a), int(str(r))) for a, r in store.query("SELECT alert_id, revision FROM alerts")}
        case_events = {(str(c), int(str(s))) for c, s in store.query("SELECT case_id, seq FROM case_events")}
        blocks = {(block.partition, block.offset): block.block for block in store.read_household_log()}
        return [
            *(f"alert {what}" for what in self.alerts - alerts),
            *(f"event {what}" for what in self.events - case_events),
            *(f"block {where}" for where, value in self.blocks.items() if blocks.get(where) != value),
        ]


@pytest.fixture
def city(kafka_broker: KafkaBroker) -> Iterator[City]:
    """A city on the real broker, whose topics exist. Other tests may use the same topics."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    with contextlib.suppress(TopicAlreadyExistsError):
        for topic in ARCHIVED:
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    admin.close()
    made = City(kafka_broker.bootstrap)
    yield made
    made.close()


@pytest.fixture
def clickhouse(clickhouse_server: ClickHouseServer) -> Iterator[ClickHouseStore]:
    """A database of this test's own, migrated."""
    made = ClickHouseStore(clickhouse_server.host, clickhouse_server.port, f"live_{uuid.uuid4().hex[:8]}")
    made.migrate()
    yield made
    made.close()


def member(city: City, group: str) -> Callable[[], Consumer]:
    """A consumer of a group of this test's own."""
    return lambda: group_consumer(city.broker, group=group, session_seconds=6)


@pytest.mark.live
def test_clickhouse_stopped_for_ten_seconds_loses_nothing(
    city: City, clickhouse: ClickHouseStore, clickhouse_server: ClickHouseServer
) -> None:
    archive = Archive(clickhouse, member(city, uuid.uuid4().hex), generation="g1", limits=QUICK)
    stopped = threading.Event()

    def stream() -> None:
        while not stopped.wait(0.05):
            city.publish(5)

    publisher = threading.Thread(target=stream)
    with running(archive):
        publisher.start()
        until(lambda: archive.ready and clickhouse.counts().blocks > 50, 30)
        clickhouse_server.kill()
        down_since = time.monotonic()
        until(lambda: not archive.ready, 20)
        time.sleep(max(0.0, 10 - (time.monotonic() - down_since)))
        assert archive.lag[HOUSEHOLD_EVENTS] > 0
        clickhouse_server.start()
        until(lambda: archive.ready, 30)
        stopped.set()
        publisher.join(30)
        until(lambda: not city.missing(clickhouse), 30)
        until(lambda: archive.ready and not any(archive.lag.values()), 10)


@pytest.mark.live
def test_a_frozen_clickhouse_does_not_hold_up_a_stop(
    city: City, clickhouse_server: ClickHouseServer, clickhouse: ClickHouseStore
) -> None:
    store = ClickHouseStore(clickhouse_server.host, clickhouse_server.port, clickhouse.database, timeout_seconds=2)
    archive = Archive(store, member(city, uuid.uuid4().hex), generation="g1", limits=QUICK)
    with running(archive):
        city.publish(5)
        until(lambda: archive.ready, 30)
        clickhouse_server.freeze()
        try:
            city.publish(5)
            until(lambda: not archive.ready, 15)
        finally:
            clickhouse_server.thaw()
        until(lambda: not city.missing(clickhouse), 30)
    store.close()


@pytest.mark.live
@pytest.mark.parametrize("failpoint", ["mid_insert", "after_insert", "after_commit"])
def test_a_worker_that_dies_is_continued(
    city: City, clickhouse: ClickHouseStore, clickhouse_server: ClickHouseServer, failpoint: str
) -> None:
    group = uuid.uuid4().hex
    command = [sys.executable, "-m", "tests.sinks.archive_process", city.broker, str(PARTITIONS),
               clickhouse_server.host, str(clickhouse_server.port), clickhouse.database, group]  # fmt: skip
    city.publish(100)
    environment = {**os.environ, "LIDM_FAILPOINT": f"archive.{failpoint}:2"}
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == -signal.SIGKILL
    assert city.missing(clickhouse)
    worker = subprocess.Popen(command)
    try:
        until(lambda: not city.missing(clickhouse), 40)
    finally:
        worker.terminate()
        assert worker.wait(25) == 0


@pytest.mark.live
def test_workers_that_come_and_go_share_the_log(city: City, clickhouse: ClickHouseStore) -> None:
    group = uuid.uuid4().hex
    one = Archive(clickhouse, member(city, group), generation="g1", limits=QUICK)
    with running(one):
        city.publish(30)
        for _ in range(3):
            other = Archive(clickhouse, member(city, group), generation="g1", limits=QUICK)
            with running(other):
                city.publish(30)
                time.sleep(2)
                city.publish(30)
        until(lambda: not city.missing(clickhouse), 40)


def test_the_embedded_pair_archives_and_a_restart_continues(mock_broker: str, tmp_path: object) -> None:
    pytest.importorskip("chdb")
    city, store = City(mock_broker, MOCK_API), EmbeddedStore(tmp_path / "store")  # type: ignore[operator]
    store.migrate()
    group = uuid.uuid4().hex
    for _ in range(2):
        city.publish(50)
        _archive_everything(city, store, lambda: assigned_consumer(mock_broker, PARTITIONS, group=group))
    consumer = assigned_consumer(mock_broker, PARTITIONS, group=group)
    assert not consumer.poll(timeout_ms=1000, max_records=10)
    assert TopicPartition(ALERTS, 0) in consumer.assignment()
    consumer.close(timeout_ms=1000)
    city.close()
    store.close()


def _archive_everything(city: City, store: AlertStore, consumers: Callable[[], Consumer]) -> None:
    archive = Archive(store, consumers, generation="e1", limits=QUICK)
    with running(archive):
        until(lambda: not city.missing(store), 20)
        until(lambda: not any(archive.lag.values()), 10)
    assert archive.committed.keys() <= {(topic, p) for topic in ARCHIVED for p in range(PARTITIONS)}
