"""Rules that read what is missing, where files are complete only so far: both laws hold, short cuts change nothing."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.entitlement import package_gap
from detectors.registry import load_detectors
from households.coverage import Coverage
from households.horizon import next_change
from households.ledger import Household
from households.queries import EVER
from schemas.facts import AnyFact, month_of
from schemas.records import BatchPartBody
from tests.detectors.test_laws import FACTS, evaluate, evenings, households, ledger, standing

Rolls = tuple[list[tuple[int, int | None, int | None]], int]
READS_SILENCE = ("DISAB-SUBSIDY-GAP", "INSURANCE-GAP", "PACKAGE-GAP")
FIRST = month_of(date(2024, 6, 1).toordinal())
closings = st.dictionaries(
    st.sampled_from(["civil.benefit", "medical.enrolment", "housing.security", "education.aid"]),
    st.tuples(st.integers(0, 24), st.integers(0, 24)),
)


def complete_so_far(rolls: Rolls, facts: list[tuple[str, AnyFact]], closed: dict[str, tuple[int, int]]) -> Household:
    """A household whose files are complete from one month to another, each feed its own."""
    household, coverage = ledger(rolls, facts), Coverage()
    for feed, (one, other) in closed.items():
        for month in range(FIRST + min(one, other), FIRST + max(one, other) + 1):
            period = f"{month // 12}-{month % 12 + 1:02d}"
            coverage.add_part(BatchPartBody(feed, period, 0, 1, period, (), "delta", 0, 0))
    household.coverage = coverage
    return household


@pytest.mark.parametrize("code", READS_SILENCE)
def test_both_laws_hold_however_far_files_reach(code: str) -> None:
    made = load_detectors()[code]

    @settings(max_examples=60, deadline=None)
    @given(households, st.lists(FACTS[code], min_size=3, max_size=12), evenings, closings)
    def holds(rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date, closed: dict[str, tuple[int, int]]) -> None:
        household = complete_so_far(rolls, facts, closed)
        findings = evaluate(made, household, on)
        for breach in findings.breaches:
            assert breach.cause in {each.cause for each in evaluate(made, household, breach.since).breaches}
        known = next_change(household, on.toordinal())
        again = [findings.recheck_on, date.fromordinal(known) if known else None, on + timedelta(days=200)]
        last = min(day for day in again if day is not None)
        day = on + timedelta(days=1)
        while day < last:
            assert standing(evaluate(made, household, day)) == standing(findings), (on, day, last)
            day += timedelta(days=5)

    holds()


@settings(max_examples=120, deadline=None)
@given(households, st.lists(FACTS["PACKAGE-GAP"], min_size=3, max_size=12), evenings, closings)
def test_an_item_passed_over_quickly_is_not_missing(
    rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date, closed: dict[str, tuple[int, int]]
) -> None:
    made, household = load_detectors()["PACKAGE-GAP"], complete_so_far(rolls, facts, closed)
    quick = evaluate(made, household, on)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package_gap, "shown_until", lambda *asked: EVER)
        assert evaluate(made, household, on).breaches == quick.breaches


@pytest.mark.parametrize("code", READS_SILENCE)
def test_without_any_complete_file_nothing_is_missing(code: str) -> None:
    made = load_detectors()[code]

    @settings(max_examples=30, deadline=None)
    @given(households, st.lists(FACTS[code], min_size=3, max_size=12), evenings)
    def holds(rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date) -> None:
        assert evaluate(made, complete_so_far(rolls, facts, {}), on).breaches == []

    holds()
