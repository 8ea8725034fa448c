"""Admission to the embedded broker: a publisher waits rather than push unread messages out of its memory.

The in-memory cluster keeps about 5 MB per partition and drops the oldest silently. So a publisher may have at most
`limit_bytes` unread per partition: what it sent and `lidm-intake` has not committed, and what others left there,
counted in messages and priced at our own mean size. A real broker needs none of this.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from schemas.errors import Unreachable

READER = "lidm-intake"
LIMIT_BYTES = 2_000_000
_MESSAGE_OVERHEAD = 80
_FIRST_GUESS = 700


class Progress(Protocol):
    """How far the reader came."""

    def unread(self, topic: str, partition: int) -> tuple[int, int]:
        """(next offset the reader will read, next offset the broker will write)."""
        ...

    def close(self) -> None:
        """Disconnects."""
        ...


class KafkaProgress:
    """Committed offsets of a consumer group, read without joining it."""

    def __init__(self, bootstrap: str, *, group: str = READER, api_version: tuple[int, ...] | None = (2, 0)) -> None:
        """Connects; raises KafkaError when there is no broker."""
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            api_version=api_version,
        )

    def unread(self, topic: str, partition: int) -> tuple[int, int]:
        """A group that never committed starts at the oldest message kept."""
        where = TopicPartition(topic, partition)
        end = int(self._consumer.end_offsets([where])[where])
        committed = self._consumer.committed(where)
        if committed is None:
            committed = self._consumer.beginning_offsets([where])[where]
        return int(committed), end

    def close(self) -> None:
        """Disconnects."""
        self._consumer.close()


@dataclass
class _Mark:
    """Messages sent one after the other; `last` gives the offset of the last one once it is delivered."""

    last: Callable[[], int]
    bytes: int = 0
    messages: int = 0


@dataclass
class _Lane:
    marks: deque[_Mark] = field(default_factory=deque)
    bytes: int = 0
    messages: int = 0
    foreign: int = 0
    primed: bool = False


class Admission:
    """Says when the next message may go. `flush` must deliver everything sent so far."""

    def __init__(
        self,
        progress: Progress,
        flush: Callable[[], None],
        *,
        limit_bytes: int = LIMIT_BYTES,
        patience_seconds: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises nothing; `patience_seconds` is how long a reader may stand still before the publisher gives up."""
        self._progress = progress
        self._flush = flush
        self._limit = limit_bytes
        self._step = max(1, limit_bytes // 16)
        self._patience = patience_seconds
        self._sleep = sleep
        self._now = now
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._sent_bytes = 0
        self._sent_messages = 0
        self.waited_seconds = 0.0
        self.waiting_cpu_seconds = 0.0

    @classmethod
    def to_embedded(cls, bootstrap: str, flush: Callable[[], None]) -> Self:
        """Admission to the embedded broker of a running `lidm`."""
        try:
            return cls(KafkaProgress(bootstrap), flush)
        except KafkaError as error:
            raise Unreachable(f"消息服务连接不上：{bootstrap}") from error

    def before(self, topic: str, partition: int, size: int) -> None:
        """Returns when a message of `size` bytes fits. Raises Unreachable when the reader does not move."""
        lane = self._lanes.setdefault((topic, partition), _Lane())
        size += _MESSAGE_OVERHEAD
        if not lane.primed:
            lane.primed = True
            self._refresh(topic, partition, lane)
        if self._fits(lane, size):
            return
        self._flush()
        began, worked = self._now(), time.process_time()
        moved = began
        seen = lane.bytes + lane.foreign
        while not self._fits(lane, size):
            self._refresh(topic, partition, lane)
            if lane.bytes + lane.foreign < seen:
                seen, moved = lane.bytes + lane.foreign, self._now()
            elif self._now() - moved > self._patience:
                raise Unreachable(f"接收端 {self._patience:.0f} 秒没有前进，停止发送（{topic} 第 {partition} 分区）")
            if not self._fits(lane, size):
                self._sleep(0.02)
        self.waited_seconds += self._now() - began
        self.waiting_cpu_seconds += time.process_time() - worked

    def after(self, topic: str, partition: int, size: int, offset: Callable[[], int]) -> None:
        """Counts a message handed to the producer; `offset()` is asked only after a flush."""
        lane = self._lanes.setdefault((topic, partition), _Lane())
        size += _MESSAGE_OVERHEAD
        if not lane.marks or lane.marks[-1].bytes >= self._step:
            lane.marks.append(_Mark(offset))
        mark = lane.marks[-1]
        mark.bytes += size
        mark.messages += 1
        mark.last = offset
        lane.bytes += size
        lane.messages += 1
        self._sent_bytes += size
        self._sent_messages += 1

    def close(self) -> None:
        """Disconnects the progress reader."""
        self._progress.close()

    def _fits(self, lane: _Lane, size: int) -> bool:
        unread = lane.bytes + lane.foreign
        return unread == 0 or unread + size <= self._limit

    def _refresh(self, topic: str, partition: int, lane: _Lane) -> None:
        try:
            reader, end = self._progress.unread(topic, partition)
        except KafkaError as error:
            raise Unreachable(f"消息服务没有应答（{topic} 第 {partition} 分区）") from error
        while lane.marks and lane.marks[0].last() < reader:
            mark = lane.marks.popleft()
            lane.bytes -= mark.bytes
            lane.messages -= mark.messages
        mean = self._sent_bytes // self._sent_messages if self._sent_messages else _FIRST_GUESS
        lane.foreign = max(0, end - reader - lane.messages) * mean
