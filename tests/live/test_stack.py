"""Foreign clients work against the local stack, and it survives being killed, frozen and restarted."""

import shutil
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from deploy.local import ClickHouseServer, KafkaBroker, Missing
from deploy.local.ports import answers
from schemas.partition import partition_of
from tests.conftest import unavailable

PARTITIONS = 6
MakeTopic = Callable[[], str]


@pytest.fixture
def make_topic(kafka_broker: KafkaBroker) -> MakeTopic:
    """A fresh topic with PARTITIONS partitions per call."""

    def make() -> str:
        name = f"stack.{uuid.uuid4().hex[:8]}"
        admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
        admin.create_topics([NewTopic(name, num_partitions=PARTITIONS, replication_factor=1)])
        admin.close()
        return name

    return make


@pytest.fixture
def kcat() -> str:
    """Path of kcat."""
    found = shutil.which("kcat")
    if found is None:
        unavailable(Missing("没有找到 kcat：python -m deploy.local install --tests"))
    return str(found)


def said(command: Sequence[str], given: str = "") -> str:
    """Standard output of a foreign client that must succeed."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-800:]}\n{done.stderr[-800:]}"
    return done.stdout


def test_kcat_writes_what_kafkas_console_consumer_reads(
    kafka_broker: KafkaBroker, make_topic: MakeTopic, kcat: str
) -> None:
    topic = make_topic()
    said([kcat, "-P", "-b", kafka_broker.bootstrap, "-t", topic, "-K", "|"], 'p_1|{"个人负担":"5200元"}\n')
    read = said(kafka_broker.tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", kafka_broker.bootstrap, "--topic",
        topic, "--from-beginning", "--max-messages", "1", "--timeout-ms", "20000",
        "--property", "print.key=true",
    ))  # fmt: skip
    assert read.strip() == 'p_1\t{"个人负担":"5200元"}'


def test_kafkas_console_producer_writes_what_kcat_reads(
    kafka_broker: KafkaBroker, make_topic: MakeTopic, kcat: str
) -> None:
    topic = make_topic()
    console_producer(kafka_broker, topic, "p_1|一\np_2|二\n")
    read = said([kcat, "-C", "-b", kafka_broker.bootstrap, "-t", topic, "-e", "-q", "-f", "%k=%s\n"])
    assert sorted(read.split()) == ["p_1=一", "p_2=二"]


def test_java_librdkafka_and_we_put_a_key_into_the_same_partition(
    kafka_broker: KafkaBroker, make_topic: MakeTopic, kcat: str
) -> None:
    keys = [f"p_{n:032x}" for n in range(200)] + ["h_星河市-1", "v_" + uuid.uuid4().hex, "x"]
    lines = "".join(f"{key}|1\n" for key in keys)
    ours = {key: partition_of(key, PARTITIONS) for key in keys}
    by_java, by_librdkafka = make_topic(), make_topic()
    console_producer(kafka_broker, by_java, lines)
    murmur2 = ["-X", "topic.partitioner=murmur2_random"]
    said([kcat, "-P", "-b", kafka_broker.bootstrap, "-t", by_librdkafka, "-K", "|", *murmur2], lines)
    assert partitions(kafka_broker, by_java) == ours
    assert partitions(kafka_broker, by_librdkafka) == ours


def test_clickhouse_client_writes_and_reads(clickhouse_server: ClickHouseServer) -> None:
    database = f"t_{uuid.uuid4().hex[:8]}"
    for statement in (
        f"CREATE DATABASE {database}",
        f"CREATE TABLE {database}.a (k String, n Int64) ENGINE = MergeTree ORDER BY k",
    ):
        said(clickhouse_server.client("--query", statement))
    said(clickhouse_server.client("--query", f"INSERT INTO {database}.a FORMAT TabSeparated"), "星河\t520000\n")
    assert said(clickhouse_server.client("--query", f"SELECT n FROM {database}.a WHERE k = '星河'")) == "520000\n"  # noqa: S608


@pytest.mark.parametrize("fixture", ["kafka_broker", "clickhouse_server"])
def test_servers_listen_on_loopback_only(fixture: str, request: pytest.FixtureRequest) -> None:
    pid = request.getfixturevalue(fixture).pid
    sockets = psutil.Process(pid).net_connections(kind="inet")
    listening = {s.laddr.ip.removeprefix("::ffff:") for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_killed_broker_comes_back_on_its_port_with_its_topics(tmp_path: Path, kafka_broker: KafkaBroker) -> None:
    broker = KafkaBroker(tmp_path / "kafka", heap_mb=256)
    broker.start()
    try:
        before = broker.bootstrap
        admin = KafkaAdminClient(bootstrap_servers=before)
        admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
        admin.close()
        console_producer(broker, "kept", "k|v\n")
        broker.kill()
        assert not answers(int(before.split(":")[1]))
        broker.start()
        assert broker.bootstrap == before
        assert partitions(broker, "kept") == {"k": 0}
    finally:
        assert broker.stop()
    assert not broker.stop()


def test_a_frozen_clickhouse_is_silent_and_goes_on_when_thawed(
    tmp_path: Path, clickhouse_server: ClickHouseServer
) -> None:
    server = ClickHouseServer(tmp_path / "clickhouse")
    server.start()
    try:
        server.freeze()
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(server.client("--query", "SELECT 1"), capture_output=True, timeout=2, check=False)
        server.thaw()
        assert said(server.client("--query", "SELECT 1")) == "1\n"
        server.freeze()
    finally:
        assert server.stop(), "a frozen server must still be stopped"


def console_producer(broker: KafkaBroker, topic: str, lines: str) -> None:
    """Writes `key|value` lines with the console producer Kafka ships."""
    said(broker.tool(
        "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", broker.bootstrap, "--topic", topic,
        "--property", "parse.key=true", "--property", "key.separator=|",
    ), lines)  # fmt: skip


def partitions(broker: KafkaBroker, topic: str) -> dict[str, int]:
    """Per key the partition its record lies in."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, group_id=None, auto_offset_reset="earliest")
    try:
        ours = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]
        ends = consumer.end_offsets(ours)
        consumer.assign(ours)
        consumer.seek_to_beginning(*ours)
        found: dict[str, int] = {}
        while any(consumer.position(p) < ends[p] for p in ours):
            for batch in consumer.poll(timeout_ms=500).values():
                found.update({record.key.decode(): record.partition for record in batch})
        return found
    finally:
        consumer.close()
