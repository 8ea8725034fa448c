"""The archive: everything on the archived topics stands in the store; nothing is skipped, nothing counts twice.

Poll, make rows, insert, commit. Whatever fails, the same messages are read again: the store is away → back to the
first uncommitted offset; the broker is away → a new consumer. Only what the broker dropped unread ends the process.
Rows are identified by what they say, so that repeating is harmless. Memory is bounded by one batch; what cannot be
written yet stays in Kafka and shows as lag.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

import structlog
from kafka import TopicPartition
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from schemas.errors import Stop
from sinks.consumers import Consumer
from sinks.rows import placed
from sinks.store import AlertStore, StoreError
from sinks.tables import Row
from streams.failpoints import failpoint
from streams.gaps import decode_note, tell

log = structlog.get_logger(__name__)
COMMIT_MS = 10_000
CLOSE_MS = 3_000


Counted = Literal["lidm_archive_rows_total", "lidm_archive_failures_total", "lidm_gap_messages_accepted_total"]


class Meter(Protocol):
    """Where the archive's figures go (`streams.metrics.METRICS` is one)."""

    def count(self, name: Counted, amount: float = 1, **labels: str) -> None: ...

    def set(self, name: Literal["lidm_lag_messages"], value: float, **labels: str) -> None: ...


@dataclass(frozen=True)
class Limits:
    """How much one batch may hold and wait for, and how long to stay away after a failure."""

    messages: int = 5_000
    bytes: int = 16 * 1024 * 1024
    linger_seconds: float = 0.5
    poll_ms: int = 200
    first_pause_seconds: float = 0.25
    longest_pause_seconds: float = 15.0


@dataclass
class Batch:
    """Messages read since the last commit: their rows by table, and per partition the first and the next offset."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    first: dict[TopicPartition, int] = field(default_factory=dict)
    following: dict[TopicPartition, int] = field(default_factory=dict)
    messages: int = 0
    bytes: int = 0

    def token(self, generation: str, table: str) -> str:
        """Names the content of a table's part: the same positions give the same rows in the same order."""
        spans = (f"{tp.topic}/{tp.partition}/{self.first[tp]}-{end}" for tp, end in sorted(self.following.items()))
        return f"{generation}:{table}:" + ",".join(spans)


