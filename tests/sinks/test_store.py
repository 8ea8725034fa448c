"""Both engines keep the same promises: raw bytes survive, repeated rows are one row, migrations run once."""

import os
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.errors import DataError, Stop
from sinks import migrations
from sinks.reads import Filter, cases_of, current_alerts, revisions
from sinks.rows import alert_row, placed
from sinks.store import AlertStore, Counts, LogBlock, StoreError, render
from tests.sinks.samples import OTHER_TOWN, TOWN, alert, events, said


def put(store: AlertStore, *said_things: object, batch: str = "t") -> None:
    """Inserts what these alerts and case events become."""
    for number, thing in enumerate(said_things):
        made = placed(said(thing, number), "g1")  # type: ignore[arg-type]
        assert made is not None
        store.insert_rows(made.table, [made.row], f"{batch}{number}")


def test_raw_bytes_survive_in_order(store: AlertStore) -> None:
    blocks = [
        LogBlock(generation, partition, offset, 1_773_000_000_000 + offset, os.urandom(offset * 31) + b"\0;\n'\\\xff")
        for generation in ("g1", "g2")
        for partition in (0, 7)
        for offset in range(150)
    ]
    store.insert_rows("household_log", blocks[::-1], "a")
    store.insert_rows("household_log", blocks[:200], "b")
    assert list(store.read_household_log()) == blocks
    assert list(store.read_household_log("g2", page=7)) == blocks[300:]
    assert store.counts() == Counts(0, 0, 600, 0)
    assert store.counts("g2").blocks == 300
    assert store.generations() == ["g1", "g2"]


def test_a_repeated_row_is_one_row_and_the_newest_revision_speaks(store: AlertStore) -> None:
    things = [alert(1), alert(1, 2, "updated", severity=3), alert(2, area=OTHER_TOWN), alert(3), alert(3, 2, "lapsed")]
    put(store, *things)
    put(store, *things, batch="again")
    assert store.counts().alerts == 5
    assert [(a.alert_id[:8], a.revision) for a in current_alerts(store)] == [
        ("00000001", 2), ("00000002", 1), ("00000003", 2)
    ]  # fmt: skip
    assert current_alerts(store, Filter(standing=True, areas=[TOWN])) == [things[1]]
    assert current_alerts(store, Filter(areas=[])) == []
    assert revisions(store, "00000003") == things[3:]
    with pytest.raises(DataError):
        revisions(store, "ffff")


def test_an_alert_belongs_where_its_newest_revision_says(store: AlertStore) -> None:
    left = [alert(1, baseline=True), alert(1, 2, "updated", area=OTHER_TOWN)]
    put(store, *left)
    assert current_alerts(store, Filter(areas=[TOWN])) == []
    assert current_alerts(store, Filter(areas=[OTHER_TOWN], standing=True)) == [left[1]]
    assert current_alerts(store, Filter(baseline=True)) == []
    assert current_alerts(store, Filter(baseline=False)) == [left[1]]


def test_a_list_ends_at_its_limit_the_most_recent_first(store: AlertStore) -> None:
    things = [
        alert(n).model_copy(update={"known_at": alert(n).known_at + timedelta(seconds=n)}) for n in range(1, 8)
    ]
    put(store, *things)
    assert current_alerts(store, limit=6) == things[:0:-1]


def test_cases_of_an_alert(store: AlertStore) -> None:
    put(store, *events("case-1", [alert(1), alert(2)], verified=1, closed=True))
    assert cases_of(store, alert(2).alert_id) == ["case-1"]
    assert store.counts().case_events == 4


def test_values_cannot_leave_their_quotes(store: AlertStore) -> None:
    nasty = "it's \\ 户\n\t\0%(x)s'; DROP TABLE alerts"
    assert store.query("SELECT %(a)s AS a, %(n)s IN %(l)s AS b, %(d)s AS c", {
        "a": nasty, "n": 3, "l": [1, 3], "d": date(2026, 3, 9)
    }) == [(nasty, 1, date(2026, 3, 9))]  # fmt: skip
    assert render("100%", None) == "100%"


