"""Random facts about certificates, payments, insurance, school and rent, for the laws of the rules that offer help."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from detectors.casefile import person_of
from policy.catalogue import Entries, Entry
from schemas.facts import AnyFact, Benefit, Death, Employment, Rent, first_day, month_of
from schemas.facts_contact import Feedback
from schemas.facts_living import Enrolment, SchoolAid, Schooling, YearTotal
from schemas.facts_standing import Disability

PEOPLE = [person_of(name) for name in "甲乙丙"]
people = st.sampled_from(PEOPLE)
days = st.dates(date(2025, 1, 1), date(2026, 6, 30)).map(date.toordinal)
early = st.dates(date(2023, 6, 1), date(2025, 12, 31)).map(date.toordinal)
months = days.map(lambda day: first_day(month_of(day)))
maybe_day = st.none() | days
versions = st.tuples(st.integers(0, 3), st.sampled_from([False, False, False, False, True]))
Version = tuple[int, bool]


def head(key: str, version: Version, day: int) -> tuple[str, int, int, str, str, bool, int]:
    recorded, gone = version
    return (key, recorded, 0, f"{key}/{recorded}/{gone}/{day}", "测试", gone, day)


def certificate(
    person: str, category: str, day: int, level: int, expires: int | None, until: int | None, version: Version
) -> Disability:
    ends = (None if expires is None else max(day, expires), None if until is None else max(day, until))
    return Disability(*head(f"{person}|{category}|{day}", version, day), category, level, *ends, "NEW", None)


def paid(person: str, scheme: str, day: int, version: Version) -> Benefit:
    return Benefit(*head(f"{person}|{scheme}|{day}", version, day), scheme, 30_000)


def answer(person: str, item: str, day: int, outcome: str, version: Version) -> Feedback:
    reason = "UNWANTED" if outcome == "DECLINED" else None
    return Feedback(*head(f"Z{day}|{item}", version, day), f"Z{day}", item, "某局", outcome, None, reason)


def enrolment(
    person: str, plan: str, year: int, ahead: int, until: int | None, subsidised: bool, version: Version
) -> Enrolment:
    day = date(year, 1, 1).toordinal() + ahead
    ends = None if until is None else max(day, until)
    return Enrolment(*head(f"{person}|{plan}|{year}", version, day), plan, year, ends, subsidised)


def total(person: str, year: int, month: int, fen: int, version: Version) -> YearTotal:
    as_of = year * 12 + month - 1
    return YearTotal(*head(f"{person}|{year}|{as_of}", version, first_day(as_of)), year, as_of, None, None, fen)


def spell(person: str, day: int, until: int | None, version: Version) -> Employment:
    ends = None if until is None else max(day, until)
    return Employment(*head(f"{person}|MILITARY|{day}", version, day), "MILITARY", ends)


def school(person: str, day: int, stage: str, until: int | None, version: Version) -> Schooling:
    ends = None if until is None else max(day, until)
    return Schooling(*head(f"{person}|X|{day}", version, day), "X", stage, ends, "LEFT" if ends else None)


def school_aid(person: str, year: int, version: Version) -> SchoolAid:
    day = date(year, 9, 1).toordinal()
    return SchoolAid(*head(f"{person}|{year}|AUTUMN|GRANT", version, day), year, "AUTUMN", "GRANT", 150_000)


def rent(item: str, day: int, version: Version) -> Rent:
    return Rent(*head(f"G1|{day}|{item}", version, day), "G1", item, 20_000, 0, day + 19, None)


def death(person: str, day: int, version: Version) -> Death:
    return Death(*head(f"{person}|police", version, day), "police")


def of(person: str, *made: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, AnyFact]]:
    return st.tuples(st.just(person), st.one_of(*made))


def _subsidies(person: str) -> st.SearchStrategy[tuple[str, AnyFact]]:
    me = st.just(person)
    categories = st.sampled_from(["PHYSICAL", "PHYSICAL", "MENTAL"])
    certified = st.builds(certificate, me, categories, early, st.integers(1, 3), maybe_day, maybe_day, versions)
    schemes = st.sampled_from(["CANJI_SHENGHUO", "CANJI_HULI", "GONGSHANG_HULI"])
    outcomes = st.sampled_from(["ALREADY", "DECLINED", "ACCEPTED"])
    return of(
        person,
        certified,
        certified,
        st.builds(paid, me, schemes, months, versions),
        st.builds(answer, me, st.just("残疾人两项补贴"), days, outcomes, versions),
        st.builds(death, me, days, versions),
    )


plans = st.sampled_from(["RESIDENT", "EMPLOYEE"])
years = st.integers(2024, 2026)
aheads = st.sampled_from([0, 0, 31, 90, 200])


def _insurance(person: str) -> st.SearchStrategy[tuple[str, AnyFact]]:
    me = st.just(person)
    return of(
        person,
        st.builds(enrolment, me, plans, years, aheads, maybe_day, st.booleans(), versions),
        st.builds(total, me, years, st.integers(1, 12), st.sampled_from([500_000, 2_000_000]), versions),
        st.builds(spell, me, days, maybe_day, versions),
        st.builds(certificate, me, st.just("MENTAL"), early, st.integers(1, 4), maybe_day, st.none(), versions),
        st.builds(death, me, days, versions),
    )


def _package(person: str) -> st.SearchStrategy[tuple[str, AnyFact]]:
    me = st.just(person)
    stages = st.sampled_from(["COLLEGE", "JUNIOR"])
    items = st.sampled_from(["电费减免", "学生资助", "公租房租金减免"])
    return of(
        person,
        st.builds(enrolment, me, plans, years, aheads, maybe_day, st.booleans(), versions),
        st.builds(paid, me, st.sampled_from(["DIANFEI", "DIANSHI"]), months, versions),
        st.builds(school, me, days, stages, maybe_day, versions),
        st.builds(school_aid, me, years, versions),
        st.builds(rent, st.sampled_from(["bill", "bill", "relief"]), months, versions),
        st.builds(answer, me, items, days, st.sampled_from(["DONE", "DECLINED"]), versions),
        st.builds(death, me, days, versions),
    )


def item(label: str, seen_in: str, **more: Any) -> Entry:
    plain: Entry = {
        "label": label,
        "whose": "household",
        "for": ["DIBAO"],
        "seen_in": seen_in,
        "codes": [],
        "stages": [],
    }
    return plain | {"since": None, "within_days": None, "ages": None} | more


CATALOGUE: Entries = {
    "DIANFEI": item("电费减免", "benefit", codes=["DIANFEI"]),
    "DIANSHI": item("有线电视费减免", "benefit", codes=["DIANSHI"], since="2025-07-01"),
    "CANBAO": item("医保资助参保", "enrolment", whose="person", within_days=60),
    "ZUJIN": item("公租房租金减免", "rent"),
    "ZHUXUE": item("学生资助", "school", whose="person", stages=["COLLEGE"], within_days=120, ages=[10, 40]),
}
FACTS: dict[str, st.SearchStrategy[tuple[str, AnyFact]]] = {
    "DISAB-SUBSIDY-GAP": people.flatmap(_subsidies),
    "INSURANCE-GAP": people.flatmap(_insurance),
    "PACKAGE-GAP": people.flatmap(_package),
}
