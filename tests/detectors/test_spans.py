"""Stretches of days, and the cheap question of the rules that stand on them."""

from datetime import date
from pathlib import Path

import policy
from detectors.registry import load_detectors
from detectors.spans import Span, ends, holding, next_edge, unbroken_since
from households.coverage import Coverage
from households.ledger import Household
from households.pages import Pages
from policy.bundle import Bundle
from schemas.facts import Declared, Membership
from schemas.facts_living import UtilityBill, UtilityUse
from schemas.records import FactBody

CITY = "339901000000"
HOME, PERSON = "h_" + "0" * 32, "p_" + "1" * 32
ON = date(2025, 6, 20)
BUNDLE = Bundle.load(Path(policy.__file__).parent)


def two(items: list[str]) -> bool:
    return len(items) > 1


def test_a_span_counts_on_its_first_day_and_not_on_the_day_after_its_last() -> None:
    spans = [Span(10, 20, "a"), Span(20, 30, "b")]
    assert [holding(spans, day) for day in (9, 10, 19, 20, 29, 30)] == [[], ["a"], ["a"], ["b"], ["b"], []]


def test_a_stretch_begins_again_after_a_day_without_enough() -> None:
    spans = [Span(10, 20, "a"), Span(12, 18, "b"), Span(18, 40, "c"), Span(25, 30, "d")]
    assert unbroken_since(spans, 19, two) == 12  # c takes over from b on the day b ends
    assert unbroken_since(spans, 22, two) is None
    assert unbroken_since(spans, 26, two) == 25
    assert unbroken_since(spans, 11, two) is None


def test_the_next_edge_is_the_first_day_something_differs() -> None:
    spans = [Span(10, 20, "a"), Span(15, 40, "b")]
    days = [next_edge(ends(spans), day) for day in (5, 10, 15, 20, 40)]
    assert [day.toordinal() if day else None for day in days] == [10, 15, 20, 40, None]


def told(*facts: UtilityBill | UtilityUse) -> Household:
    household = Household(HOME, coverage=Coverage())
    since = date(2020, 1, 1).toordinal()
    declared = Declared(CITY, CITY, CITY, CITY, None, "", "")
    who = Membership("m", 0, 0, "m", "测试", False, since, HOME, PERSON, "HEAD", None, since, (), declared)
    household.fold(FactBody(PERSON, who))
    for fact in facts:
        household.fold(FactBody(PERSON, fact))
    return household


def bill(month: int, paid: int, recorded: int = 0) -> UtilityBill:
    day = date(2025, month, 1).toordinal()
    key = f"ELECTRICITY|H1|2025-{month:02d}"
    return UtilityBill(
        key, recorded, 0, f"{key}/{recorded}", "供电", False, day, "ELECTRICITY", "H1", 9000, paid, day + 49, None, True
    )


def reading(as_of: int) -> UtilityUse:
    day = date(2025, 6, 1).toordinal()
    return UtilityUse("use", as_of, 0, f"use/{as_of}", "供电", False, day, "ELECTRICITY", "M1", as_of, day + as_of)


def silent(household: Household) -> bool:
    quiet = load_detectors()["UTILITY-ARREARS"].quiet
    assert quiet is not None
    return quiet(ON, BUNDLE.on(ON), CITY)(household)


def test_readings_of_every_day_are_no_question_to_a_household_that_owes_nothing() -> None:
    household = told(bill(3, 9000), bill(4, 9000))
    for day in range(5):
        household.fold(FactBody(PERSON, reading(day)))
        assert silent(household)


def test_a_bill_opened_or_settled_by_a_correction_is_seen_at_once() -> None:
    household = told(bill(3, 9000))
    assert silent(household)
    household.fold(FactBody(PERSON, bill(3, 100, recorded=1)))
    assert not silent(household)
    household.fold(FactBody(PERSON, bill(3, 9000, recorded=2)))
    assert silent(household)


def test_a_household_back_from_its_bytes_answers_alike() -> None:
    for paid in (0, 9000):
        household = told(bill(3, paid))
        back = Household(HOME, household.head, Pages(dict(household.pages.raw)), household.coverage)
        assert silent(back) == silent(household) == (paid == 9000)
