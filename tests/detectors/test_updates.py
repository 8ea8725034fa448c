"""What an alert rests on is in its evidence: when it changes somebody hears of it, when only days pass nobody does."""

from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

import policy
from detectors import episodes
from detectors.findings import Findings
from detectors.registry import load_detectors
from households.ledger import Household
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.facts import Bill, Declared, Membership
from schemas.records import FactBody

CITY = "339901000000"
BUNDLE = Bundle.load(Path(policy.__file__).parent)
RULE = load_detectors()["RIGID-RATIO"]
HEAD, SPOUSE = "p_head", "p_spouse"
SINCE, TODAY = date(2020, 1, 1).toordinal(), date(2025, 7, 1)
DECLARED = Declared(CITY, CITY, CITY, CITY, 400_000, "期间", "文书")


def member(person: str, version: int = 1, declared: Declared | None = None, until: int | None = None) -> FactBody:
    key = f"h1|{person}"
    start = (key, version, 0, f"{key}{version}", "民政", False, SINCE)
    relation = "HEAD" if declared else "SPOUSE"
    return FactBody(person, Membership(*start, "h1", person, relation, until, None, (), declared))


def look(household: Household, on: date = TODAY) -> list[Alert]:
    def evaluate(day: date) -> Findings:
        return RULE.evaluate(household, day, BUNDLE.on(day))

    told = episodes.step(
        household, RULE, evaluate(on), on=on, policy=BUNDLE.on(on), live=True, known_at=0, evaluate_at=evaluate
    )
    return told.alerts


@pytest.fixture
def household() -> Household:
    """A couple of whom one was treated; what they pay takes 62 % of their income."""
    home = Household("h1")
    day = date(2025, 3, 1).toordinal()
    treated = Bill("b1", 1, 0, "b1", "医保", False, day, 600_000, 0, 0, 600_000, "INPATIENT")
    for body in (member(HEAD, declared=DECLARED), member(SPOUSE), FactBody(HEAD, treated)):
        home.fold(body)
    (raised,) = look(home)
    assert (raised.state, raised.measure) == ("raised", 62)
    return home


def test_days_that_pass_are_no_news(household: Household) -> None:
    assert [look(household, TODAY + timedelta(days=n)) for n in range(1, 60, 7)] == [[]] * 9


def test_another_assessed_income_is_told(household: Household) -> None:
    household.fold(member(HEAD, 2, msgspec.structs.replace(DECLARED, monthly_income_fen=380_000)))
    (updated,) = look(household)
    assert (updated.state, updated.measure) == ("updated", 65)
    assert "45,600元" in updated.reason


def test_one_less_to_feed_is_told(household: Household) -> None:
    household.fold(member(HEAD, 2, msgspec.structs.replace(DECLARED, monthly_income_fen=240_000)))
    look(household)
    household.fold(member(SPOUSE, 2, until=TODAY.toordinal()))
    (updated,) = look(household)
    assert (updated.state, updated.measure) == ("updated", 62)
    assert "加上1人" in updated.reason


def test_the_registrations_are_the_columns(household: Household) -> None:
    evidence = RULE.evaluate(household, TODAY, BUNDLE.on(TODAY)).breaches[0].evidence
    values = [(each.feed, each.value) for each in evidence]
    assert values == [
        ("medical.settlement", 600_000),
        ("civil.household", 4_800_000),
        ("civil.household", 1_200_000),
        ("civil.household", 1_200_000),
    ]
