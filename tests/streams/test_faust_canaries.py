# ruff: noqa: SLF001 - what is wrong lies in private methods
"""Faults of Faust and aiokafka we work around, shown to be there still. A failing canary: try without the guard.

faust#606 and the notes in `streams/app.py`, `streams/checkpoint.py` say which guard belongs to which fault.
"""

import asyncio
import inspect
from collections import defaultdict
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from streams.app import create_app
from tests.streams.making import config

HERE = TP("in", 0)


def committing(acked: list[int], committed: int | None) -> Any:
    """As much of a Faust consumer as decides what to commit."""
    return SimpleNamespace(
        _acked={HERE: acked},
        _gap=defaultdict(list),
        _committed_offset={HERE: committed},
        _acked_index=defaultdict(set),
    )


def test_the_versions_the_guards_were_written_for() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka") == "0.14.0"


def test_faust_606_with_nothing_committed_a_gap_at_the_head_is_passed_over() -> None:
    """Messages 0 to 4 were never finished; Faust would commit 8. Guard: offsets must follow one another."""
    assert Consumer._new_offset(committing([5, 6, 7], None), HERE) == 8


def test_a_gap_behind_what_is_committed_is_noticed() -> None:
    assert Consumer._new_offset(committing([5, 6, 7], 3), HERE) is None


def test_a_gap_in_the_middle_is_noticed() -> None:
    assert Consumer._new_offset(committing([3, 4, 7], 3), HERE) == 5


def test_an_acknowledgement_of_an_old_assignment_still_counts() -> None:
    """`ack` asks for no generation. Guard: messages of an old generation are never acknowledged."""
    assert "generation" not in inspect.getsource(Consumer.ack)


def test_aiokafka_reads_an_empty_set_as_all_partitions() -> None:
    """Guard: an empty set of active partitions fetches nothing."""
    source = inspect.getsource(Fetcher.fetched_records)
    assert "if partitions and tp not in partitions" in source


def test_faust_hands_over_its_live_set() -> None:
    """Guard: a frozen copy goes to the consumer's thread."""
    live = {HERE}
    consumer: Any = SimpleNamespace(_active_partitions=live)
    assert Consumer._get_active_partitions(consumer) is live


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What reaches Faust's own fetch once the guard is in place."""
    asked: list[Any] = []

    async def original(self: Any, consumer: Any, active: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(active)
        return {"records": 1}

    monkeypatch.setattr(AIOKafkaConsumerThread, "_fetch_records", original)
    create_app("canary", replace(config(), data_dir=tmp_path))
    return asked


def fetch(active: Any) -> Any:
    """One fetch through the guard."""
    guarded: Any = AIOKafkaConsumerThread._fetch_records
    return asyncio.run(guarded(None, None, active, timeout=1))


def test_the_guard_fetches_nothing_for_an_empty_set(seen: list[Any]) -> None:
    assert fetch(set()) == {}
    assert not seen


def test_the_guard_passes_a_frozen_copy(seen: list[Any]) -> None:
    live = {HERE}
    fetch(live)
    live.clear()
    assert seen == [frozenset({HERE})]
    fetch(None)
    assert seen[-1] is None
