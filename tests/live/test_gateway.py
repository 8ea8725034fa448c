"""The gateway against a real Kafka: what it sends lies where Kafka's own partitioner would put it, and is accepted."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.local import KafkaBroker
from gateway import publish as publishing
from gateway.events import BatchPlan
from gateway.identities import Linkage
from gateway.publish import publish_file
from gateway.publisher import BrokerPublisher
from schemas.envelope import Delivery, Manifest
from schemas.feed import FEEDS, FeedSpec
from tests.gateway.people import number
from tests.gateway.test_broker import drain
from tests.gateway.test_publish import bill, table

LINKAGE = Linkage(b"k" * 32, synthetic=True)
RECORDED = datetime(2026, 6, 3, 9, tzinfo=UTC)


class _Elsewhere(FeedSpec):
    """A feed under a topic of the test's own."""

    place = ""

    @property
    def topic(self) -> str:
        return self.place


@pytest.fixture
def topic(kafka_broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"feeds.medical.settlement.{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.bootstrap)
    admin.create_topics([NewTopic(name, 12, 1)])
    admin.close()
    spec = FEEDS["medical.settlement"]
    elsewhere = _Elsewhere(spec.kind, spec.version, spec.title, spec.model, spec.fact)
    monkeypatch.setattr(_Elsewhere, "place", name)
    monkeypatch.setattr(publishing, "feed_spec", lambda _: elsewhere)
    return name


@pytest.mark.parametrize("array", [1, 50])
def test_a_file_lies_where_kafka_would_put_it(
    kafka_broker: KafkaBroker, topic: str, tmp_path: Path, array: int
) -> None:
    path = table(tmp_path / "a.csv", [bill(number(n % 60 + 1), f"S{n}") for n in range(600)])
    plan = BatchPlan("2026-05", ("339901000000",))
    with BrokerPublisher(kafka_broker.bootstrap) as way:
        done = publish_file(
            path,
            "medical.settlement",
            publisher=way,
            linkage=LINKAGE,
            recorded=RECORDED,
            batch=replace(plan, batchid="b-1"),
            array=array,
        )
    found = drain(kafka_broker.bootstrap, topic, api=None)
    spec, known_at_ms = FEEDS["medical.settlement"], int(RECORDED.timestamp() * 1000)
    outcomes = [(p, o) for p, _, value, _ in found for o in spec.decode(value, known_at_ms)]
    delivered = [(p, o) for p, o in outcomes if isinstance(o, Delivery)]
    ends = {p: o.rows for p, o in outcomes if isinstance(o, Manifest) and o.what == "end"}
    assert len(delivered) == 600
    assert [ends[p] for p in range(12)] == list(done.receipt.partitions)
    assert [sum(p == q for p, _ in delivered) for q in range(12)] == list(done.receipt.partitions)
    places = {o.person: p for p, o in delivered}
    assert len(set(places.values())) > 6
    assert places == _kafkas_own(kafka_broker.bootstrap, topic, sorted(places))


def _kafkas_own(bootstrap: str, topic: str, keys: list[str]) -> dict[str, int]:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    futures = {key: producer.send(topic, b"{}", key.encode()) for key in keys}
    producer.flush()
    placed = {key: future.get(timeout=10).partition for key, future in futures.items()}
    producer.close()
    return placed
