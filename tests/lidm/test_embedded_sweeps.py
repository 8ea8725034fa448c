"""A killed embedded service goes on with a sweep, and says again what a shadow run said and nobody archived."""

from pathlib import Path
from typing import Any

import pytest

from lidm.embedded_history import history_of
from schemas.alerts import Alert
from schemas.records import SweepRecord, decode_block
from schemas.topics import ALERTS_SHADOW, HOUSEHOLD_EVENTS
from sinks.embedded import EmbeddedStore
from sinks.rows import alert_row, placed
from streams.delivery import Letter
from tests.lidm.test_embedded_holds import Message
from tests.streams.making import Block, config, fold
from tests.streams.test_shadows import BEGINS, START, run, town, watched

pytest.importorskip("chdb")


def archived(store: EmbeddedStore, blocks: list[Block], said: list[Alert]) -> None:
    store.migrate()
    for number, block in enumerate(blocks):
        made: Any = placed(Message(HOUSEHOLD_EVENTS, 0, *block), "e1")
        store.insert_rows(made.table, [made.row], f"t{number}")
    store.insert_rows("alerts_shadow", [alert_row(each, each.model_dump_json()) for each in said], "s")


def test_the_next_turn_and_unarchived_words_are_owed(tmp_path: Path) -> None:
    log = town((BEGINS, START))
    turns = [place for place, (_, _, value) in enumerate(log.blocks) if _turns(value)]
    assert len(turns) > 2
    cut = log.blocks[: turns[1]]
    all_said = watched(run(log)[1])
    store = EmbeddedStore(tmp_path / "store")
    try:
        archived(store, cut, all_said[:1])
        history = history_of(store, config())
    finally:
        store.close()
    assert [each for letter in history.owed for each in _turns_of(letter)] == _turns(log.blocks[turns[1]][2])
    again = [Alert.model_validate_json(each.value or b"") for each in history.owed if each.topic == ALERTS_SHADOW]
    assert again
    assert all_said[0] not in again
    (watch,) = history.watches.values()
    assert watch.known.kept.sweeps
    fold(watch, [(offset, at, value) for offset, (_, at, value) in enumerate(log.blocks[turns[1] :])])
    assert watch.known.kept.sweeps == []


def _turns(value: bytes) -> list[SweepRecord]:
    return [each for each in decode_block(value) if isinstance(each, SweepRecord)]


def _turns_of(letter: Letter) -> list[SweepRecord]:
    return _turns(letter.value or b"") if letter.topic == HOUSEHOLD_EVENTS else []
