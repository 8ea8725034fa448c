"""预警处置率 and 核实留痕率: a click is no evidence, stock and wrong alarms stand apart."""

from datetime import date

import pytest

from sinks.kpi import Figures, figures, rolled_up
from sinks.store import AlertStore
from tests.sinks.samples import OTHER_TOWN, TOWN, alert, events
from tests.sinks.test_store import put


@pytest.fixture
def worked(store: AlertStore) -> AlertStore:
    """In TOWN: visited, clicked, untouched, withdrawn, stock visited, stock untouched; one elsewhere; one of April."""
    visited, clicked, untouched, wrong, stock, old_stock, later, april = (alert(n) for n in range(1, 9))
    put(
        store,
        visited,
        clicked,
        untouched,
        wrong,
        alert(4, 2, "withdrawn"),
        alert(5, baseline=True),
        alert(6, baseline=True),
        alert(7, area=OTHER_TOWN),
        alert(8, on=date(2026, 4, 1)),
        alert(8, 2, "updated", on=date(2026, 5, 1)),
        *events("case-visited", [visited], verified=2, closed=True),
        *events("case-clicked", [clicked], closed=True),
        *events("case-wrong", [wrong], verified=1),
        *events("case-stock", [stock], verified=1),
        *events("case-april", [april], verified=0),
    )
    put(store, visited, clicked, *events("case-visited", [visited], verified=2, closed=True), batch="again")
    assert old_stock.alert_id != later.alert_id
    return store


def test_each_alert_counts_once_in_its_month_and_area(worked: AlertStore) -> None:
    march, other, april = figures(worked)
    assert march == Figures("2026-03", TOWN, 3, 2, 1, baseline=2, baseline_handled=1, withdrawn=1)
    assert (march.handling_rate, march.evidence_rate) == (1 / 3, 1 / 2)
    assert other == Figures("2026-03", OTHER_TOWN, 1, 0, 0, 0, 0, 0)
    assert april == Figures("2026-04", TOWN, 1, 1, 0, 0, 0, 0)
    assert other.evidence_rate is None
    assert figures(worked, "2026-04", "2026-04") == [april]


def test_a_verification_before_the_alert_joined_does_not_handle_it(store: AlertStore) -> None:
    first, second = alert(1), alert(2)
    opened, verified = events("c", [first], verified=1)
    joined = events("c", [first, second])[1].model_copy(update={"seq": 3})
    put(store, first, second, opened, verified, joined)
    (row,) = figures(store)
    assert (row.raised, row.concluded, row.handled) == (2, 1, 1)


def test_alerts_about_data_are_no_households(store: AlertStore) -> None:
    about_data = alert(2).model_copy(update={"family": "quality", "household": "f_medical.settlement"})
    put(store, alert(1), about_data, *events("c", [about_data], verified=1))
    (row,) = figures(store)
    assert (row.raised, row.concluded, row.handled) == (1, 0, 0)


def test_areas_above_sum_those_below() -> None:
    rows = [Figures("2026-03", TOWN, 3, 2, 1, 2, 1, 1), Figures("2026-03", OTHER_TOWN, 1, 1, 1, 0, 0, 0)]
    total = {row.area: row for row in rolled_up(rows, lambda area: (area, "339901000000"))}
    assert total["339901000000"] == Figures("2026-03", "339901000000", 4, 3, 2, 2, 1, 1)
    assert total[TOWN] == rows[0]
