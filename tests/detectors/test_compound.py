"""COMPOUND asks other rules and nothing else: not what was said before, not reviews, not what cannot run."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.episodes import step
from detectors.findings import Findings
from detectors.needs import SOURCES, ask
from detectors.registry import DETECTORS, Detector, Evaluate, Family, detector, load_detectors
from households.horizon import next_change
from households.ledger import Household
from policy.needs import NEEDS, RULES, dimensions_of
from policy.parameters import Policy, PolicyMissing, Rule
from schemas.facts import AnyFact, Membership
from schemas.records import FactBody
from tests.detectors.hardship_facts import certificate, incident
from tests.detectors.test_laws import CITY, FACTS, PEOPLE, WIDE, evaluate, evenings, households, ledger, standing

Rolls = tuple[list[tuple[int, int | None, int | None]], int]
COMPOUND = load_detectors()["COMPOUND"]
BORN = date(1980, 7, 1).toordinal()
ROLLS: Rolls = ([(BORN, None, None)] * 3, 0)
FIRE = incident(1, PEOPLE[0], date(2025, 9, 1).toordinal(), "NONE", "UNFIT", 0, "NONE", (0, False))
SEVERE = certificate(PEOPLE[1], "PHYSICAL", date(2025, 9, 20).toordinal(), 2, (None, None), "NEW", (0, False))
FACTS_OF_TWO: list[tuple[str, AnyFact]] = [(PEOPLE[0], FIRE), (PEOPLE[1], SEVERE)]
ON = date(2025, 10, 1)


class Without:
    """A policy in which some parameters were never published."""

    def __init__(self, policy: Policy, *names: str) -> None:
        self._policy, self._names = policy, names

    def __getattr__(self, name: str) -> object:
        return getattr(self._policy, name)

    def rule(self, name: str, area: str) -> Rule:
        if name in self._names:
            raise PolicyMissing(name, area, self._policy.day)
        return self._policy.rule(name, area)

    known, standard = Policy.known, Policy.standard


def undeclared() -> Household:
    """The same people and facts, decided on by nobody."""
    household = ledger(ROLLS, FACTS_OF_TWO)
    for member in list(household.head.members):
        if member.declared is not None:
            again: Membership = msgspec.structs.replace(member, declared=None, sequence=member.sequence + 1)
            household.fold(FactBody(member.person, again))
    return household


def test_it_reads_every_rule_of_risk_and_no_other() -> None:
    risk = {code for code, each in load_detectors().items() if each.family is Family.RISK}
    assert set(COMPOUND.reads) == set(SOURCES) == risk - {"COMPOUND"} == RULES


def test_it_is_asked_whenever_one_of_them_is() -> None:
    for each in SOURCES.values():
        assert each.listens <= COMPOUND.listens
        assert each.absence <= COMPOUND.absence
        assert {*each.parameters, *each.optional} <= {*COMPOUND.parameters, *COMPOUND.optional}


def test_only_a_declared_household_is_meant() -> None:
    assert [each.measure for each in evaluate(COMPOUND, ledger(ROLLS, FACTS_OF_TWO), ON).breaches] == [2]
    assert evaluate(COMPOUND, undeclared(), ON) == Findings()


def test_a_rule_without_parameters_is_not_asked() -> None:
    household = ledger(ROLLS, FACTS_OF_TWO)
    without = cast(Policy, Without(WIDE.on(ON), "new_disability"))
    assert COMPOUND.evaluate(household, ON, without).breaches == []
    dimensions = WIDE.on(ON).rule(NEEDS, CITY).read(dimensions_of)
    unasked = [each.source.code for each in ask(household, ON, without, dimensions) if each.findings is None]
    assert unasked == ["NEW-DISABILITY"]


def test_values_that_changed_bring_the_beginning_forward_never_back() -> None:
    """`since` goes back only as far as every value read has been what it is today."""
    day = date(2025, 9, 25)
    changed: Any = WIDE.plain()
    values = changed["rules"][CITY]["member_death"]["values"]
    values.append({**values[0], "since": day.isoformat()})
    values[0]["until"] = day.isoformat()
    bundle = type(WIDE)(changed)
    household = ledger(ROLLS, FACTS_OF_TWO)
    (before,) = evaluate(COMPOUND, household, ON).breaches
    (after,) = COMPOUND.evaluate(household, ON, bundle.on(ON)).breaches
    assert (before.since, after.since) == (date(2025, 9, 20), day)


@settings(max_examples=25, deadline=None)
@given(households, st.lists(FACTS["COMPOUND"], min_size=4, max_size=12), evenings, st.randoms(use_true_random=False))
def test_what_others_said_before_changes_nothing(
    rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date, random: Random
) -> None:
    """Episodes of the rules it reads, opened in any order or not at all, are not looked at."""
    fresh, told = ledger(rolls, facts), ledger(rolls, facts)
    codes = sorted(SOURCES)
    random.shuffle(codes)
    for code in codes:
        found = evaluate(SOURCES[code], told, on)
        source, again = SOURCES[code], partial(evaluate, SOURCES[code], told)
        step(told, source, found, on=on, policy=WIDE.on(on), live=True, known_at=0, evaluate_at=again)
    assert evaluate(COMPOUND, told, on) == evaluate(COMPOUND, fresh, on)


@settings(max_examples=12, deadline=None)
@given(households, st.lists(FACTS["COMPOUND"], min_size=6, max_size=12), evenings)
def test_looking_every_day_is_looking_when_asked_to(rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date) -> None:
    """A hundred evenings in a row, and only those on which it asked to look again, open the same breaches."""
    household = ledger(rolls, facts)
    daily = [standing(evaluate(COMPOUND, household, on + timedelta(days=n))) for n in range(100)]
    asked, seen, due = [], standing(evaluate(COMPOUND, household, on)), on
    for n in range(100):
        day = on + timedelta(days=n)
        if day >= due:
            findings = evaluate(COMPOUND, household, day)
            seen = standing(findings)
            known = next_change(household, day.toordinal())
            again = [findings.recheck_on, date.fromordinal(known) if known else None, day + timedelta(days=1000)]
            due = min(each for each in again if each is not None)
        asked.append(seen)
    assert asked == daily


@pytest.fixture
def unregistered() -> Iterator[None]:
    yield
    cast(dict[str, Detector], DETECTORS).pop("X-READS", None)


def nothing(household: Household, on: date, policy: Policy) -> Findings:
    return Findings()


@pytest.mark.usefixtures("unregistered")
@pytest.mark.parametrize("code", ["ASSET-CHANGE", "FEED-HEALTH", "COMPOUND"])
def test_reviews_data_and_rules_over_rules_are_not_for_reading(code: str) -> None:
    with pytest.raises(ValueError, match=f"must not read {code}"):
        reading(DETECTORS[code].evaluate)
    assert "X-READS" not in DETECTORS


@pytest.mark.usefixtures("unregistered")
def test_what_is_no_rule_is_not_for_reading() -> None:
    with pytest.raises(ValueError, match="no detectors: nothing"):
        reading(nothing)


def reading(other: Evaluate) -> None:
    detector(code="X-READS", version="1", family=Family.RISK, listens=("civil.household",), rule="x", reads=(other,))(
        nothing
    )
