from dataclasses import dataclass, field

import pytest

from gateway.admission import Admission
from schemas.errors import Unreachable

TOPIC = "feeds.t.v1"


@dataclass
class FakeBroker:
    """One partition: what lies there, how far the reader came, and a clock that only sleeping moves."""

    sizes: list[int] = field(default_factory=list)
    read: int = 0
    now: float = 0.0
    reads_per_nap: int = 0
    flushed: int = 0
    most_unread: int = 0

    def unread(self, topic: str, partition: int) -> tuple[int, int]:
        return self.read, len(self.sizes)

    def close(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.read = min(len(self.sizes), self.read + self.reads_per_nap)

    def flush(self) -> None:
        self.flushed += 1

    def publish(self, gate: Admission, size: int) -> None:
        gate.before(TOPIC, 0, size)
        offset = len(self.sizes)
        self.sizes.append(size)
        gate.after(TOPIC, 0, size, lambda: offset)
        self.most_unread = max(self.most_unread, sum(self.sizes[self.read :]))


def gate_of(broker: FakeBroker, limit: int = 10_000, patience: float = 5.0) -> Admission:
    return Admission(
        broker,
        broker.flush,
        limit_bytes=limit,
        patience_seconds=patience,
        sleep=broker.sleep,
        now=lambda: broker.now,
    )


def test_a_slow_reader_slows_the_publisher_and_nothing_overruns() -> None:
    broker = FakeBroker(reads_per_nap=3)
    gate = gate_of(broker)
    for _ in range(2_000):
        broker.publish(gate, 400)
    assert broker.most_unread <= 10_000
    assert broker.flushed
    assert gate.waited_seconds > 0


def test_a_reader_that_keeps_up_costs_no_waiting() -> None:
    broker = FakeBroker()
    gate = gate_of(broker, limit=1_000_000)
    for _ in range(500):
        broker.publish(gate, 400)
        broker.read = len(broker.sizes)
    assert gate.waited_seconds == 0


def test_a_reader_that_stands_still_ends_in_unreachable() -> None:
    broker = FakeBroker()
    gate = gate_of(broker)
    with pytest.raises(Unreachable, match="没有前进"):
        for _ in range(100):
            broker.publish(gate, 400)
    assert broker.most_unread <= 10_000
    assert 5 <= broker.now < 6


def test_what_others_left_unread_counts_too() -> None:
    broker = FakeBroker(sizes=[700] * 20, reads_per_nap=1)
    gate = gate_of(broker)
    broker.publish(gate, 700)
    assert broker.read > 0


def test_a_message_larger_than_the_limit_goes_alone() -> None:
    broker = FakeBroker(reads_per_nap=1)
    gate = gate_of(broker, limit=1_000)
    broker.publish(gate, 5_000)
    broker.publish(gate, 5_000)
    assert broker.read == 1
