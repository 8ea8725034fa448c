"""What a sealed topic says that cannot be taken is kept, sealed, before anything is committed."""

import json
from typing import Any

import pytest
from kafka import TopicPartition

from lidm.sealed_reader import SealedReader
from lidm.settings import Settings
from schemas.errors import DataError
from schemas.topics import REJECTED, inbox_topic
from streams.letters import DeadLetter, gather
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_sealed import KIND, PRIVATE, PUBLIC, event, feed

TOPIC = inbox_topic(KIND)


class Message:
    """One record as kafka-python gives it."""

    topic, partition, timestamp = TOPIC, 1, 1_780_000_000_000

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset, self.key, self.value, self.headers = offset, b"k", value, [("trace", b"t1")]


class Consumer:
    """A consumer that has these messages and notes how much was flushed when it committed."""

    def __init__(self, values: list[bytes], outlet: Outlet) -> None:
        self._waiting = [Message(offset, value) for offset, value in enumerate(values)]
        self._outlet, self.committed_at = outlet, list[int]()
        self.closed = False

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1}

    def poll(self, timeout_ms: int, max_records: int) -> dict[Any, list[Message]]:
        found, self._waiting = self._waiting, []
        return {TopicPartition(TOPIC, 1): found} if found else {}

    def commit(self) -> None:
        self.committed_at.append(self._outlet.flushed)

    def close(self, autocommit: bool) -> None:
        self.closed = True


def read(values: list[bytes], monkeypatch: pytest.MonkeyPatch) -> tuple[list[DeadLetter], Outlet, Consumer]:
    made, outlet = feed()
    consumer = Consumer(values, outlet)
    monkeypatch.setattr("lidm.sealed_reader.KafkaConsumer", lambda *_, **__: consumer)
    reader = SealedReader(Settings(broker="none"), (KIND,), lambda _: made, PUBLIC)
    assert reader.turn() == len(values)
    return list(gather(m for m in outlet.sent if m.topic == REJECTED)), outlet, consumer


def test_what_cannot_be_taken_is_kept_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = event("S2", number(2), "b1") | {"idtype": "?"}
    values = [
        json.dumps([event("S1", number(1)), wrong, 5]).encode(),
        json.dumps(event("S3", number(3), subject=number(3))).encode(),
        b"\xff",
        json.dumps(event("S4", number(4))).encode(),
    ]
    letters, outlet, consumer = read(values, monkeypatch)
    assert [(each.code, each.topic, each.partition, each.offset, each.feed) for each in letters] == [
        ("BAD_FIELD", TOPIC, 1, 0, KIND),
        ("BAD_FIELD", TOPIC, 1, 1, KIND),
        ("NOT_JSON", TOPIC, 1, 2, KIND),
    ]
    assert letters[0].problems == (("BAD_FIELD", "/1/idtype"), ("NOT_ENVELOPE", "/2"))
    assert letters[0].batch == "b1"
    for letter, value in zip(letters, values, strict=False):
        original = letter.open(PRIVATE)
        assert (original.key, original.value, original.headers) == (b"k", value, (("trace", b"t1"),))
    assert consumer.committed_at == [len(outlet.sent)]
    assert {d.fact.key for d in outlet_deliveries(outlet)} == {"S1", "S4"}
    told = b"".join(m.value + b"".join(said for _, said in m.headers) for m in outlet.sent)
    assert not [n for n in range(1, 5) if number(n).encode() in told]


def test_a_message_as_large_as_a_topic_takes_is_kept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    value = b"[" + b"1," * 499_000 + b"1]"
    letters, outlet, _ = read([value], monkeypatch)
    assert [each.open(PRIVATE).value for each in letters] == [value]
    parts = [m for m in outlet.sent if m.topic == REJECTED]
    assert len(parts) == 2
    assert all(len(m.value) < 900_000 for m in parts)


def test_whatever_stops_a_turn_its_messages_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made, outlet = feed()
    consumer = Consumer([json.dumps(event("S1", number(1))).encode()], outlet)
    monkeypatch.setattr("lidm.sealed_reader.KafkaConsumer", lambda *_, **__: consumer)

    def refuse(*_: object) -> None:
        raise DataError("太大")

    monkeypatch.setattr(outlet, "send", refuse)
    reader = SealedReader(Settings(broker="none"), (KIND,), lambda _: made, PUBLIC)
    with pytest.raises(DataError):
        reader.turn()
    assert (consumer.closed, consumer.committed_at) == (True, [])


def outlet_deliveries(outlet: Outlet) -> list[Any]:
    """What reached the feed."""
    kept = Outlet(outlet.count, [m for m in outlet.sent if m.topic.startswith("feeds.") and m.topic != REJECTED
                                 and "report" not in m.topic])  # fmt: skip
    return kept.deliveries()
