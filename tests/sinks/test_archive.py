"""The archive loses nothing and counts nothing twice, whatever fails: store, commit, broker, message."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
import yaml
from kafka import TopicPartition
from kafka.errors import CommitFailedError, KafkaConnectionError
from kafka.structs import OffsetAndMetadata
from structlog.testing import capture_logs

import schemas.topics
from schemas.errors import Stop
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS, REJECTED
from sinks.archive import Archive, Limits
from sinks.rows import ARCHIVED, Message
from sinks.store import AlertStore, StoreError
from sinks.tables import Row
from streams.gaps import GapNote, encode_note, way_on
from tests.sinks.samples import Said, alert, events, said

QUICK = Limits(messages=50, linger_seconds=0.01, poll_ms=5, first_pause_seconds=0.001, longest_pause_seconds=0.01)
Log = dict[TopicPartition, list[Said]]


class ListConsumer:
    """A consumer over lists; commits outlive it in `committed`, as they do in Kafka."""

    def __init__(self, log: Log, committed: dict[TopicPartition, int], faults: list[Exception]) -> None:
        self._log, self._committed, self._faults = log, committed, faults
        self._at = {tp: committed.get(tp, 0) for tp in log}
        self.beginnings: dict[TopicPartition, int] = {}
        self.metadata = ""

    def poll(self, timeout_ms: int, max_records: int) -> Mapping[TopicPartition, Sequence[Message]]:
        found: dict[TopicPartition, Sequence[Message]] = {}
        for tp, messages in self._log.items():
            batch = messages[self._at[tp] : self._at[tp] + 7]
            if batch:
                self._at[tp] += len(batch)
                found[tp] = batch
        if not found:
            time.sleep(timeout_ms / 1000)
        return found

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._at[partition] = offset

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], timeout_ms: int) -> None:
        if self._faults:
            raise self._faults.pop()
        self._committed.update({tp: offset.offset for tp, offset in offsets.items()})

    def committed(self, partition: TopicPartition, metadata: Literal[True]) -> OffsetAndMetadata | None:
        at = self._committed.get(partition)
        return None if at is None else OffsetAndMetadata(at, self.metadata, -1)

    def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {tp: self.beginnings.get(tp, 0) for tp in partitions}

    def assignment(self) -> set[TopicPartition]:
        return set(self._log)

    def highwater(self, partition: TopicPartition) -> int | None:
        return len(self._log[partition])

    def close(self, timeout_ms: int) -> None:
        """Nothing to close."""


class Flaky(AlertStore):
    """A set of rows; refuses the first `failures` inserts, every other one after half of its rows."""

    engine = "memory"

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.rows: set[tuple[str, Row]] = set()
        self.inserted = 0

    def insert_rows(self, table: str, rows: Sequence[Row], token: str) -> None:
        if self.failures:
            self.failures -= 1
            self.rows.update((table, row) for row in rows[: len(rows) // 2 * (self.failures % 2)])
            raise StoreError("暂时不可用")
        self.inserted += len(rows)
        self.rows.update((table, row) for row in rows)

    def query(self, sql: str, params: object = None) -> list[tuple[int]]:  # type: ignore[override]
        return [(1,)]

    def version(self) -> tuple[int, ...]:
        return (1,)

    def execute(self, sql: str) -> None:
        """Nothing."""

    prepare = close = lambda self: None


class Counted:
    """Figures by name and labels."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], float] = {}
        self.lag: dict[str, float] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        key = (name, labels.get("table", ""))
        self.counts[key] = self.counts.get(key, 0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        self.lag[labels["topic"]] = value


def log_of(count: int) -> Log:
    """Blocks on two partitions and alerts on one."""
    log: Log = {TopicPartition(HOUSEHOLD_EVENTS, p): [] for p in (0, 1)} | {TopicPartition(ALERTS, 0): []}
    for tp, messages in log.items():
        for offset in range(count):
            message = said(alert(offset), offset) if tp.topic == ALERTS else Said(HOUSEHOLD_EVENTS, b"%d" % offset)
            message.partition, message.offset = tp.partition, offset
            messages.append(message)
    return log


@contextmanager
def running(archive: Archive) -> Iterator[None]:
    """The archive in a thread, stopped within seconds."""
    thread = threading.Thread(target=archive.run)
    thread.start()
    try:
        yield
    finally:
        archive.stop()
        thread.join(5)
    assert not thread.is_alive()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for it."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def everything_committed(committed: Mapping[TopicPartition, int], log: Log) -> bool:
    """Whether the group stands at the end of every partition."""
    return all(committed.get(tp) == len(messages) for tp, messages in log.items())


@pytest.mark.parametrize("failures", [0, 1, 9])
def test_a_store_that_fails_gets_the_same_messages_again(failures: int) -> None:
    log, committed, store, meter = log_of(100), dict[TopicPartition, int](), Flaky(failures), Counted()
    told: list[tuple[str, int, int]] = []
    archive = Archive(store, lambda: ListConsumer(log, committed, []), generation="g1", meter=meter, limits=QUICK)
    archive.on_commit = lambda *what: told.append(what)
    with running(archive):
        until(lambda: everything_committed(committed, log))
        until(lambda: archive.ready and not any(archive.lag.values()))
    assert len(store.rows) == 300
    assert store.inserted == 300
    assert meter.counts["lidm_archive_rows_total", "household_log"] == 200
    assert meter.counts.get(("lidm_archive_failures_total", ""), 0) == failures
    assert meter.lag[ALERTS] == 0
    assert told[-1][2] == 100
    assert archive.committed[ALERTS, 0] == 100


def test_while_the_store_is_away_nothing_is_committed_and_the_lag_shows() -> None:
    log, committed, store = log_of(30), dict[TopicPartition, int](), Flaky(10**9)
    archive = Archive(store, lambda: ListConsumer(log, committed, []), generation="g1", limits=QUICK)
    with running(archive):
        until(lambda: store.failures < 10**9 - 5)
        assert committed == {}
        assert not archive.ready
        assert archive.lag[ALERTS] == 30
        assert archive.last_error == "暂时不可用"
        store.failures = 0
        until(lambda: everything_committed(committed, log) and archive.ready)
    assert len(store.rows) == 90


def test_a_lost_commit_or_broker_repeats_and_changes_nothing() -> None:
    log, committed, store = log_of(60), dict[TopicPartition, int](), Flaky()
    faults: list[Exception] = [CommitFailedError(), KafkaConnectionError(), OSError()]
    archive = Archive(store, lambda: ListConsumer(log, committed, faults), generation="g1", limits=QUICK)
    with running(archive):
        until(lambda: everything_committed(committed, log))
        until(lambda: archive.ready)
    assert len(store.rows) == 180
    assert store.inserted > 180


def test_a_member_that_is_refused_twice_makes_way_for_a_new_one() -> None:
    log, committed, store, made = log_of(60), dict[TopicPartition, int](), Flaky(), list[ListConsumer]()

    def join() -> ListConsumer:
        made.append(ListConsumer(log, committed, [CommitFailedError()] * 99 if not made else []))
        return made[-1]

    with running(Archive(store, join, generation="g1", limits=QUICK)):
        until(lambda: everything_committed(committed, log))
    assert len(made) == 2
    assert len(store.rows) == 180


HOLED = TopicPartition(ALERTS, 0)


@pytest.mark.parametrize(
    ("committed", "beginning", "dropped"),
    [(None, 0, 0), (None, 30, 30), (10, 30, 20), (30, 30, 0), (35, 30, 0), (10, 5, 0), (10, 11, 1)],
)
def test_what_the_broker_dropped_stops_it_and_a_marker_in_the_log_does_not(
    committed: int | None, beginning: int, dropped: int
) -> None:
    messages = [said(alert(offset), offset) for offset in range(max(beginning, committed or 0) + 2, 60)]
    at = {} if committed is None else {HOLED: committed}

    def join() -> ListConsumer:
        consumer = ListConsumer({HOLED: messages}, at, [])
        consumer.seek(HOLED, 0)
        consumer.beginnings[HOLED] = beginning
        return consumer

    store = Flaky()
    archive = Archive(store, join, generation="g1", limits=QUICK)
    if dropped:
        with pytest.raises(Stop, match=f"{dropped} 条未归档消息"):
            archive.run()
        assert not store.rows
        return
    with running(archive):
        until(lambda: len(store.rows) == len(messages))


def test_a_gap_somebody_answered_for_is_said_and_counted_and_the_next_one_stops_it_again() -> None:
    committed, counted, store = {HOLED: 20}, Counted(), Flaky()
    log = {HOLED: [said(alert(n), n) for n in range(20, 27)]}
    consumer = ListConsumer(log, {}, [])
    consumer._committed = committed  # noqa: SLF001 - its position is in the list, not in the log
    consumer.beginnings[HOLED] = 20
    consumer.metadata = encode_note(GapNote(20, "operator", "已核对", "2026-05-14"))
    archive = Archive(store, lambda: consumer, generation="g1", meter=counted, limits=QUICK, way_on=way_on("archive"))
    with pytest.raises(Stop, match="lidm topics accept-gap archive"), capture_logs() as logs, running_into(archive):
        until(lambda: committed[HOLED] == 27)
        consumer.metadata = ""
        consumer.beginnings[HOLED] = 40
        log[HOLED] += [said(alert(n), n) for n in range(40, 50)]
    assert counted.counts["lidm_gap_messages_accepted_total", ""] == 20
    assert [(line["by"], line["why"]) for line in logs if line["event"] == "gap_accepted"] == [("operator", "已核对")]


def test_messages_dropped_after_it_began_stop_it_too() -> None:
    log, committed, store = {HOLED: [said(alert(n), n) for n in range(7)]}, dict[TopicPartition, int](), Flaky()
    consumer = ListConsumer(log, committed, [])
    archive = Archive(store, lambda: consumer, generation="g1", limits=QUICK)
    with pytest.raises(Stop), running_into(archive):
        until(lambda: committed.get(HOLED) == 7)
        consumer.beginnings[HOLED] = 20
        log[HOLED] += [said(alert(n), n) for n in range(20, 30)]
    assert len(store.rows) == 7


@contextmanager
def running_into(archive: Archive) -> Iterator[None]:
    """The archive in a thread whose error is raised here."""
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(archive.run)
        try:
            yield
            ended.result(5)
        finally:
            archive.stop()


def test_no_archived_topic_is_compacted() -> None:
    catalogue = yaml.safe_load((Path(schemas.topics.__file__).parent / "topics.yaml").read_text(encoding="utf-8"))
    assert {catalogue[topic]["cleanup"] for topic in ARCHIVED} == {"delete"}


def test_a_batch_is_bounded_and_its_token_names_its_positions() -> None:
    log, tokens = log_of(100), []

    class Watching(Flaky):
        def insert_rows(self, table: str, rows: Sequence[Row], token: str) -> None:
            tokens.append((table, len(rows), token))
            super().insert_rows(table, rows, token)

    committed: dict[TopicPartition, int] = {}
    limits = Limits(messages=10_000, bytes=20, linger_seconds=0.01, poll_ms=5)
    archive = Archive(Watching(), lambda: ListConsumer(log, committed, []), generation="g1", limits=limits)
    with running(archive):
        until(lambda: everything_committed(committed, log))
    assert max(size for _, size, _ in tokens) <= 14
    assert len({token for _, _, token in tokens}) == len(tokens)
    assert tokens[0][2].startswith("g1:alerts:alerts.v1/0/0-7,")


def test_what_cannot_be_read_becomes_a_visible_row_and_neighbours_pass() -> None:
    tp = TopicPartition(ALERTS, 0)
    bad = [b"\xff", b"{}", None, alert(3, severity=999).model_dump_json().encode()]
    messages = [Said(ALERTS, value, offset=number) for number, value in enumerate(bad)]
    log: Log = {tp: [*messages, said(alert(1), len(bad))]}
    committed: dict[TopicPartition, int] = {}
    store = Flaky()
    with running(Archive(store, lambda: ListConsumer(log, committed, []), generation="g1", limits=QUICK)):
        until(lambda: everything_committed(committed, log))
    codes = sorted(str(row[5]) for table, row in store.rows if table == "rejected")
    assert codes == ["NOT_ALERT", "NOT_ALERT", "NOT_ALERT", "OUT_OF_RANGE"]
    assert sum(table == "alerts" for table, _ in store.rows) == 1


def letter(offset: int, part: str, value: bytes) -> Said:
    """A dead letter."""
    headers = {
        "code": "BAD_FIELD",
        "pointer": "/data/x",
        "message": "不对",
        "digest": "d",
        "topic": "feeds.medical.settlement.v1",
        "partition": "3",
        "offset": "17",
        "part": part,
    }
    return Said(REJECTED, value, 1, offset, headers=[(name, text.encode()) for name, text in headers.items()])


def test_a_rejection_keeps_coordinates_and_never_the_payload(store: AlertStore) -> None:
    tp = TopicPartition(REJECTED, 1)
    log: Log = {tp: [letter(0, "1/2", b"SEALED"), letter(1, "2/2", b"SEALED"), letter(2, "1/2", b"SEALED")]}
    committed: dict[TopicPartition, int] = {}
    with running(Archive(store, lambda: ListConsumer(log, committed, []), generation="g1", limits=QUICK)):
        until(lambda: everything_committed(committed, log))
    assert store.counts().rejected == 1
    rows = store.query("SELECT * FROM rejected ORDER BY letter_offset DESC LIMIT 1")
    assert rows[0][:9] == (
        "g1", "feeds.medical.settlement.v1", 3, 17, "/data/x", "BAD_FIELD", "medical.settlement", "d", "不对"
    )  # fmt: skip
    assert rows[0][10:] == (1, 2)
    assert "SEALED" not in str(rows)


def test_case_events_and_blocks_stand_in_the_store(store: AlertStore, tmp_path: Path) -> None:
    things = [*events("c1", [alert(1)], verified=1, closed=True)]
    tp, blocks = TopicPartition("cases.events.v1", 0), TopicPartition(HOUSEHOLD_EVENTS, 2)
    log: Log = {
        tp: [said(event, number) for number, event in enumerate(things)],
        blocks: [Said(HOUSEHOLD_EVENTS, bytes([number, 0xFF, 0]), 2, number, 99) for number in range(5)],
    }
    committed: dict[TopicPartition, int] = {}
    with running(Archive(store, lambda: ListConsumer(log, committed, []), generation="g7", limits=QUICK)):
        until(lambda: everything_committed(committed, log))
    assert store.counts()[:3] == (0, 3, 5)
    assert [tuple(block) for block in store.read_household_log("g7")] == [
        ("g7", 2, number, 99, bytes([number, 0xFF, 0])) for number in range(5)
    ]
