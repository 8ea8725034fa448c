"""A rule of the review family cannot look at nationality, ethnicity or where a household registration comes from."""

from collections.abc import Iterator
from datetime import date
from operator import attrgetter
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.findings import Findings
from detectors.protected import ProtectedAttribute, forbidden_in
from detectors.registry import DETECTORS, Detector, Evaluate, Family, detector, load_detectors
from households.ledger import Household
from policy.parameters import Policy
from schemas.facts import AnyFact, Membership
from schemas.facts_standing import FamilyChange
from schemas.records import FactBody
from tests.detectors.test_laws import FACTS, HOUSEHOLD, PEOPLE, evaluate, evenings, head, households, ledger

REVIEWS = sorted(code for code, each in load_detectors().items() if each.family is Family.REVIEW)
Rolls = tuple[list[tuple[int, int | None, int | None]], int]


def home_of(household: Household) -> str:
    return household.declared.hukou_area if household.declared is not None else ""


home_of.__module__ = "detectors.helper"


def direct(household: Household, on: date, policy: Policy) -> Findings:
    declared = household.declared_on(on)
    return Findings() if declared is None or declared.hukou_area[:2] == "33" else Findings(recheck_on=on)


def through_a_helper(household: Household, on: date, policy: Policy) -> Findings:
    return Findings(recheck_on=on if home_of(household) else None)


def inside_a_lambda(household: Household, on: date, policy: Policy) -> Findings:
    far = [each for each in household.of_kind(FamilyChange) if (lambda change: change.from_area)(each)]
    return Findings(recheck_on=on if far else None)


def by_a_name_in_a_text(household: Household, on: date, policy: Policy) -> Findings:
    return Findings(recheck_on=on if getattr(household.declared, "hukou_area", "") else None)


def by_a_hidden_name(household: Household, on: date, policy: Policy) -> Findings:
    return Findings(recheck_on=on if attrgetter("hu" + "kou_area")(household.declared) else None)


def by_place_in_the_record(household: Household, on: date, policy: Policy) -> Findings:
    return Findings(recheck_on=on if household.declared and msgspec.structs.astuple(household.declared)[0] else None)


def by_a_parameter(household: Household, on: date, policy: Policy) -> Findings:
    return Findings(recheck_on=on if policy.rule("x", "y").number("ethnicity_weight") else None)


def in_a_sentence(household: Household, on: date, policy: Policy) -> Findings:
    return Findings() if f"{household.id}外地户籍" else Findings(recheck_on=on)


@pytest.fixture
def unregistered() -> Iterator[None]:
    yield
    cast(dict[str, Detector], DETECTORS).pop("X-REVIEW", None)


def register(function: Evaluate, family: Family = Family.REVIEW, feed: str = "civil.household") -> None:
    detector(code="X-REVIEW", version="1", family=family, listens=(feed,), rule="x")(function)


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (direct, "hukou_area"),
        (through_a_helper, "hukou_area"),
        (inside_a_lambda, "from_area"),
        (by_a_name_in_a_text, "hukou_area"),
        (by_a_hidden_name, "attrgetter"),
        (by_place_in_the_record, "astuple"),
        (by_a_parameter, "ethnicity_weight"),
        (in_a_sentence, "户籍"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.usefixtures("unregistered")
def test_a_review_that_looks_at_origin_is_refused(function: Evaluate, named: str) -> None:
    with pytest.raises(ProtectedAttribute, match=named):
        register(function)
    assert "X-REVIEW" not in DETECTORS


@pytest.mark.usefixtures("unregistered")
def test_a_review_must_not_listen_to_where_registrations_move() -> None:
    with pytest.raises(ProtectedAttribute, match=r"household\.change"):
        register(lambda household, on, policy: Findings(), feed="household.change")


@pytest.mark.usefixtures("unregistered")
def test_other_families_may_know_where_somebody_is_registered() -> None:
    register(direct, Family.RISK)
    assert "X-REVIEW" in DETECTORS


@pytest.mark.usefixtures("unregistered")
def test_a_helper_seen_only_later_is_refused_at_load(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = home_of
    monkeypatch.delitem(globals(), "home_of")
    register(through_a_helper)
    monkeypatch.setitem(globals(), "home_of", seen)
    with pytest.raises(ProtectedAttribute, match="hukou_area"):
        load_detectors()


def test_every_review_there_is_passes_and_is_looked_into() -> None:
    assert {"ASSET-CHANGE", "DEATH-ON-BENEFIT", "DUPLICATE-CONFLICT"} <= set(REVIEWS)
    assert [forbidden_in(DETECTORS[code].evaluate) for code in REVIEWS] == [[] for _ in REVIEWS]


def elsewhere(household: Household, changes: list[tuple[str, AnyFact]], area: str) -> Household:
    """The same household, registered somewhere else and having moved there."""
    for member in list(household.head.members):
        if member.declared is not None:
            declared = msgspec.structs.replace(member.declared, hukou_area=area)
            again: Membership = msgspec.structs.replace(member, declared=declared, sequence=member.sequence + 1)
            household.fold(FactBody(member.person, again))
    for person, change in changes:
        household.fold(FactBody(person, change))
    return household


def moved(person: str, day: int, area: str) -> FamilyChange:
    return FamilyChange(*head(f"HB{day}|{person}", (0, False), day), "MOVE_IN", None, None, area, area)


areas = st.sampled_from(["110000000000", "339901001000", "540102000000", "653101000000"])
when = st.dates(date(2024, 1, 1), date(2026, 1, 1)).map(date.toordinal)
change = st.sampled_from(PEOPLE).flatmap(
    lambda person: st.tuples(st.just(person), st.builds(moved, st.just(person), when, areas))
)
changes = st.lists(change, max_size=3)


@pytest.mark.parametrize("code", REVIEWS)
def test_where_somebody_is_registered_changes_no_review(code: str) -> None:
    made = load_detectors()[code]

    @settings(max_examples=40, deadline=None)
    @given(households, st.lists(FACTS[code], min_size=3, max_size=12), evenings, changes, areas)
    def holds(rolls: Rolls, facts: list[tuple[str, AnyFact]], on: date, moves: Any, area: str) -> None:
        here, there = ledger(rolls, facts), elsewhere(ledger(rolls, facts), moves, area)
        assert there.id == HOUSEHOLD
        assert evaluate(made, here, on) == evaluate(made, there, on)

    holds()
