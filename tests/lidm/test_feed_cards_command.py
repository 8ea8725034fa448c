"""`lidm feed cards` and `lidm feed report --day` on a store that an embedded run left behind."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from lidm import feed_cards
from lidm.commands.feed import command
from schemas.feed_reports import encode_report
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS
from sinks.embedded import EmbeddedStore
from tests.gateway.outlet import Outlet
from tests.sinks.test_feed_cards import receipt
from tests.sinks.test_feedcard import KIND, Intake, month_of_data


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    store = EmbeddedStore(tmp_path / "store")
    try:
        store.migrate()
        intake = Intake(store)
        month_of_data(intake)
        intake.put(encode_report(receipt("某镇", 200, {"excel": 150})))
    finally:
        store.close()
    return tmp_path


@pytest.fixture
def outlet(monkeypatch: pytest.MonkeyPatch) -> Outlet:
    made = Outlet()

    @contextmanager
    def way(_: object) -> Iterator[Outlet]:
        yield made

    monkeypatch.setattr(feed_cards, "publisher_of", way)
    return made


def lidm(folder: Path, *words: str, **settings: str) -> Result:
    said = {"LIDM_DATA_DIR": str(folder), "LIDM_STORE": "embedded", "LIDM_AREA": "339901000000", **settings}
    return CliRunner().invoke(command, list(words), env=said)


def test_cards_are_made_and_sent_and_a_day_is_shown(left_behind: Path, outlet: Outlet) -> None:
    done = lidm(left_behind, "cards", "--at", "2026-05-20T09:00:00", "--json")
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert {(c["feed"], c["span"], c["period"]) for c in made} >= {
        (KIND, "day", "2026-05-18"),
        (KIND, "day", "2026-05-20"),
        (KIND, "month", "2026-05"),
    }
    assert {each.topic for each in outlet.sent} == {HOUSEHOLD_EVENTS, FEED_REPORTS}
    assert sum(each.topic == FEED_REPORTS for each in outlet.sent) == len(made)

    shown = lidm(left_behind, "report", "--day", "2026-05-18", "--out", str(left_behind / "out"))
    assert shown.exit_code == 0, shown.output
    assert "有数据" in shown.output
    page = (left_behind / "out" / f"{KIND}-2026-05-18.html").read_text(encoding="utf-8")
    assert "某镇" in page and "被表格软件损坏" in page
    assert KIND in load_workbook(left_behind / "out" / "report-2026-05-18.xlsx").sheetnames


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("report",), "其中之一"),
        (("report", "--month", "2026-05", "--day", "2026-05-18"), "其中之一"),
        (("report", "--month", "2026-13"), "YYYY-MM"),
        (("cards",), "--at"),
    ],
)
def test_a_wrong_call_says_why(tmp_path: Path, outlet: Outlet, words: tuple[str, ...], why: str) -> None:
    done = lidm(tmp_path, *words, LIDM_CLOCK="driven")
    assert done.exit_code != 0
    assert why in f"{done.output}{done.exception}"
    assert not outlet.sent
