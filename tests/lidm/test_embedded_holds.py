"""An embedded service that was killed says again what its archive missed: counts of a batch, and that it waits."""

from pathlib import Path
from typing import Any

import pytest

from lidm.embedded_history import history_of
from schemas.feed_reports import HoldReport, decode_report, encode_report
from schemas.records import BatchCountRecord, Record, decode_block
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS
from sinks.embedded import EmbeddedStore
from sinks.rows import placed
from tests.streams.making import config
from tests.streams.test_wholes import CERT, certificates
from tests.streams.town import PARTITIONS, Town

pytest.importorskip("chdb")


class Message:
    """A message as the archive reads it."""

    headers = ()
    key = b""

    def __init__(self, topic: str, partition: int, offset: int, timestamp: int, value: bytes) -> None:
        self.topic, self.partition, self.offset, self.timestamp, self.value = topic, partition, offset, timestamp, value


def archived(store: EmbeddedStore, town: Town, keep: dict[int, int], reports: list[HoldReport]) -> None:
    """Of each partition's log so many blocks, and these reports."""
    messages = [Message(HOUSEHOLD_EVENTS, p, *block) for p, log in enumerate(town.logs) for block in log[: keep[p]]]
    messages += [Message(FEED_REPORTS, 0, n, 1, encode_report(each)) for n, each in enumerate(reports)]
    for number, message in enumerate(messages):
        made: Any = placed(message, "e1")
        store.insert_rows(made.table, [made.row], f"t{number}")


@pytest.fixture
def town() -> Town:
    made = Town(12)
    made.read(made.batch(CERT, certificates(range(12)), "first", "delta"))
    made.pass_time()
    made.read(made.batch(CERT, certificates(range(3)), "s", "full_snapshot"))
    assert [each.state for each in made.told] == ["held"]
    return made


def counts(value: bytes) -> list[Record]:
    return [each for each in decode_block(value) if isinstance(each, BatchCountRecord)]


@pytest.mark.parametrize("partition", [None, *range(PARTITIONS)])
def test_counts_the_archive_missed_are_said_again(tmp_path: Path, town: Town, partition: int | None) -> None:
    """In all partitions, or in one of them: what went to the others is not what this one needs."""
    counted = {p: next(n for n, _, value in log if counts(value)) for p, log in enumerate(town.logs)}
    last = {p: max(n for n, _, value in log if counts(value)) for p, log in enumerate(town.logs)}
    last |= {p: len(log) for p, log in enumerate(town.logs) if partition not in (None, p)}
    assert any(counted[p] < last[p] for p in range(PARTITIONS))
    store = EmbeddedStore(tmp_path / "store")
    store.migrate()
    archived(store, town, last, [])
    history = history_of(store, config(PARTITIONS))
    missing = [
        (each.partition, r)
        for each in history.owed
        if each.topic == HOUSEHOLD_EVENTS
        for r in counts(each.value or b"")
    ]
    lost = [(p, r) for p, log in enumerate(town.logs) for n, _, value in log if n >= last[p] for r in counts(value)]
    assert lost
    assert sorted(map(str, missing)) == sorted(map(str, lost))
    store.close()


@pytest.mark.parametrize("known", [False, True])
def test_that_a_batch_waits_is_said_again_unless_it_is_known(tmp_path: Path, town: Town, known: bool) -> None:
    store = EmbeddedStore(tmp_path / "store")
    store.migrate()
    archived(store, town, {p: len(log) for p, log in enumerate(town.logs)}, town.told if known else [])
    history = history_of(store, config(PARTITIONS))
    said = [decode_report(each.value or b"") for each in history.owed if each.topic == FEED_REPORTS]
    assert said == ([] if known else town.told)
    held = [watch._control.coverage.held() for watch in history.watches.values()]  # noqa: SLF001
    assert [len(each) for each in held] == [1] * PARTITIONS
    store.close()
