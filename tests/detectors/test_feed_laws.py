"""Laws of the rules about feeds on report cards drawn at random: their own since, days to look again, any order."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy
from detectors.findings import Findings
from detectors.registry import Detector, load_detectors
from households.horizon import next_change
from households.ledger import Household
from policy.bundle import Bundle
from schemas.feed_declaration import declared_unit
from schemas.feeds.report_cards import FeedDay, FeedPeriod
from schemas.records import FactBody

CITY = "339901000000"
UNIT = "f_housing.security"
BUNDLE = Bundle.load(Path(policy.__file__).parent)
CODES = sorted(code for code, each in load_detectors().items() if each.about == "feed")
FIRST = date(2025, 1, 6).toordinal()
Facts = list[FeedDay | FeedPeriod]


def told(day: int, every: str, draw: tuple[int, int, int, int]) -> FeedDay:
    rows, flaws, size, away = draw
    when = date.fromordinal(day)
    head = (when.isoformat(), rows * 1000 + flaws * 100 + size * 10 + away, 0, f"{draw}", "测试", False, day)
    said = (("checksum", flaws * 3), ("excel", flaws))
    amounts = (("amount", ((18, 20 + size), (18 + 14 * (away == 3), 4 * away + 1))),)
    full = rows * 40
    return FeedDay(*head, "housing.security", "某局", every, when.weekday() < 5, full, full, said, amounts)


def month(index: int, rows: int, late: int | None) -> FeedPeriod:
    when = date(2025 + index // 12, index % 12 + 1, 1)
    due = when.toordinal() + 40
    closed = None if late is None else due - 10 + late
    head = (f"{when:%Y-%m}", rows * 100 + (late or 0), 0, f"{rows}|{late}", "测试", False, when.toordinal())
    return FeedPeriod(*head, "housing.security", "某局", rows * 50, due, closed)


@st.composite
def stories(draw: st.DrawFn) -> Facts:
    """Cards of some months, with silent stretches, bad days and months that close late or never."""
    every = draw(st.sampled_from(["day", "week", "month"]))
    figures = st.tuples(
        st.sampled_from([0, 3, 4, 4, 4, 9]), st.sampled_from([0, 0, 0, 1, 6]), st.integers(0, 9), st.integers(0, 3)
    )
    length, gap = draw(st.integers(20, 110)), draw(st.integers(0, 60))
    quiet = range(length, length + gap)
    facts: Facts = [told(FIRST + n, every, (0, 0, 0, 0) if n in quiet else draw(figures)) for n in range(length + gap)]
    late = st.none() | st.integers(0, 60)
    facts += [month(n, draw(st.sampled_from([2, 4, 4, 4, 10])), draw(late)) for n in range(draw(st.integers(0, 9)))]
    return facts


def unit(facts: Sequence[FeedDay | FeedPeriod]) -> Household:
    household = Household(UNIT)
    household.fold(declared_unit(UNIT, CITY, 0))
    for fact in facts:
        household.fold(FactBody(UNIT, fact))
    return household


def evaluate(detector: Detector, household: Household, on: date) -> Findings:
    return detector.evaluate(household, on, BUNDLE.on(on))


def standing(findings: Findings) -> set[tuple[str, date, int]]:
    return {(each.cause, each.since, each.severity) for each in findings.breaches}


evenings = st.integers(FIRST + 10, FIRST + 200).map(date.fromordinal)


@pytest.mark.parametrize("code", CODES)
def test_a_breach_also_holds_on_its_own_since(code: str) -> None:
    detector, seen = load_detectors()[code], set[str]()

    @settings(max_examples=60, deadline=None)
    @given(stories(), evenings)
    def holds(facts: Facts, on: date) -> None:
        household = unit(facts)
        for breach in evaluate(detector, household, on).breaches:
            seen.add(breach.cause)
            assert breach.since <= on
            then = evaluate(detector, household, breach.since)
            assert breach.cause in {each.cause for each in then.breaches}, (breach.cause, breach.since, on)

    holds()
    assert seen, "the cards drawn say nothing about this law"


@pytest.mark.parametrize("code", CODES)
def test_nothing_changes_before_the_day_to_look_again_and_order_is_nothing(code: str) -> None:
    detector = load_detectors()[code]

    @settings(max_examples=25, deadline=None)
    @given(stories(), evenings, st.randoms(use_true_random=False))
    def holds(facts: Facts, on: date, random: Any) -> None:
        household, other = unit(facts), list(facts)
        findings = evaluate(detector, household, on)
        random.shuffle(other)
        assert evaluate(detector, unit(other), on).breaches == findings.breaches
        known = next_change(household, on.toordinal())
        again = [findings.recheck_on, date.fromordinal(known) if known else None, on + timedelta(days=120)]
        last = min(day for day in again if day is not None)
        day = on + timedelta(days=1)
        while day < last:
            assert standing(evaluate(detector, household, day)) == standing(findings), (on, day, last)
            day += timedelta(days=3)

    holds()


def test_a_feed_that_never_spoke_says_nothing() -> None:
    for code in CODES:
        assert evaluate(load_detectors()[code], unit([]), date(2026, 1, 1)).breaches == []
