"""The small city on a real stack with a worker a stage: the same episodes as embedded, nobody to be recognised by what
lies about, and the monitor's log says the same whoever folds it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.errors import Missing
from load_tests.chaos.lab import STAGES, Lab, lab
from load_tests.chaos.outcome import contradictions
from load_tests.chaos.topics import read_all
from load_tests.city.schedule import CADENCES
from schemas.alerts import Alert
from schemas.topics import HOUSEHOLD_EVENTS, REJECTED, Catalogue, feed_topic
from tests.conftest import unavailable
from tests.live.city import (
    SIZE,
    Demo,
    Sequences,
    alerts_of,
    answered,
    demo_of,
    episodes,
    everything_ready,
    fold_again,
    pages_of,
    running,
    sequences,
)
from tests.live.leaks import careless_numbers, files_under, found_in, personal_values

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
MISTAKEN = feed_topic("vital.death")
"""Where the careless client of the city puts a plain identity number."""


@dataclass(frozen=True)
class Told:
    """What one telling of the story left behind."""

    embedded: Demo
    attached: Demo
    embedded_alerts: list[Alert]
    attached_alerts: list[Alert]
    contradictions: list[str]
    persons: int
    topics_read: dict[str, int]
    leaks: list[str]
    once: Sequences
    again: Sequences
    shares: list[int]
    complaints: list[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Both runs with the same keys; then everything is searched, and the log is folded again by two."""
    kept = os.environ.get("CITY_DIR")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("attach")
    try:
        with lab(folder / "stack", workers=False) as stack:
            yield _tell(folder, stack)
    except Missing as reason:
        unavailable(reason)


def _tell(folder: Path, stack: Lab) -> Told:
    alone, key = folder / "alone", str(stack.settings.keys_dir / "linkage.key")
    with running(alone, "demo", *SIZE, "--exit", "--json", LIDM_LINKAGE_KEY_FILE=key) as embedded:
        everything_ready(stack)
        with running(stack.settings.data_dir, "demo", *SIZE, "--attach", "--exit", "--json") as attached:
            attached_demo = demo_of(attached)
        embedded_demo = demo_of(embedded)
    found = answered(alone, "alerts", "list", "--all", "--limit", "100000")
    alerts = alerts_of(stack)
    wrong = contradictions(stack)
    city = stack.settings.data_dir / "city"
    persons = personal_values(city) | careless_numbers()
    assert len(found_in(persons, files_under(city))) > 50, "the search finds nobody where everybody is"
    counted: dict[str, int] = {}
    leaks = found_in(persons, _texts(stack, counted, embedded_demo, attached_demo))
    leaks += found_in(persons, files_under(alone, left_out=[alone / "city"]))
    again, shares = fold_again(stack, workers=2)
    return Told(
        embedded_demo, attached_demo, [Alert.model_validate(each) for each in found], alerts, wrong,
        len(persons), counted, leaks, sequences(alerts), sequences(again), shares, stack.fleet.complaints(),
    )  # fmt: skip


def _texts(stack: Lab, counted: dict[str, int], *demos: Demo) -> Iterator[tuple[str, bytes]]:
    """Every topic, every row, every page and every file, but the departments' own files and the vault."""
    for name in Catalogue.load().names:
        messages = read_all(stack.config.broker, stack.config.partitions, name)
        counted[name] = len(messages)
        for message in messages:
            if name != MISTAKEN or b"urn:xinghe:careless" not in (message.value or b""):
                headers = b" ".join(each.encode() + b" " + value for each, value in message.headers)
                yield f"{name}/{message.partition}/{message.offset}", b"\n".join(
                    (message.key or b"", message.value or b"", headers)
                )
    for (table,) in stack.store.query("SELECT name FROM system.tables WHERE database = currentDatabase()"):
        rows = stack.store.query(f"SELECT * FROM {table}")  # noqa: S608 - a name the server gave
        yield f"table {table}", repr(rows).encode()
        yield f"table {table}", b"\n".join(
            cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row
        )
    yield from ((f"page {n}", page) for n, page in enumerate(pages_of(stack.fleet.living)))
    yield from ((f"demo {n}", demo.said.encode()) for n, demo in enumerate(demos))
    data = stack.settings.data_dir
    yield from files_under(data, left_out=[data / "city", data / "local" / "kafka" / "data"])


def test_nothing_is_missed_and_nothing_false(told: Told) -> None:
    for demo in (told.embedded, told.attached):
        assert demo.code == 0, demo.said[-3000:]
        assert (demo.figures["missed"], demo.figures["false_alarms"], demo.figures["wrong_end"]) == (0, 0, 0)
        assert demo.figures["rows_match"] is True
        assert demo.figures["cases_closed"] > 0
        assert demo.figures["contacts_opened"] > 0


def test_the_same_figures(told: Told) -> None:
    """How many cases an officer closed depends on whether an alert came before or after; what is said does not."""
    free = dict.fromkeys(("seconds", "cases_closed", "contacts_opened"))
    assert told.attached.figures | free == told.embedded.figures | free


def test_the_same_episodes_under_the_same_keys(told: Told) -> None:
    assert len(told.attached_alerts) >= told.attached.figures["planted"]
    assert episodes(told.attached_alerts) == episodes(told.embedded_alerts)


def test_state_alerts_mail_and_rows_follow_from_the_log(told: Told) -> None:
    assert not told.contradictions[:20]


def test_nobody_can_be_recognised_outside_the_vault(told: Told) -> None:
    assert told.persons > 300
    assert told.topics_read[HOUSEHOLD_EVENTS] > 100
    assert told.topics_read[REJECTED] >= 6
    published = ("civil.household", *(each.feed for each in CADENCES))
    assert all(told.topics_read[feed_topic(kind)] > 0 for kind in published)
    assert not told.leaks[:20]


def test_two_workers_say_what_one_said(told: Told) -> None:
    assert all(told.shares), f"one of the workers had nothing to say: {told.shares}"
    assert told.again == told.once


def test_no_worker_complained(told: Told) -> None:
    assert not told.complaints
    assert len(STAGES) == 4
