"""Latency beside garbage without a broker: which alerts count, in which window, and that garbage is all garbage."""

from datetime import datetime

import pytest

from load_tests.bench.bills import plan
from load_tests.bench.latency import Heard, causes
from load_tests.bench.neighbours import GARBAGE, Sizes, Window, garbage, shuffled, told
from schemas.calendar import SHANGHAI
from schemas.envelope import Problem
from schemas.errors import DataError
from schemas.feed import FEEDS
from streams.ticks import now_ms

WINDOWS = [Window("alone", 0, 100), Window("garbage", 200, 300), Window("garbage", 400, 500), Window("alone", 600, 700)]


def heard(took: dict[int, int]) -> tuple[Heard, dict[str, int]]:
    """One household for every bill: when the bill was appended, and how long its alert took."""
    bills = dict(enumerate(took))
    alerts = {f"h{number}": at + took[at] for number, at in bills.items()}
    return Heard(bills, alerts), {f"h{number}": number for number in bills}


def test_an_alert_counts_in_the_window_of_its_bill() -> None:
    found, caused = heard({10: 50, 99: 60, 150: 9_000, 210: 500, 299: 66, 420: 60, 650: 50, 700: 8_000})
    figures = told(found, caused, WINDOWS)
    assert figures["alerts"] == {"alone": 3, "garbage": 3}
    assert figures["p95_ms"] == {"alone": 60, "garbage": 500}
    assert figures["ratio"] == pytest.approx(8.333)
    assert figures["ratio_by_round"] == [pytest.approx(8.333), 1.2]
    assert figures["spread_alone"] == 1.2


def test_other_alerts_than_planned_are_no_measurement() -> None:
    found, caused = heard({10: 50, 210: 50, 420: 50, 650: 50})
    with pytest.raises(DataError, match="不同：1 户"):
        told(found, {**caused, "h9": 3}, WINDOWS)


def test_nothing_of_the_garbage_can_be_taken() -> None:
    decode, known_at_ms = FEEDS[GARBAGE].decode, now_ms()
    sent = list(garbage(1, 400))
    outcomes = [outcome for _, _, value in sent for outcome in decode(value, known_at_ms)]
    assert len(outcomes) == len(sent)
    assert all(isinstance(outcome, Problem) for outcome in outcomes)
    assert {"NOT_JSON", "WRONG_TYPE", "UNKNOWN_FIELD"} <= {each.code for each in outcomes if isinstance(each, Problem)}


def test_lines_are_passed_at_any_time_of_a_run() -> None:
    bench = shuffled(plan(20_000, 2_000, today=datetime.now(SHANGHAI).date()))
    place = {number: at for at, number in reversed(list(enumerate(bench.bills[at].number for at in bench.order)))}
    thirds = [3 * place[number] // len(bench.order) for number in causes(bench).values()]
    assert min(thirds.count(third) for third in range(3)) > len(thirds) / 6


def test_there_are_bills_for_every_window() -> None:
    assert Sizes(2, 5.0, 100, 100).bills > 2 * 2 * 5 * 100