def test_a_wrong_statement_is_a_store_error_and_the_next_one_works(store: AlertStore) -> None:
    with pytest.raises(StoreError):
        store.query("SELECT * FROM nowhere")
    with pytest.raises(StoreError):
        store.execute("INSERT INTO nowhere SELECT 1")
    assert store.query("SELECT 1") == [(1,)]


def test_migrations_run_once_and_notice_a_changed_file(empty_store: AlertStore, tmp_path: Path) -> None:
    empty_store.prepare()
    assert {step.status for step in empty_store.status()} <= {"pending", "not_for_this_version"}
    first = empty_store.migrate()
    assert first[0].name == "0001_alerts"
    assert empty_store.migrate() == []
    assert {step.status for step in empty_store.status()} <= {"applied", "not_for_this_version"}
    (tmp_path / "0001_alerts.sql").write_text("SELECT 1;\n")
    changed = migrations.load(tmp_path)
    assert [step.status for step in migrations.report(empty_store, changed)] == ["changed"]
    with pytest.raises(DataError, match="0001_alerts"):
        migrations.apply(empty_store, changed)


def test_rows_of_an_older_store_outlive_tables_made_anew(empty_store: AlertStore) -> None:
    empty_store.prepare()
    every = migrations.load()
    migrations.apply(empty_store, [each for each in every if each.id < 10])
    told = events("case-1", [alert(1)], verified=1)
    put(empty_store, alert(1), alert(1, 2, "updated"), *told)
    for _ in range(2):  # a crash before the record repeats all of it
        for statement in next(each for each in every if each.id == 10).statements:
            empty_store.execute(statement)
    put(empty_store, alert(1), *told, batch="again")
    assert revisions(empty_store, alert(1).alert_id) == [alert(1), alert(1, 2, "updated")]
    assert cases_of(empty_store, alert(1).alert_id) == ["case-1"]
    assert empty_store.counts() == Counts(2, len(told), 0, 0)


def test_a_migration_that_copies_rows_is_not_for_a_worker(empty_store: AlertStore) -> None:
    """Another worker may write meanwhile, or copy as well; where there is nothing to copy nobody minds."""
    empty_store.prepare()
    migrations.apply(empty_store, [each for each in migrations.load() if each.id < 10])
    put(empty_store, alert(1))
    with pytest.raises(Stop, match="0010_screens"):
        empty_store.migrate(beside_others=True)
    assert "0010_screens" in [each.name for each in empty_store.migrate()]
    assert empty_store.migrate(beside_others=True) == []


def test_an_optional_migration_needs_its_version(empty_store: AlertStore, tmp_path: Path) -> None:
    (tmp_path / "0001_new.sql").write_text("-- requires: 99.1\nCREATE TABLE x (a UInt8) ENGINE = Log;\n")
    empty_store.migrate()
    (step,) = migrations.report(empty_store, [m for m in migrations.load(tmp_path) if m.id == 1 and m.requires])
    assert step.status in ("not_for_this_version", "changed")


def test_a_day_out_of_reach_does_not_stop_an_insert(store: AlertStore) -> None:
    old = alert(9).model_copy(update={"since": date(1950, 1, 1)})
    store.insert_rows("alerts", [alert_row(old, old.model_dump_json())], "t")
    assert revisions(store, "00000009")[0].since == date(1950, 1, 1)


def numbers(rows: Sequence[tuple[object, ...]]) -> list[object]:
    """First column."""
    return [row[0] for row in rows]


def test_people_can_read_the_time(store: AlertStore) -> None:
    put(store, alert(1))
    assert numbers(store.query("SELECT toString(known_at) FROM alerts")) == ["2026-03-09 12:05:06"]