class Archive:
    """One archive worker; `run` in a thread or a process of its own, `stop` from anywhere."""

    def __init__(
        self,
        store: AlertStore,
        consumer_factory: Callable[[], Consumer],
        *,
        generation: str,
        meter: Meter | None = None,
        limits: Limits | None = None,
        way_on: str = "",
    ) -> None:
        """`way_on`: what an operator can do when messages were dropped, said with the stop."""
        self._store = store
        self._consumers = consumer_factory
        self._generation = generation
        self._meter = meter
        self._limits = limits or Limits()
        self._way_on = way_on
        self._stop = threading.Event()
        self._failures = 0
        self._refusals = 0
        self._healthy = False
        self._committed: dict[tuple[str, int], int] = {}
        self._expected: dict[TopicPartition, int] = {}
        self._lag: dict[str, int] = {}
        self.on_commit: Callable[[str, int, int], None] | None = None
        """Told (topic, partition, next offset) after each commit; the embedded broker's admission listens."""
        self.progress_at = time.monotonic()
        self.last_error: str | None = None

    @property
    def ready(self) -> bool:
        """Whether it reads and the store takes what it is given."""
        return self._healthy and not self._stop.is_set()

    @property
    def committed(self) -> dict[tuple[str, int], int]:
        """Next offset per (topic, partition), as committed by this worker since it started."""
        return dict(self._committed)

    @property
    def lag(self) -> dict[str, int]:
        """Messages by topic known to lie behind what is committed."""
        return dict(self._lag)

    def stop(self) -> None:
        """Asks `run` to return; it does within seconds, with nothing half committed."""
        self._stop.set()

    def run(self) -> None:
        """Archives until stopped. Never gives up on an outage; any other error is a fault of ours and is raised.

        Raises Stop when the broker dropped messages nobody archived.
        """
        while not self._stop.is_set():
            try:
                self._serve()
            except (KafkaError, OSError) as error:
                self._failed(type(error).__name__)
                self._pause()
        self._healthy = False

    def _serve(self) -> None:
        consumer = self._consumers()
        self._refusals, self._expected = 0, {}
        try:
            while not self._stop.is_set():
                batch = self._gather(consumer)
                self.progress_at = time.monotonic()
                if not batch.messages:
                    self._idle(consumer)
                elif self._written(batch):
                    self._commit(consumer, batch)
                else:
                    self._back(consumer, batch)
                    self._pause()
        finally:
            with suppress(Exception):  # a dead broker must not hide why we left
                consumer.close(timeout_ms=CLOSE_MS)

    def _gather(self, consumer: Consumer) -> Batch:
        limits = self._limits
        batch = Batch()
        until = time.monotonic() + limits.linger_seconds
        while batch.messages < limits.messages and batch.bytes < limits.bytes and not self._stop.is_set():
            left = until - time.monotonic()
            if batch.messages and left <= 0:
                break
            polled = consumer.poll(timeout_ms=limits.poll_ms, max_records=limits.messages - batch.messages)
            for partition, messages in polled.items():
                self._unbroken(consumer, partition, messages[0].offset)
                self._expected[partition] = messages[-1].offset + 1
                batch.first.setdefault(partition, messages[0].offset)
                batch.following[partition] = messages[-1].offset + 1
                for message in messages:
                    batch.messages += 1
                    batch.bytes += len(message.value or b"")
                    made = placed(message, self._generation)
                    if made:
                        batch.rows.setdefault(made.table, []).append(made.row)
            if not polled and left <= 0:
                break
        self._measure(consumer, batch)
        return batch

    def _unbroken(self, consumer: Consumer, partition: TopicPartition, offset: int) -> None:
        """Raises Stop when the broker dropped messages before they were read; a transaction's marker is no loss."""
        expected = self._expected.get(partition, 0)
        if offset <= expected:
            return
        committed = consumer.committed(partition, metadata=True)  # somebody else may have read on meanwhile
        if committed is not None and committed.offset > expected:
            expected = committed.offset
            if note := decode_note(committed.metadata):
                tell(note, "archive", partition.topic, partition.partition, self._meter)
        if offset <= expected:
            return
        first = consumer.beginning_offsets([partition])[partition]
        if first > expected:
            where = f"{partition.topic}/{partition.partition}"
            gone = f"消息服务已丢弃 {where} 的 {first - expected} 条未归档消息（应从{expected}读起），停止以免漏存"
            raise Stop(gone + self._way_on)

    def _written(self, batch: Batch) -> bool:
        try:
            for table, rows in sorted(batch.rows.items()):
                self._store.insert_rows(table, rows, batch.token(self._generation, table))
                failpoint("archive.mid_insert")
        except StoreError as error:
            self._failed(error.message_zh)
            return False
        failpoint("archive.after_insert")
        self._failures, self._healthy, self.last_error = 0, True, None
        for table, rows in batch.rows.items():
            if self._meter:
                self._meter.count("lidm_archive_rows_total", len(rows), table=table)
        return True

    def _commit(self, consumer: Consumer, batch: Batch) -> None:
        offsets = {tp: OffsetAndMetadata(end, "", -1) for tp, end in batch.following.items()}
        try:
            consumer.commit(offsets, timeout_ms=COMMIT_MS)
        except (CommitFailedError, RebalanceInProgressError):
            # Partitions moved: whoever has them now inserts the same rows again. A second refusal in a row is no move:
            # this member is no longer one without knowing it, and only a new one gets in.
            self._refusals += 1
            log.info("archive_partitions_moved", refusals=self._refusals)
            if self._refusals > 1:
                raise
            self._back(consumer, batch)
            return
        self._refusals = 0
        failpoint("archive.after_commit")
        self._committed.update({(tp.topic, tp.partition): end for tp, end in batch.following.items()})
        self._measure(consumer, Batch())
        if self.on_commit:
            for partition, end in batch.following.items():
                self.on_commit(partition.topic, partition.partition, end)

    def _idle(self, consumer: Consumer) -> None:
        if self._healthy or not consumer.assignment():
            return
        with suppress(StoreError):
            self._store.query("SELECT 1")
            self._failures, self._healthy, self.last_error = 0, True, None

    def _back(self, consumer: Consumer, batch: Batch) -> None:
        owned = consumer.assignment()
        for partition, offset in batch.first.items():
            if partition in owned:
                consumer.seek(partition, offset)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._healthy = False
        self.last_error = reason
        log.warning("archive_waits", reason=reason, failures=self._failures)
        if self._meter:
            self._meter.count("lidm_archive_failures_total")

    def _pause(self) -> None:
        limits = self._limits
        seconds = limits.first_pause_seconds * 2 ** min(max(self._failures - 1, 0), 10)
        self._stop.wait(min(seconds, limits.longest_pause_seconds))

    def _measure(self, consumer: Consumer, batch: Batch) -> None:
        lag: dict[str, int] = {}
        for partition in consumer.assignment():
            end = consumer.highwater(partition)
            key = (partition.topic, partition.partition)
            done = batch.first.get(partition, self._committed.get(key, end))
            if end is not None and done is not None:
                lag[partition.topic] = lag.get(partition.topic, 0) + max(0, end - done)
        self._lag = lag
        if self._meter:
            for topic, value in lag.items():
                self._meter.set("lidm_lag_messages", value, stage="archive", topic=topic)
