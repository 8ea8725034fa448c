"""The way to a broker, against librdkafka's in-memory cluster: order, partitions, admission, failure."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from kafka import KafkaConsumer
from kafka.structs import OffsetAndMetadata, TopicPartition

from gateway.admission import READER, Admission, KafkaProgress
from gateway.publisher import MAX_MESSAGE_BYTES, BrokerPublisher
from schemas.errors import DataError, Unreachable

API = (2, 0)


@dataclass
class Intake:
    """Reads a topic slowly as `lidm-intake` and commits after reading."""

    bootstrap: str
    topic: str
    partitions: int
    nap: float
    values: list[bytes] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=READER,
            enable_auto_commit=False,
            api_version=API,
            auto_offset_reset="earliest",
            check_crcs=False,
        )
        consumer.assign([TopicPartition(self.topic, p) for p in range(self.partitions)])
        while not self.stop.is_set():
            for where, records in consumer.poll(timeout_ms=200, max_records=500).items():
                self.values.extend(r.value for r in records)
                consumer.commit({where: OffsetAndMetadata(records[-1].offset + 1, "", -1)})
            self.stop.wait(self.nap)
        consumer.close()


@contextmanager
def reading(intake: Intake) -> Iterator[Intake]:
    thread = threading.Thread(target=intake.run, daemon=True)
    thread.start()
    try:
        yield intake
    finally:
        intake.stop.set()
        thread.join(timeout=20)


def topic() -> str:
    return f"feeds.t{uuid4().hex[:8]}.v1"


def drain(bootstrap: str, name: str, api: tuple[int, ...] | None = API) -> list[tuple[int, bytes, bytes, int]]:
    """Everything a topic holds: (partition, key, value, timestamp)."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, api_version=api, group_id=None, enable_auto_commit=False)
    where = [TopicPartition(name, p) for p in consumer.partitions_for_topic(name) or ()]
    consumer.assign(where)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(where)
    found: list[tuple[int, bytes, bytes, int]] = []
    while any(consumer.position(one) < ends[one] for one in where):
        for records in consumer.poll(timeout_ms=200).values():
            found.extend((r.partition, r.key, r.value, r.timestamp) for r in records)
    consumer.close()
    return found


@pytest.mark.parametrize("compression", ["auto", None])
def test_messages_arrive_in_order_where_they_were_put_with_the_drivers_time(
    mock_broker: str, compression: str | None
) -> None:
    name = topic()
    with BrokerPublisher(mock_broker, embedded=True, admission=_open, compression=compression) as way:
        count = way.partitions(name)
        for n in range(400):
            way.send(name, n % count, b"p_1", f"{n}".encode(), 1_700_000_000_000 + n)
    found = drain(mock_broker, name)
    assert len(found) == 400
    for partition in range(count):
        mine = [(int(v), t) for p, _, v, t in found if p == partition]
        assert mine == [(n, 1_700_000_000_000 + n) for n in range(partition, 400, count)]


class _Empty:
    def unread(self, topic: str, partition: int) -> tuple[int, int]:
        return 0, 0

    def close(self) -> None:
        pass


def _open(flush: object) -> Admission:
    return Admission(_Empty(), lambda: None, limit_bytes=10**12)


def test_eight_megabytes_through_a_five_megabyte_broker_lose_nothing(mock_broker: str) -> None:
    name = topic()
    with BrokerPublisher(mock_broker, embedded=True, compression=None) as way:
        count = way.partitions(name)
        with reading(Intake(mock_broker, name, count, nap=0.05)) as intake:
            sent = [f"{n:06d}".encode() + b"x" * 5_000 for n in range(1_600)]
            for value in sent:
                way.send(name, 0, b"p_1", value)
            way.flush()
            for _ in range(200):
                if len(intake.values) >= len(sent):
                    break
                intake.stop.wait(0.1)
    assert intake.values == sent
    assert way.waited_seconds > 0


def test_without_a_reader_the_publisher_gives_up_and_nothing_is_evicted(mock_broker: str) -> None:
    name = topic()

    def gate(flush: object) -> Admission:
        assert callable(flush)
        return Admission(KafkaProgress(mock_broker, group=f"g{uuid4().hex}"), flush, patience_seconds=1)

    with (
        pytest.raises(Unreachable, match="没有前进"),
        BrokerPublisher(mock_broker, embedded=True, admission=gate, compression=None) as way,
    ):
        for n in range(4_000):
            way.send(name, 0, b"p_1", f"{n:06d}".encode() + b"x" * 5_000)
    first = min(int(v[:6]) for _, _, v, _ in drain(mock_broker, name))
    assert first == 0


def test_a_message_no_feed_may_carry_is_refused(mock_broker: str) -> None:
    with (
        pytest.raises(DataError, match="--array"),
        BrokerPublisher(mock_broker, embedded=True, admission=_open) as way,
    ):
        way.send(topic(), 0, b"p_1", b"x" * (MAX_MESSAGE_BYTES + 1))


def test_nobody_there_is_unreachable(mock_broker: str) -> None:
    with pytest.raises(Unreachable, match="连接不上"):
        BrokerPublisher("127.0.0.1:1", connect_seconds=0.3)
