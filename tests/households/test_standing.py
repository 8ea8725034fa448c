"""Totals of a year, authorisations, certificates, what somebody has: by the newest live record."""

from households.ledger import Household
from households.standing import authorised, disabilities, properties, vehicles, year_total
from schemas.fact import first_day
from schemas.facts import AnyFact, Fact
from schemas.facts_living import YearTotal
from schemas.facts_standing import Authorisation, Disability, Property, Vehicle
from schemas.records import FactBody
from tests.households.making import START, bill

ME = "p_me"


def told(*facts: AnyFact) -> Household:
    household = Household("h")
    for fact in facts:
        household.fold(FactBody(ME, fact))
    return household


def head(key: str, day: int, version: int = 1, *, gone: bool = False) -> tuple[str, int, int, str, str, bool, int]:
    return (key, version, 0, f"e{version}", "source", gone, START + day)


def total(month: int, borne: int, version: int = 1, *, gone: bool = False) -> Fact:
    """A total as of a month of 2026, told in the record `version`."""
    as_of = 2026 * 12 + month - 1
    key, day = f"{ME}|2026|2026-{month:02d}", first_day(as_of) - START
    return YearTotal(*head(key, day, version, gone=gone), 2026, as_of, None, None, borne)


def test_the_newest_as_of_month_counts_however_late_an_earlier_one_is_told() -> None:
    household = told(total(5, 900_000, 1), total(3, 500_000, 9), bill("b", 300, amount=10_000))
    found = year_total(household, ME, 2026)
    assert found is not None
    assert found.borne_fen == 900_000
    assert [each.in_catalogue_fen for each in household.bills()] == [10_000]
    assert year_total(household, ME, 2025) is None
    assert year_total(household, "p_you", 2026) is None


def test_as_of_a_month_and_after_a_reversal_the_one_before_counts() -> None:
    household = told(total(3, 500_000), total(5, 900_000))
    march = year_total(household, ME, 2026, as_of=2026 * 12 + 3)
    assert march is not None
    assert march.borne_fen == 500_000
    household.fold(FactBody(ME, total(5, 0, 2, gone=True)))
    found = year_total(household, ME, 2026)
    assert found is not None
    assert found.borne_fen == 500_000


def test_an_authorisation_holds_from_its_signature_to_its_end_or_withdrawal() -> None:
    signed = Authorisation(*head("a", 10), "MEANS", START + 100, None)
    assert [authorised(told(signed), ME, "MEANS", START + day) for day in (9, 10, 99, 100)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not authorised(told(signed), ME, "TAX", START + 20)
    withdrawn = Authorisation(*head("a", 10, 2), "MEANS", START + 100, START + 50)
    household = told(signed, withdrawn)
    assert [authorised(household, ME, "MEANS", START + day) for day in (49, 50)] == [True, False]
    endless = Authorisation(*head("b", 10), "MEANS", None, None)
    assert authorised(told(endless), ME, "MEANS", START + 5000)


def certificate(key: str, day: int, level: int, expires: int | None = None, until: int | None = None) -> Disability:
    ends = (None if expires is None else START + expires, None if until is None else START + until)
    return Disability(*head(key, day), "PHYSICAL", level, *ends, "NEW", None)


def test_of_a_category_the_newest_certificate_in_force_counts() -> None:
    household = told(certificate("a", 0, 3, expires=500), certificate("b", 200, 2))
    assert [[each.level for each in disabilities(household, ME, START + day)] for day in (-1, 0, 199, 200)] == [
        [], [3], [3], [2],
    ]  # fmt: skip
    assert disabilities(told(certificate("a", 0, 3, expires=50)), ME, START + 50) == []
    assert disabilities(told(certificate("a", 0, 3, until=50)), ME, START + 50) == []


def test_what_somebody_has_is_what_the_last_registration_says() -> None:
    def vehicle(key: str, day: int, action: str) -> Vehicle:
        return Vehicle(*head(key, day), "v1", action, "CAR", "UNDER_50K", False)

    def unit(key: str, day: int, action: str, share: int) -> Property:
        return Property(*head(key, day), "u1", action, "OWNERSHIP", "HOME", share, 80)

    household = told(
        vehicle("1", 0, "NEW"), vehicle("2", 50, "TRANSFER_OUT"), unit("1", 0, "ACQUIRE", 100),
        unit("2", 30, "SHARE", 50), unit("3", 60, "DISPOSE", 0),
    )  # fmt: skip
    assert [len(vehicles(household, ME, START + day)) for day in (-1, 0, 49, 50)] == [0, 1, 1, 0]
    shares = [[each.share_percent for each in properties(household, ME, START + day)] for day in (0, 30, 60)]
    assert shares == [[100], [50], []]
