"""COMPOUND keeps what the rules it reads answered; no answer differs for that, whatever happens in between."""

import dataclasses
from collections.abc import Iterable
from datetime import date, timedelta
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.findings import Findings
from detectors.needs import SOURCES
from detectors.registry import Detector
from households.coverage import Coverage, month_name
from households.ledger import Household
from policy.parameters import Policy
from schemas.facts import AnyFact, Bill, month_of
from schemas.records import BatchPartBody, FactBody
from tests.detectors.test_compound import BORN, COMPOUND, FACTS_OF_TWO, ON, ROLLS, Rolls
from tests.detectors.test_laws import (
    FACTS,
    FIRST,
    HOUSEHOLD,
    LAST,
    PEOPLE,
    bill,
    days,
    evaluate,
    evenings,
    households,
    ledger,
    people,
    stay,
    yuan,
)

Told = tuple[str, AnyFact]
Closing = tuple[str, int]
Step = Told | Closing

months = st.integers(month_of(FIRST.toordinal()), month_of(LAST.toordinal()))
closings = st.tuples(st.sampled_from(sorted({feed for each in SOURCES.values() for feed in each.absence})), months)


def moved(person: str, status: int, until: int | None, income: int, sequence: int) -> Told:
    """Another record of a stay: another income, a scheme, an end."""
    known = stay(person, BORN, status, None if person == PEOPLE[0] else until, income)
    return person, replace(known, sequence=sequence)


moves = st.builds(moved, people, days, st.none() | days, yuan, st.integers(1, 9))
steps = st.lists(FACTS["COMPOUND"] | closings | moves, min_size=4, max_size=14)


def tell(household: Household, step: Step) -> None:
    """A fact, or a month of a feed that was delivered whole."""
    name, what = step
    if isinstance(what, int):
        period = month_name(what) or ""
        household.coverage.add_part(BatchPartBody(name, f"{period}/{name}", 0, 1, period, (), "delta", 0, 0))
    else:
        household.fold(FactBody(name, what))


def told(rolls: Rolls, so_far: Iterable[Step]) -> Household:
    """A household that heard all of it and was never asked."""
    household = Household(HOUSEHOLD, coverage=Coverage())
    for person, (born, status, _) in zip(PEOPLE, rolls[0], strict=True):
        household.fold(FactBody(person, stay(person, born, status, None, rolls[1])))
    for step in so_far:
        tell(household, step)
    return household


@settings(max_examples=60, deadline=None)
@given(households, steps, evenings, st.lists(st.integers(0, 40), min_size=14, max_size=14))
def test_a_kept_answer_is_what_a_fresh_ledger_says(
    rolls: Rolls, story: list[Step], on: date, pauses: list[int]
) -> None:
    household = told(rolls, ())
    for number, step in enumerate(story):
        evaluate(COMPOUND, household, on)
        tell(household, step)
        on += timedelta(days=pauses[number])
        assert evaluate(COMPOUND, household, on) == evaluate(COMPOUND, told(rolls, story[: number + 1]), on)


def test_only_rules_that_listen_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bill leaves the answers about certificates and rent alone."""
    asked: list[str] = []

    def noting(source: Detector) -> Detector:
        def evaluate_it(household: Household, on: date, policy: Policy) -> Findings:
            if on == ON:  # about earlier days it asks all of them
                asked.append(source.code)
            return source.evaluate(household, on, policy)

        return dataclasses.replace(source, evaluate=evaluate_it)

    for code, each in SOURCES.items():
        monkeypatch.setitem(cast(dict[str, Detector], SOURCES), code, noting(each))
    household = ledger(ROLLS, FACTS_OF_TWO)
    evaluate(COMPOUND, household, ON)
    assert {*asked} == {*SOURCES}
    asked.clear()
    evaluate(COMPOUND, household, ON)
    assert asked == []
    household.fold(FactBody(PEOPLE[0], bill(1, ON.toordinal(), 500_00, False, (0, False))))
    evaluate(COMPOUND, household, ON)
    listening = {code for code, each in SOURCES.items() if Bill.feed in each.listens | each.absence}
    assert {*asked} == listening < {*SOURCES}
