"""`lidm feed hold`: what waits is listed with how much is missing; a decision goes to every partition."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lidm import control_records
from lidm.commands.feed_hold import hold
from schemas.errors import CallError, DataError
from schemas.feed_reports import HoldReport, encode_report
from schemas.records import BatchVerdictBody, BatchVerdictRecord, decode_block
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS
from sinks.embedded import EmbeddedStore
from sinks.holds import holds
from sinks.rows import placed
from sinks.store import AlertStore
from tests.gateway.outlet import Outlet
from tests.gateway.people import number

pytest.importorskip("chdb")
CERT, BENEFIT = "disability.certificate", "civil.benefit"


def report(state: str = "held", feed: str = CERT, batch: str = "b-1", **changes: Any) -> HoldReport:
    said = {"period": "2026-05", "areas": ("339901000000",), "mode": "full_snapshot", "rows": 8, "before": 20,
            "gone": 12, "hold_above": 200, "at_ms": 1_780_000_000_000, "source": "南"}  # fmt: skip
    return HoldReport(state=state, feed=feed, batchid=batch, **{**said, **changes})


def archived(store: AlertStore, *reports: HoldReport) -> None:
    """As the archive puts them."""
    for offset, each in enumerate(reports):
        message: Any = SimpleNamespace(
            topic=FEED_REPORTS, partition=0, offset=offset, timestamp=1, value=encode_report(each), headers=(), key=b""
        )
        found = placed(message, "g")
        assert found is not None
        store.insert_rows(found.table, [found.row], f"{each.feed}{each.batchid}{each.state}{offset}")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One batch that waits, one refused, one of another feed under the same number."""
    for name in [name for name in os.environ if name.startswith("LIDM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LIDM_ACTOR", "王某")
    filled = EmbeddedStore(tmp_path / "store")
    filled.migrate()
    refused = report("refused", batch="b-2", actor="李某", reason="错月")
    archived(filled, report(), refused, report(batch="b-2"), report(feed=BENEFIT, mode="replace_period", gone=5))
    filled.close()
    return tmp_path


@pytest.fixture
def outlet(monkeypatch: pytest.MonkeyPatch) -> Outlet:
    sent = Outlet(3)

    @contextmanager
    def way(settings: object) -> Iterator[Outlet]:
        yield sent

    monkeypatch.setattr(control_records, "publisher_of", way)
    return sent


def run(*arguments: str) -> Result:
    return CliRunner().invoke(hold, arguments, catch_exceptions=False)


def test_what_waits_is_listed_with_how_much_is_missing(data_dir: Path) -> None:
    shown = run("list").output
    assert shown.count("待确认") == 2
    assert "60.0%" in shown
    assert "市残疾人联合会" in shown
    assert "整期替换" in shown
    found = json.loads(run("list", "--all", "--json").output)
    assert {(each["feed"], each["batchid"], each["state"]) for each in found} == {
        (CERT, "b-1", "held"), (CERT, "b-2", "refused"), (BENEFIT, "b-1", "held"),
    }  # fmt: skip
    assert run("list", "--feed", "vital.death").output == "没有待确认的批次\n"
    with pytest.raises(CallError, match="没有数据类"):
        run("list", "--feed", "x")


def test_a_decision_outlasts_the_word_that_it_waits_whichever_came_first(data_dir: Path) -> None:
    store = EmbeddedStore(data_dir / "store")
    assert [each.batchid for each in holds(store, CERT, state="held")] == ["b-1"]
    store.close()


@pytest.mark.parametrize(("command", "verdict"), [("release", "release"), ("refuse", "refuse")])
def test_a_decision_goes_to_every_partition(data_dir: Path, outlet: Outlet, command: str, verdict: str) -> None:
    assert "b-1" in run(command, "b-1", "--feed", CERT, "--reason", "已与残联核实").output
    assert [(each.topic, each.partition) for each in outlet.sent] == [(HOUSEHOLD_EVENTS, p) for p in range(3)]
    records = [record for each in outlet.sent for record in decode_block(each.value)]
    assert [each.body for each in records if isinstance(each, BatchVerdictRecord)] == [
        BatchVerdictBody(CERT, "b-1", verdict, "王某", "已与残联核实", "南", "2026-05")
    ] * 3


def test_nobody_decides_of_what_does_not_wait(data_dir: Path, outlet: Outlet) -> None:
    with pytest.raises(DataError, match="没有待确认的批次"):
        run("release", "b-9", "--reason", "核实")
    with pytest.raises(DataError, match="已拒绝"):
        run("release", "b-2", "--feed", CERT, "--reason", "核实")
    with pytest.raises(CallError, match="--feed"):
        run("release", "b-1", "--reason", "核实")
    assert outlet.sent == []


def test_a_reason_is_asked_for_and_names_nobody(data_dir: Path, outlet: Outlet) -> None:
    assert run("release", "b-1", "--feed", CERT).exit_code == 2
    for reason in (" ", f"核实{number(1)}"):
        with pytest.raises(CallError, match=r"须写明理由|证件号码"):
            run("release", "b-1", "--feed", CERT, "--reason", reason)
    assert outlet.sent == []


def test_batches_of_one_number_are_told_apart_by_source_and_month(data_dir: Path, outlet: Outlet) -> None:
    store = EmbeddedStore(data_dir / "store")
    archived(store, report(source="北"), report(period="2026-04"))
    assert [(each.source, each.period) for each in holds(store, CERT) if each.batchid == "b-1"] == [
        ("南", "2026-04"), ("北", "2026-05"), ("南", "2026-05"),
    ]  # fmt: skip
    store.close()
    with pytest.raises(CallError, match="--source"):
        run("release", "b-1", "--feed", CERT, "--reason", "已与残联核实")
    run("release", "b-1", "--feed", CERT, "--source", "南", "--period", "2026-04", "--reason", "已与残联核实")
    bodies = {each.body for sent in outlet.sent for each in decode_block(sent.value) if hasattr(each.body, "verdict")}
    assert bodies == {BatchVerdictBody(CERT, "b-1", "release", "王某", "已与残联核实", "南", "2026-04")}
