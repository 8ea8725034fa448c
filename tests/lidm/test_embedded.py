"""A partition of cases that the embedded service takes again after it let it go."""

from typing import Any

import pytest

from cases.deadlines import default_deadlines
from lidm import embedded
from lidm.embedded import _cases_of
from schemas.cases import CaseEvent
from schemas.partition import partition_of
from streams.casework import Casework
from tests.cases.builders import HOUSEHOLD, alert, ms
from tests.streams.making import config

NOON = ms("2026-05-14 12:00")


def test_a_partition_taken_again_has_every_case_archived_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker may have forgotten those events."""
    settings = config(partitions=4)
    mine = partition_of(HOUSEHOLD, 4)
    desk = Casework(mine, 4, default_deadlines())
    archived: list[CaseEvent] = []
    store: Any = object()
    monkeypatch.setattr(embedded, "case_events", lambda asked: iter(archived))
    archived += desk.on_alert(alert("a"), NOON)
    first = _cases_of(mine, settings, store)
    archived += desk.on_alert(alert("b", family="review"), NOON)
    again = _cases_of(mine, settings, store)
    assert (len(first.work.view.cases), len(again.work.view.cases)) == (1, 2)
    assert not _cases_of((mine + 1) % 4, settings, store).work.view.cases
