"""The chart draws what the alert carries: a running total where there is one, and nothing invented where not."""

import re
from datetime import date, timedelta

import pytest

from lidm.chart import HEIGHT, WIDTH, Series, series_of, svg
from schemas.alerts import Alert, Evidence
from tests.sinks.samples import alert as sample

FIRST = date(2026, 1, 5)


def alert(unit: str, measure: int, line: int, *inputs: tuple[int, int, str]) -> Alert:
    """An alert of this measure, resting on (day, value, feed)."""
    base = sample(1)
    evidence = [
        Evidence(key=f"k{n}", feed=feed, source="x", day=FIRST + timedelta(day), value=value)
        for n, (day, value, feed) in enumerate(inputs)
    ]
    threshold = base.threshold.model_copy(update={"value": line})
    return base.model_copy(update={"unit": unit, "measure": measure, "threshold": threshold, "evidence": evidence})


def test_bills_add_up_day_by_day() -> None:
    bills = ((9, 30_000, "medical.settlement"), (0, 10_000, "medical.settlement"), (9, 20_000, "medical.settlement"))
    series = series_of(alert("fen", 60_000, 50_000, *bills), [])
    assert series.shape == "total"
    assert series.points == ((FIRST, 10_000), (FIRST + timedelta(9), 60_000))


def test_periods_are_counted_and_other_inputs_beside_them_are_not() -> None:
    inputs = ((0, 42_000, "housing.security"), (30, 42_000, "housing.security"), (3, 1, "vital.death"))
    series = series_of(alert("periods", 2, 2, *inputs), [])
    assert (series.shape, [value for _, value in series.points]) == ("count", [1, 2])


def test_a_share_is_not_made_up_from_its_bills() -> None:
    said = alert("percent", 104, 60, (0, 30_000, "medical.settlement"))
    assert series_of(said, [said]).shape == "level"
    later = said.model_copy(update={"revision": 2, "on": said.on + timedelta(40), "measure": 120})
    unheard = later.model_copy(update={"revision": 3, "on": later.on + timedelta(9), "measure": 130})
    series = series_of(later, [said, later, unheard])
    assert (series.shape, [value for _, value in series.points]) == ("revisions", [104, 120])


def test_what_all_happened_on_the_day_itself_is_a_bar() -> None:
    said = alert("deaths", 1, 1, (0, 1, "vital.death")).model_copy(update={"on": FIRST})
    assert series_of(said, [said]) == Series("level", ((FIRST, 1),), 1, "deaths", FIRST)


def test_money_that_does_not_add_up_to_the_measure_is_no_total() -> None:
    said = alert("fen", 60_000, 50_000, (0, 10_000, "medical.settlement"))
    assert series_of(said, [said]).shape == "level"


@pytest.mark.parametrize("shape", ["total", "count", "revisions", "level"])
@pytest.mark.parametrize("values", [(1,), (5, 40, 41, 42, 43, 900), (700, -20)])
def test_everything_stays_on_the_paper(shape: str, values: tuple[int, ...]) -> None:
    points = tuple((FIRST + timedelta(3 * n), value) for n, value in enumerate(values))
    drawn = svg(Series(shape, points, 500, "fen", FIRST + timedelta(30)))  # type: ignore[arg-type]
    across = [float(each) for each in re.findall(r' (?:x|x1|x2|cx|width)="([-\d.]+)"', drawn)]
    down = [float(each) for each in re.findall(r' (?:y|y1|y2|cy)="([-\d.]+)"', drawn)]
    assert 0 <= min(across) <= max(across) <= WIDTH
    assert 0 <= min(down) <= max(down) <= HEIGHT
    assert "预警线" in drawn
    assert ">5元<" in drawn or "预警线 5元" in drawn


def test_the_line_lies_where_its_value_does() -> None:
    day = FIRST + timedelta(30)
    drawn = svg(Series("total", ((FIRST, 50_000), (day, 100_000)), 50_000, "fen", day))
    (limit,) = re.findall(r'class="limit" x1="[\d.]+" y1="([\d.]+)"', drawn)
    first, last = re.findall(r'class="dot" cx="[\d.]+" cy="([\d.]+)"', drawn)
    assert first == limit
    assert float(last) < float(limit)
