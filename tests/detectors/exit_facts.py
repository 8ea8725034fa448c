"""Random registrations whose schemes end, with bills, aid and reviews, for the laws of exits and days that fall due."""

from datetime import date

from hypothesis import strategies as st

from schemas.facts import AnyFact, Bill, Declared, Membership, Status
from schemas.facts_contact import TempAid
from schemas.facts_standing import CheckRequest
from tests.detectors.entitlement_facts import (
    PEOPLE,
    Version,
    certificate,
    days,
    death,
    head,
    maybe_day,
    of,
    versions,
)

CITY, HOUSEHOLD = "339901000000", "h_" + "0" * 32
LEFT = date(2025, 3, 1).toordinal()
starts = st.dates(date(2022, 1, 1), date(2025, 9, 30)).map(date.toordinal)
ends = st.dates(date(2024, 1, 1), date(2026, 6, 30)).map(date.toordinal)


def registered(
    person: str, born: int, first: str, since: int, until: int, second: str | None, again: int, recorded: int
) -> Membership:
    """The stay of somebody, corrected: a scheme that ended and perhaps another one later; never reversed."""
    declared = Declared(CITY, CITY, CITY, CITY, 100_000, "期间", "文书") if person == PEOPLE[0] else None
    held = [Status(first, since, max(since, until), "某局", "某号")]
    if second is not None:
        held.append(Status(second, max(since, until, again), None, "某局", "某号"))
    start = date(2020, 1, 1).toordinal()
    key = f"{HOUSEHOLD}|{person}|2020-01-01"
    relation = "HEAD" if declared else "CHILD"
    return Membership(
        *head(key, (recorded, False), start), HOUSEHOLD, person, relation, None, born, tuple(held), declared
    )


def bill(person: str, n: int, day: int, fen: int, version: Version) -> Bill:
    return Bill(*head(f"b{person}{n}", version, day), fen, 0, 0, fen, "INPATIENT")


def aid(person: str, n: int, day: int, version: Version) -> TempAid:
    return TempAid(*head(f"L{person}{n}", version, day), "EMERGENCY", 100_000, CITY)


def asked(person: str, day: int, version: Version) -> CheckRequest:
    return CheckRequest(*head(f"HD{day}|{person}", version, day), f"HD{day}", "REVIEW", None, None, day)


def _told(person: str, ended: st.SearchStrategy[int], *, gone: bool) -> st.SearchStrategy[tuple[str, AnyFact]]:
    me, schemes = st.just(person), st.sampled_from(["DIBAO", "GANGXING", "DIBIAN"])
    born = st.integers(1940, 2020).map(lambda year: date(year, 7, 1).toordinal())
    member = st.builds(
        registered, me, born, schemes, starts, ended, st.none() | st.none() | schemes, ended, st.integers(1, 4)
    )
    left = st.builds(registered, me, born, st.just("DIBAO"), starts, st.just(LEFT), st.none(), ended, st.just(5))
    return of(
        person,
        *((left, left, left, member) if gone else (member, member, member)),
        st.builds(bill, me, st.integers(1, 6), days, st.integers(40, 160).map(lambda n: n * 20_000), versions),
        st.builds(aid, me, st.integers(1, 3), days, versions),
        st.builds(asked, me, days, versions),
        st.builds(certificate, me, st.just("PHYSICAL"), starts, st.integers(1, 3), maybe_day, st.none(), versions),
        st.builds(death, me, days, versions),
    )


one = st.sampled_from([*[PEOPLE[0]] * 6, PEOPLE[1]])
soon = st.dates(date(2025, 8, 1), date(2026, 9, 30)).map(date.toordinal)
FACTS: dict[str, st.SearchStrategy[tuple[str, AnyFact]]] = {
    "EXPIRY": one.flatmap(lambda person: _told(person, soon, gone=False)),
    "RECENT-EXIT": one.flatmap(lambda person: _told(person, ends, gone=True)),
}
