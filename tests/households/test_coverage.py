"""Closed batches: only all parts close, in any order; staleness follows the cadence; floors are remembered."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.closings import Closed
from households.coverage import Coverage, due_month, month_name, month_number
from schemas.records import BatchPartBody
from tests.households.making import CITY, TOWN

FEED = "employment.contribution"
MAY = 2026 * 12 + 4


class Monthly:
    closes = "month"
    by_day = 20
    several = False


class Never:
    closes = None
    by_day = 0
    several = False


def part(
    q: int, batch: str = "b", period: str = "2026-05", areas: tuple[str, ...] = (CITY,), mode: str = "delta"
) -> BatchPartBody:
    return BatchPartBody(FEED, batch, q, 3, period, areas, mode, 10, 1_000)


def closed(*parts: BatchPartBody) -> Coverage:
    coverage = Coverage({FEED: Monthly()})
    for each in parts:
        coverage.add_part(each)
    return coverage


def test_a_batch_closes_with_its_last_part_and_only_once() -> None:
    coverage = Coverage()
    assert coverage.add_part(part(0)) is None
    assert coverage.add_part(part(0)) is None
    assert coverage.add_part(part(2)) is None
    assert coverage.add_part(part(1)) == Closed(FEED, "b", MAY, (CITY,), "delta", 1_000)
    assert [coverage.add_part(part(q)) for q in range(3)] == [None] * 3


def test_a_closed_month_holds_below_the_area_it_names_only() -> None:
    coverage = closed(*map(part, range(3)))
    assert coverage.closed(FEED, MAY, (TOWN, CITY))
    assert not coverage.closed(FEED, MAY - 1, (TOWN, CITY))
    assert not coverage.closed(FEED, MAY, ("330109000000",))
    assert closed(*(part(q, areas=()) for q in range(3))).closed(FEED, MAY, ())


@pytest.mark.parametrize(
    ("on", "stale"), [(date(2026, 6, 21), False), (date(2026, 7, 20), False), (date(2026, 7, 21), True)]
)
def test_a_feed_is_stale_when_a_month_is_overdue(on: date, stale: bool) -> None:
    coverage = closed(*map(part, range(3)))
    assert coverage.stale(FEED, (TOWN, CITY), on) is stale
    assert coverage.missing((FEED, "civil.benefit"), (TOWN, CITY), on) == (((FEED, "2026-05"),) if stale else ())


def test_a_feed_that_never_closed_anything_is_stale_unless_it_never_has_to() -> None:
    assert Coverage({FEED: Monthly()}).missing((FEED,), (CITY,), date(2026, 6, 1)) == ((FEED, None),)
    assert not Coverage().stale(FEED, (CITY,), date(2026, 6, 1), Never())


def test_an_answer_kept_is_forgotten_when_a_batch_closes() -> None:
    coverage = Coverage({FEED: Monthly()})
    assert coverage.missing((FEED,), (CITY,), date(2026, 6, 21))
    for q in range(3):
        coverage.add_part(part(q))
    assert coverage.missing((FEED,), (CITY,), date(2026, 6, 21)) == ()


def test_whole_replacements_leave_a_floor() -> None:
    coverage = closed(*(part(q, mode="replace_period") for q in range(3)))
    assert coverage.spoken(FEED, CITY)[""].replaced == {MAY: 1_000}
    assert coverage.spoken(FEED, TOWN) == {}
    coverage.chain = lambda area, day: (area, CITY)
    coverage.forget()
    assert coverage.spoken(FEED, TOWN)[""].replaced == {MAY: 1_000}


@given(
    order=st.permutations(
        [part(q, batch, period) for q in range(3) for batch, period in (("b", "2026-05"), ("c", "2026-04"))]
    )
)
def test_order_and_bytes_do_not_matter(order: list[BatchPartBody]) -> None:
    straight = closed(*sorted(order, key=lambda each: (each.batchid, each.q)))
    mixed = closed(*order[:3])
    again = Coverage.decode(mixed.encode(), {FEED: Monthly()})
    for each in order[3:] + order:
        again.add_part(each)
    assert again.canonical() == straight.canonical()


def test_months_have_names() -> None:
    assert month_name(month_number("2026-12")) == "2026-12"
    assert due_month(date(2026, 1, 21), 20) == month_number("2025-12")
