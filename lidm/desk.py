"""The officer's end of case work over Kafka: reads cases from `cases.events.v1`, sends commands, waits for the answer.

Works without a store; only the in-memory broker forgets what was before it started, and the archive tells it. A
household's cases lie in the partition of its murmur2; a sayable number names the partition.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from cases.identity import partition_in
from cases.view import Case, CaseView
from lidm.settings import Settings
from lidm.stores import reading
from schemas.calendar import SHANGHAI
from schemas.case_commands import CaseCommand, StormRelease, encode_command
from schemas.cases import CaseEvent, decode_event
from schemas.errors import DataError, Unreachable
from schemas.partition import partition_of
from schemas.topics import CASE_COMMANDS, CASE_EVENTS
from sinks.reads import case_events

_QUIET_SECONDS = 30.0
_EMBEDDED_API = (2, 0)


class CaseDesk:
    """A connection for one command; a context manager. Broker trouble is Unreachable."""

    def __init__(self, bootstrap: str, *, embedded: bool = False, archived: Iterable[CaseEvent] = ()) -> None:
        """Connects. `embedded`: the broker is the in-memory cluster of a running `lidm`; `archived`: what it has of
        before, per case in order."""
        self._bootstrap = bootstrap
        self._api = _EMBEDDED_API if embedded else None
        self.history: list[CaseEvent] = []
        self.view = CaseView()
        for event in archived:
            self._apply(event)
        with _reachable(bootstrap):
            self._consumer = KafkaConsumer(
                bootstrap_servers=bootstrap,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                api_version=self._api,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._consumer.close()

    @property
    def partitions(self) -> int:
        """Partitions of the case topics. Raises Unreachable when they are not there."""
        with _reachable(self._bootstrap):
            found = self._consumer.partitions_for_topic(CASE_EVENTS)
        if not found:
            raise Unreachable(f"没有主题 {CASE_EVENTS}：请先运行 lidm topics apply")
        return len(found)

    def read(self, partitions: Iterable[int] | None = None) -> CaseView:
        """The cases of some partitions (default: all), as of now; later events are read by `send`."""
        wanted = [
            TopicPartition(CASE_EVENTS, p) for p in (range(self.partitions) if partitions is None else partitions)
        ]
        with _reachable(self._bootstrap):
            self._consumer.assign(wanted)
            end = self._consumer.end_offsets(wanted)
            self._consumer.seek_to_beginning(*wanted)
            deadline = time.monotonic() + _QUIET_SECONDS
            while any(self._consumer.position(p) < end[p] for p in wanted):
                if self._take(500):
                    deadline = time.monotonic() + _QUIET_SECONDS
                elif time.monotonic() > deadline:
                    raise Unreachable("消息服务没有按时返回个案记录")
        return self.view

    def find(self, name: str, household: str | None = None) -> Case:
        """A case by number, id or the beginning of an id. Raises DataError when there is none."""
        place = partition_of(household, self.partitions) if household else partition_in(name)
        if place is not None and place >= self.partitions:
            raise DataError(f"没有这件个案：{name}")
        case = self.read(None if place is None else [place]).find(name)
        if case is None:
            raise DataError(f"没有这件个案（或编号开头不唯一）：{name}")
        return case

    def send(self, command: CaseCommand, *, wait_seconds: float, at_ms: int | None = None) -> CaseEvent | None:
        """Delivers a command and returns the event that answers it, None when none came in time.

        The partition of the household must have been read, so that nothing between is missed.
        """
        known = next((e for e in self.history if e.cause.command_id == command.command_id), None)
        if known is not None:
            return known
        key = command.household.encode()
        with _reachable(self._bootstrap):
            producer = KafkaProducer(bootstrap_servers=self._bootstrap, acks="all", api_version=self._api)
            try:
                partition = partition_of(key, self.partitions)
                value = encode_command(command)
                producer.send(CASE_COMMANDS, value, key, partition=partition, timestamp_ms=at_ms).get(timeout=30)
            finally:
                producer.close(timeout=10)
            return self._answer(command.command_id, wait_seconds)

    def release(self, order: StormRelease, *, expected: int, wait_seconds: float, at_ms: int | None) -> list[CaseEvent]:
        """Delivers the release of a storm to every partition; the events that answer it, as far as they came in time.

        Every partition must have been read, so that nothing between is missed.
        """
        value, found = encode_command(order), list[CaseEvent]()
        with _reachable(self._bootstrap):
            producer = KafkaProducer(bootstrap_servers=self._bootstrap, acks="all", api_version=self._api)
            try:
                for partition in range(self.partitions):
                    producer.send(CASE_COMMANDS, value, partition=partition, timestamp_ms=at_ms).get(timeout=30)
            finally:
                producer.close(timeout=10)
            deadline = time.monotonic() + wait_seconds
            while len(found) < expected and time.monotonic() < deadline:
                found += [event for event in self._take(200) if event.cause.command_id == order.command_id]
        return found

    def moment(self, at: datetime | None, clock: str) -> int | None:
        """Timestamp of a command: none on the wall clock; on a driven clock the given one, else the newest event's."""
        if at is not None:
            return round(at.replace(tzinfo=SHANGHAI).timestamp() * 1000)
        return None if clock == "wall" else max((event.at_ms for event in self.history), default=None)

    def _answer(self, command_id: str, wait_seconds: float) -> CaseEvent | None:
        deadline = time.monotonic() + wait_seconds
        while True:
            for event in self._take(200):
                if event.cause.command_id == command_id:
                    return event
            if time.monotonic() >= deadline:
                return None

    def _take(self, timeout_ms: int) -> list[CaseEvent]:
        taken: list[CaseEvent] = []
        for records in self._consumer.poll(timeout_ms=timeout_ms, max_records=5000).values():
            for record in records:
                event = decode_event(record.value)
                if event.seq > self.view.next_seq(event.case_id) == 1:
                    continue  # its beginning is no longer in the in-memory broker; the archive has it
                if self._apply(event):
                    taken.append(event)
        return taken

    def _apply(self, event: CaseEvent) -> bool:
        fresh = self.view.apply(event)
        if fresh:
            self.history.append(event)
        return fresh


def open_desk(settings: Settings) -> CaseDesk:
    """The desk of these settings; the in-memory broker's with what the archive has of before."""
    if not (settings.embedded and settings.announced and settings.announced.api):
        return CaseDesk(settings.bootstrap, embedded=settings.embedded)
    with reading(settings) as store:
        return CaseDesk(settings.bootstrap, embedded=True, archived=case_events(store))


@contextlib.contextmanager
def _reachable(bootstrap: str) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise Unreachable(f"消息服务连接不上：{bootstrap}") from error
