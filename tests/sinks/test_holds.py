"""Batches that wait for a person: the report card says so, and a month they would close is not closed meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest

from lidm.feed_report import figures, html_of, index_of, tables, write_excel
from load_tests.chaos.events import SOURCE
from schemas.feed_reports import HoldReport, encode_report
from sinks.feedcard import card
from sinks.holds import holds
from sinks.store import AlertStore
from tests.sinks.test_feedcard import AT_MS, KIND, TODAY, Intake, month_of_data

AREA = ("339901000000",)


def hold(state: str, reason: str = "") -> HoldReport:
    return HoldReport(
        AT_MS, state, KIND, "b1", "2026-05", AREA, "replace_period", 40, 50, 15, 200, "王某", reason, SOURCE
    )


@pytest.mark.parametrize(
    ("told", "on_time"),
    [
        (["held"], "待确认"),
        (["held", "released"], "按时"),
        (["released", "held"], "按时"),
        (["held", "refused"], "未报"),
        ([], "按时"),
    ],
)
def test_what_waits_closes_nothing_until_it_is_released(
    store: AlertStore, tmp_path: Path, told: list[str], on_time: str
) -> None:
    intake = Intake(store)
    month_of_data(intake)
    for state in told:
        intake.put(encode_report(hold(state, "" if state == "held" else "已核实")))
    made = card(store, KIND, "2026-05", TODAY)
    assert made.on_time == on_time
    assert (made.closing.closed_on is None) == (on_time != "按时")
    final = next((state for state in told if state != "held"), told[0] if told else None)
    assert [each.state for each in holds(store)] == [final] * bool(told)
    assert [each["gone"] for each in made.as_json()["holds"]] == [15] * bool(told)
    shown = [rows for title, _, rows in tables(made) if title == "整批确认"]
    assert len(shown) == bool(told)
    assert dict(figures(made))["报送及时"].startswith(on_time)
    assert ("整批确认" in html_of(made)) == bool(told)
    assert on_time in index_of([made], "2026-05")
    write_excel([made], tmp_path / "x.xlsx")


def test_other_months_are_not_concerned(store: AlertStore) -> None:
    intake = Intake(store)
    month_of_data(intake)
    intake.put(encode_report(hold("held")))
    assert card(store, KIND, "2026-04", TODAY + timedelta(days=1)).holds == []
    assert holds(store, "vital.death") == []
    assert [each.batchid for each in holds(store, KIND, state="held")] == ["b1"]
