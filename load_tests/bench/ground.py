"""A real broker of the bench's own, in a folder of its own: prepared once, copied for every round, gone at the end."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import zstandard
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.local import KafkaBroker
from lidm.cluster import admin_of, apply
from load_tests.bench.bills import CITY, TODAY, noon_ms
from policy.bundle import Bundle
from schemas.errors import Stop
from schemas.records import (
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    TickBody,
    TickRecord,
    encode_block,
)
from schemas.topics import HOUSEHOLD_EVENTS, Catalogue, Clock
from streams.lag import Lag

PARTITIONS = 4
POLICY = Path(__file__).resolve().parents[2] / "policy"
WAIT_SECONDS = 1200.0
LINGER_MS = 20
FLUSH_SECONDS = 300
IN_FLIGHT = 100_000
ANYWHERE = -1

Message = tuple[int | None, bytes | None, bytes]
"""Partition (None: murmur2 of the key), key, value."""


@contextlib.contextmanager
def broker(folder: Path, like: Path | None = None) -> Iterator[KafkaBroker]:
    """A running broker, its topics copied from a stopped one when given."""
    if like is not None:
        shutil.copytree(like, folder)
        (folder / "process.json").unlink(missing_ok=True)
    kafka = KafkaBroker(folder)
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


def create_topics(bootstrap: str, clock: Clock) -> None:
    """Every topic of the catalogue, as `lidm topics apply` would."""
    with admin_of(bootstrap) as admin:
        apply(admin, Catalogue.load(), "trial", clock)


def create_topic(bootstrap: str, name: str) -> None:
    """One more topic, for a peer."""
    with admin_of(bootstrap) as admin:
        configs = {"retention.ms": "-1"}
        admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": configs}})


def publish(
    bootstrap: str, topic: str, messages: Iterable[Message], at_ms: int | None = None, compression: str = "lz4"
) -> int:
    """Sends messages, with lz4 as departments do; returns how many once all are acknowledged."""
    from confluent_kafka import Producer

    failed: list[object] = []

    def told(error: object, message: object) -> None:
        if error is not None:
            failed.append(error)

    settings: dict[str, str | int | float | bool] = {
        "bootstrap.servers": bootstrap,
        "partitioner": "murmur2_random",
        "compression.type": compression,
        "linger.ms": LINGER_MS,
        "log_level": 2,
        "queue.buffering.max.messages": IN_FLIGHT * 2,
    }
    producer = Producer(settings)
    sent = 0
    for partition, key, value in messages:
        place = ANYWHERE if partition is None else partition
        producer.produce(topic, value=value, key=key, partition=place, timestamp=at_ms or 0, on_delivery=told)
        sent += 1
        if sent % 1000 == 0:
            producer.poll(0)
            while len(producer) > IN_FLIGHT:
                producer.poll(0.05)
    if producer.flush(FLUSH_SECONDS) or failed:
        raise Stop(f"{topic}: {len(failed)} messages were not delivered")
    return sent


def everywhere(record: Record) -> list[Message]:
    """One control record for every partition."""
    return [(partition, None, encode_block([record])) for partition in range(PARTITIONS)]


def controls(now: int, detectors: Iterable[str]) -> list[Message]:
    """The policy, the time and which detectors speak."""
    bundle = Bundle.load(POLICY)
    body = PolicyBody(bundle.hash, zstandard.compress(bundle.canonical()))
    records: list[Record] = [PolicyRecord("", now, "", 0, 0, body), TickRecord("", now, "", 0, 0, TickBody(now))]
    records += [GoliveRecord("", now, "", 0, 0, GoliveBody(CITY, code, 1000)) for code in detectors]
    return [message for record in records for message in everywhere(record)]


def nudge(bootstrap: str) -> None:
    """A tick that says nothing new: makes an owner load its state."""
    now = noon_ms(TODAY)
    publish(bootstrap, HOUSEHOLD_EVENTS, everywhere(TickRecord("", now, "", 0, 0, TickBody(now))), now)


def wait_until(done: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Looks four times a second; a broker that cannot say yet is asked again. Raises Stop when time runs out."""
    until = time.monotonic() + seconds
    while not _answered(done):
        if time.monotonic() > until:
            raise Stop(f"gave up waiting for {what}")
        time.sleep(0.25)


def _answered(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except KafkaError:  # for example no coordinator while its topic is being made
        return False


def wait_read(bootstrap: str, stage: str, topics: Iterable[str] | None, alive: Callable[[], None]) -> None:
    """Returns when a stage has committed everything its topics hold; `alive` raises when its worker died."""
    names = None if topics is None else tuple(topics)
    lag = Lag(bootstrap, PARTITIONS)

    def done() -> bool:
        alive()
        return not sum(lag.of(stage, names).values())

    try:
        wait_until(done, stage)
    finally:
        lag.close()


def read_all(bootstrap: str, topic: str) -> Iterator[tuple[int, bytes]]:
    """Broker time and value of everything a topic holds now."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    places = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    try:
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    yield record.timestamp, record.value
    finally:
        consumer.close()
