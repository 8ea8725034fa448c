"""Random facts about what three people earn, for the laws of the rules about income."""

from datetime import date
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

from detectors.casefile import person_of
from schemas.facts import AnyFact, Contribution, Death, Employment, first_day, month_of
from schemas.facts_living import Fund, Income, Pension, Schooling
from schemas.facts_standing import Authorisation, Custody

T = TypeVar("T")
PEOPLE = [person_of(name) for name in "甲乙丙"]
START, END = date(2024, 9, 1), date(2026, 5, 1)

days = st.dates(START, END).map(date.toordinal)
maybe_day = st.none() | days
months = st.integers(month_of(START.toordinal()), month_of(END.toordinal()))
late_months = st.integers(2025 * 12 + 7, 2025 * 12 + 10)
versions = st.tuples(st.integers(0, 3), st.sampled_from([False, False, False, False, True]))
amounts = st.integers(1, 300).map(lambda hundreds: hundreds * 100_00)
high = st.integers(1000, 3000).map(lambda hundreds: hundreds * 100_00)


def head(key: str, version: tuple[int, bool], day: int) -> tuple[str, int, int, str, str, bool, int]:
    recorded, gone = version
    return (key, recorded, 0, f"{key}/{recorded}/{gone}/{day}", "测试", gone, day)


def wages(person: str, month: int, fen: int, employer: str, version: tuple[int, bool]) -> Contribution:
    key = f"{person}|{month}|{employer}"
    return Contribution(*head(key, version, first_day(month)), employer, fen, "PMU", employer)


def pension(person: str, month: int, fen: int, scheme: str, version: tuple[int, bool]) -> Pension:
    return Pension(*head(f"{person}|{scheme}|{month}", version, first_day(month)), scheme, fen, fen // 2, None)


def fund(person: str, month: int, fen: int, version: tuple[int, bool]) -> Fund:
    key = f"F-{person}|{month}"
    return Fund(*head(key, version, first_day(month)), f"F-{person}", fen, fen // 10, 0, None, "NONE", 0)


def taxed(person: str, month: int, more: int, fen: int, kind: str, payer: str, version: tuple[int, bool]) -> Income:
    last = month + more
    key = f"{person}|{payer}|{kind}|{month}|{last}"
    return Income(*head(key, version, first_day(last)), kind, payer, month, fen, "HD1")


def allowed(person: str, day: int, until: int | None, version: tuple[int, bool]) -> Authorisation:
    ends = None if until is None else max(day, until)
    return Authorisation(*head(f"{person}|TAX|{day}", version, day), "TAX", ends, None)


def spell(person: str, kind: str, day: int, until: int | None, version: tuple[int, bool]) -> Employment:
    ends = None if until is None else max(day, until)
    return Employment(*head(f"{person}|{kind}|{day}", version, day), kind, ends)


def away(person: str, day: int, until: int | None, version: tuple[int, bool]) -> Custody:
    ends = None if until is None else max(day, until)
    return Custody(*head(f"{person}|PRISON|{day}", version, day), "PRISON", ends, None)


def school(person: str, day: int, until: int | None, version: tuple[int, bool]) -> Schooling:
    ends = None if until is None else max(day, until)
    ended = None if until is None else "GRADUATED"
    return Schooling(*head(f"{person}|S1|{day}", version, day), "S1", "COLLEGE", ends, ended)


def death(person: str, day: int, version: tuple[int, bool]) -> Death:
    return Death(*head(f"{person}|police", version, day), "police")


employers = st.sampled_from(["COMPANY", "COMPANY", "POST"])
kinds = st.sampled_from(["WAGES", "WAGES", "LABOUR", "BUSINESS", "TRANSFER"])


def mostly(times: int, often: st.SearchStrategy[T], seldom: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """One of the two, the first so many times as often; `one_of` counts the same strategy once."""
    return st.integers(0, times).flatmap(lambda drawn: often if drawn else seldom)


@cache
def of_one(person: str) -> st.SearchStrategy[AnyFact]:
    """Whatever can be told of somebody's income."""
    me = st.just(person)
    statuses = st.sampled_from(["FLEXIBLE", "MILITARY", "UNEMPLOYED"])
    rare = st.one_of(
        st.builds(pension, me, months, amounts, st.sampled_from(["EMPLOYEE", "RESIDENT"]), versions),
        st.builds(fund, me, months, amounts, versions),
        st.builds(taxed, me, months, st.sampled_from([0, 0, 2, 11]), amounts, kinds, st.sampled_from("AB"), versions),
        st.builds(allowed, me, days, maybe_day, versions),
        st.builds(spell, me, statuses, days, maybe_day, versions),
        st.builds(away, me, days, maybe_day, versions),
        st.builds(school, me, days, maybe_day, versions),
        st.builds(death, me, days, versions),
    )
    paid = st.builds(wages, me, months, amounts, employers, versions)
    return mostly(3, paid, rare)


@cache
def well_paid(person: str) -> st.SearchStrategy[AnyFact]:
    """Mostly wages of a few months in a row, high enough to lift a household."""
    once = st.just((0, False))
    paid = st.builds(wages, st.just(person), late_months, high, st.just("COMPANY"), once)
    return mostly(12, paid, of_one(person))


def owned(person: str, facts: st.SearchStrategy[AnyFact]) -> st.SearchStrategy[tuple[str, AnyFact]]:
    return st.tuples(st.just(person), facts)


FACTS = {
    "INCOME-LINE": st.one_of(*(owned(person, of_one(person)) for person in PEOPLE)),
    "INCOME-RISE": mostly(6, owned(PEOPLE[0], well_paid(PEOPLE[0])), owned(PEOPLE[1], of_one(PEOPLE[1]))),
}
