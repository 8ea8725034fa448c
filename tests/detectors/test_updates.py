"""What an alert rests on is in its evidence: when it changes somebody hears of it, when only days pass nobody does."""

from datetime import date, timedelta
from pathlib import Path
from typing import cast

import msgspec
import pytest

import policy
from detectors import episodes
from detectors.findings import Findings
from detectors.registry import Detector, load_detectors
from households.coverage import Coverage
from households.ledger import Household
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.facts import Bill, Contribution, Declared, Membership
from schemas.records import BatchPartBody, FactBody

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


def look(household: Household, on: date = TODAY, rule: Detector = RULE) -> list[Alert]:
    def evaluate(day: date) -> Findings:
        return rule.evaluate(household, day, BUNDLE.on(day))

    told = episodes.step(
        household, rule, evaluate(on), on=on, policy=BUNDLE.on(on), live=True, known_at=0, evaluate_at=evaluate
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


def test_another_month_of_silence_is_told_once_its_files_are_complete() -> None:
    """Two silent months were said; when the third is complete the officer reads three, and no day says more."""
    home, rule = Household("h1", coverage=Coverage()), load_detectors()["JOB-LOSS"]
    paid = date(2025, 1, 1).toordinal()
    born = date(1980, 1, 1).toordinal()
    head = msgspec.structs.replace(cast(Membership, member(HEAD, declared=DECLARED).fact), born=born)
    home.fold(FactBody(HEAD, head))
    home.fold(FactBody(HEAD, Contribution("c", 1, 0, "c", "人社", False, paid, "E", 1)))

    def close(month: str) -> None:
        home.coverage.add_part(BatchPartBody("employment.contribution", month, 0, 1, month, (), "delta", 0, 0))

    for month in ("2025-01", "2025-02", "2025-03"):
        close(month)
    (raised,) = look(home, date(2025, 4, 20), rule)
    assert (raised.state, raised.measure) == ("raised", 2)
    assert look(home, date(2025, 5, 4), rule) == []
    close("2025-04")
    (updated,) = look(home, date(2025, 5, 6), rule)
    assert (updated.state, updated.measure, updated.alert_id) == ("updated", 3, raised.alert_id)
    assert "连续3个月" in updated.reason
