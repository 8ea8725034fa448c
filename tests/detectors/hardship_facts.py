"""Random facts about what befalls three people, for the laws of the rules about certificates, incidents, school, homes
and calls for help."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from detectors.casefile import person_of
from schemas.facts import AnyFact, Benefit, Death, first_day, month_of
from schemas.facts_contact import Accident, AreaIncident, Incident, Lead, SafetyAlarm, SelfReport, TempAid, Ticket
from schemas.facts_living import SchoolAid, SchoolFee, Schooling, UtilityBill, UtilityUse
from schemas.facts_standing import Custody, Disability, FamilyChange

PEOPLE = [person_of(name) for name in "甲乙丙"]
AREA, HERE = "339901001000", "339901000000"
Drawn = st.SearchStrategy[tuple[str, AnyFact]]
Version = tuple[int, bool]

days = st.dates(date(2025, 1, 1), date(2026, 6, 30)).map(date.toordinal)
maybe_day = st.none() | days
mostly_day = st.sampled_from([True] * 7 + [False]).flatmap(lambda told: days if told else st.none())
months = days.map(lambda day: first_day(month_of(day)))
versions = st.tuples(st.integers(0, 3), st.sampled_from([False, False, False, False, True]))
people = st.sampled_from(PEOPLE)
numbers = st.integers(1, 6)
yuan = st.integers(0, 150).map(lambda hundreds: hundreds * 100_00)
hardships = st.sampled_from(["LIVING", "MEDICAL", "DISASTER"])
insured = st.sampled_from(["NONE", "FULLY"])


def head(key: str, version: Version, day: int) -> tuple[str, int, int, str, str, bool, int]:
    recorded, gone = version
    return (key, recorded, 0, f"{key}/{recorded}/{gone}/{day}", "测试", gone, day)


def later(day: int, until: int | None) -> int | None:
    return None if until is None else max(day, until)


def certificate(
    who: str, sort: str, day: int, level: int, ends: tuple[int | None, int | None], action: str, version: Version
) -> Disability:
    expires, until = (later(day, end) for end in ends)
    return Disability(*head(f"{who}|{sort}|{day}", version, day), sort, level, expires, until, action, None)


def incident(n: int, who: str, day: int, hurt: str, home: str, fen: int, cover: str, version: Version) -> Incident:
    return Incident(*head(f"YJ{n}|{who}", version, day), "FIRE", AREA, hurt, home, fen // 100, cover)


def struck(n: int, who: str, day: int, area: str, named: bool, version: Version) -> AreaIncident:
    return AreaIncident(*head(f"YJ{n}|{who}", version, day), "TYPHOON", area, named)


def accident(n: int, who: str, day: int, hurt: str, cover: str, version: Version) -> Accident:
    return Accident(*head(f"SG{n}|{who}", version, day), hurt, "UNKNOWN", cover)


def upkeep(who: str, month: int, version: Version) -> Benefit:
    return Benefit(*head(f"{who}|GUER|{date.fromordinal(month):%Y-%m}", version, month), "GUER", 180_000)


def ticket(n: int, day: int, sort: str, about: str, version: Version) -> Ticket:
    return Ticket(*head(f"RX{n}", version, day), sort, AREA, about)


def lead(n: int, day: int, version: Version) -> Lead:
    return Lead(*head(f"WG{n}", version, day), "CARE", AREA, "GRID")


def asked(n: int, day: int, version: Version) -> SelfReport:
    return SelfReport(*head(f"QZ{n}", version, day), "LIVING", AREA, "APP")


def aid(n: int, day: int, fen: int, version: Version) -> TempAid:
    return TempAid(*head(f"LS{n}", version, day), "EXPENSE", fen, AREA)


def alarm(n: int, day: int, kind: str, outcome: str, version: Version) -> SafetyAlarm:
    return SafetyAlarm(*head(f"安居|{n}", version, day), "安居", kind, outcome)


def fee(who: str, year: int, term: str, fen: int, stage: str, version: Version) -> SchoolFee:
    day = date(year, 9, 1) if term == "AUTUMN" else date(year + 1, 2, 1)
    key = f"{who}|{year}|{term}|TUITION"
    return SchoolFee(*head(key, version, day.toordinal()), year, term, "TUITION", stage, fen)


def grant(who: str, year: int, term: str, sort: str, fen: int, version: Version) -> SchoolAid:
    day = date(year, 9, 1) if term == "AUTUMN" else date(year + 1, 2, 1)
    return SchoolAid(*head(f"{who}|{year}|{term}|{sort}", version, day.toordinal()), year, term, sort, fen - 20_000_00)


def school(who: str, n: int, day: int, stage: str, until: int | None, ended: str, version: Version) -> Schooling:
    until = later(day, until)
    return Schooling(*head(f"{who}|S{n}|{day}", version, day), f"S{n}", stage, until, ended if until else None)


def bill(n: int, day: int, fen: int, paid: bool, notice: int | None, here: bool, version: Version) -> UtilityBill:
    head_ = head(f"ELECTRICITY|H{n}|{day}", version, day)
    return UtilityBill(*head_, "ELECTRICITY", f"H{n}", fen, fen if paid else 0, day + 49, notice, here)


def use(day: int, quantity: int, whole: bool, version: Version) -> UtilityUse:
    last = first_day(month_of(day) + 1) - 1
    read = last if whole else day + 9
    return UtilityUse(*head(f"ELECTRICITY|M1|{day}", version, day), "ELECTRICITY", "M1", quantity, read)


def custody(who: str, sort: str, day: int, ends: tuple[int | None, int | None], version: Version) -> Custody:
    expected, until = (later(day, end) for end in ends)
    return Custody(*head(f"{who}|{sort}|{day}", version, day), sort, expected, until)


def kin(n: int, who: str, day: int, relative: str, version: Version) -> FamilyChange:
    return FamilyChange(*head(f"HB{n}|{who}", version, day), "KINSHIP", relative, "PARENT", None, None)


def death(who: str, day: int, version: Version) -> Death:
    return Death(*head(f"{who}|police", version, day), "police")


def of_each(made: Any) -> Drawn:
    """Facts that name their person; `made(person)` is the strategy."""
    return people.flatmap(lambda who: st.tuples(st.just(who), made(st.just(who))))


def owned(facts: st.SearchStrategy[Any]) -> Drawn:
    return st.tuples(people, facts)


ends = st.tuples(maybe_day, maybe_day)
rarely = st.sampled_from([False, False, False, True])
sorts = st.sampled_from(["PHYSICAL", "MENTAL"])
actions = st.sampled_from(["NEW", "NEW", "RENEW", "CHANGE"])
certificates = of_each(lambda who: st.builds(certificate, who, sorts, days, st.integers(1, 4), ends, actions, versions))
deaths = of_each(lambda who: st.builds(death, who, days, versions))
injuries = st.sampled_from(["NONE", "MINOR", "SERIOUS", "DEAD"])
homes = st.sampled_from(["INTACT", "DAMAGED", "UNFIT"])
tickets = owned(st.builds(ticket, numbers, days, hardships, st.sampled_from(["SELF", "SELF", "THIRD"]), versions))
terms = st.sampled_from(["AUTUMN", "SPRING"])
years = st.sampled_from([2024, 2025])
compulsory = st.sampled_from(["PRESCHOOL", "PRIMARY", "JUNIOR"])
endings = st.sampled_from(["GRADUATED", "TRANSFERRED", "SUSPENDED", "LEFT"])
outcomes = st.sampled_from(["OPEN", "OPEN", "SAFE", "HOSPITAL"])
alarms = st.sampled_from(["SILENCE", "NO_ANSWER", "OFFLINE"])
states = st.sampled_from(["PRISON", "DETAINED", "REVOKED"])
spring = st.dates(date(2025, 1, 1), date(2025, 4, 30)).map(date.toordinal)
bill_months = st.sampled_from([first_day(2025 * 12 + month) for month in range(12)])

FACTS: dict[str, Drawn] = {
    "NEW-DISABILITY": certificates | deaths,
    "DISASTER-ACCIDENT": of_each(
        lambda who: (
            st.builds(incident, numbers, who, days, injuries, homes, yuan, insured, versions)
            | st.builds(struck, numbers, who, days, st.sampled_from([HERE, HERE, AREA]), rarely, versions)
            | st.builds(accident, numbers, who, days, injuries, insured, versions)
            | st.builds(death, who, days, versions)
        )
    )
    | tickets,
    "EDU-BURDEN": of_each(
        lambda who: (
            st.builds(fee, who, years, terms, yuan, st.sampled_from(["COLLEGE", "JUNIOR"]), versions)
            | st.builds(
                grant, who, years, terms, st.sampled_from(["GRANT", "LOAN"]), yuan.map(lambda fen: fen * 2), versions
            )
            | st.builds(school, who, numbers, spring, st.just("COLLEGE"), maybe_day, endings, versions)
        )
    ),
    "DROPOUT": of_each(lambda who: st.builds(school, who, numbers, days, compulsory, mostly_day, endings, versions)),
    "UTILITY-ARREARS": owned(
        st.builds(
            bill, st.integers(1, 2), bill_months, yuan, rarely, maybe_day, rarely.map(lambda no: not no), versions
        )
        | st.builds(bill, st.just(1), bill_months, yuan, rarely, st.none(), st.just(True), versions)
        | st.builds(use, months, st.integers(0, 200), rarely.map(lambda no: not no), versions)
    ),
    "SAFETY-SILENCE": owned(st.builds(alarm, numbers, days, alarms, outcomes, versions)) | deaths,
    "HELP-SEEKING": owned(st.builds(lead, numbers, days, versions) | st.builds(asked, numbers, days, versions))
    | owned(st.builds(aid, numbers, days, yuan, versions))
    | tickets,
    "CHILD-GUARDIAN": of_each(
        lambda who: (
            st.builds(custody, who, states, days, ends, versions) | st.builds(kin, numbers, who, days, people, versions)
        )
    )
    | certificates
    | deaths
    | of_each(lambda who: st.builds(upkeep, who, months, versions)),
}
