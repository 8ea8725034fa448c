"""Random facts about registers, checks, double payments and aid, for the laws of the rules that ask for a review."""

from datetime import date

from hypothesis import strategies as st

from schemas.facts import AnyFact, Declared, Membership, Status
from schemas.facts_contact import TempAid
from schemas.facts_standing import AssetBand, Authorisation, Business, CheckReply, Property, Vehicle
from tests.detectors.entitlement_facts import PEOPLE, Version, days, death, head, maybe_day, of, paid, versions

CITY, HOUSEHOLD = "339901000000", "h_" + "0" * 32

early = st.dates(date(2024, 1, 1), date(2025, 4, 30)).map(date.toordinal)
late = st.dates(date(2025, 3, 1), date(2026, 5, 31)).map(date.toordinal)


def leave(person: str, scope: str, day: int, withdrawn: int | None, version: Version) -> Authorisation:
    ends = None if withdrawn is None else max(day, withdrawn)
    return Authorisation(*head(f"{person}|{scope}|{day}", version, day), scope, None, ends)


def car(person: str, n: int, day: int, action: str, sort: str, band: str, version: Version) -> Vehicle:
    return Vehicle(*head(f"C{n}-{day}|{person}", version, day), f"V{n}", action, sort, band, False)


def home(person: str, n: int, day: int, action: str, use: str, share: int, version: Version) -> Property:
    share = 0 if action == "DISPOSE" else share
    return Property(*head(f"B{n}-{day}|{person}", version, day), f"U{n}", action, "OWNERSHIP", use, share, 80)


def role(person: str, n: int, day: int, what: str, until: int | None, fen: int, version: Version) -> Business:
    ends = None if until is None else max(day, until)
    return Business(*head(f"{person}|Q{n}|{what}|{day}", version, day), f"Q{n}", what, ends, fen, None, "ACTIVE")


def band(person: str, n: int, bank: int, day: int, size: str, version: Version) -> AssetBand:
    key = f"HD{n}|{person}|B{bank}|DEPOSIT"
    return AssetBand(*head(key, version, day), f"HD{n}", f"B{bank}", "DEPOSIT", size, day)


def reply(person: str, n: int, item: str, day: int, difference: str, version: Version) -> CheckReply:
    return CheckReply(*head(f"HD{n}|{person}|{item}", version, day), f"HD{n}", item, difference, None, None, None, None)


def aid(person: str, n: int, day: int, area: str, version: Version) -> TempAid:
    return TempAid(*head(f"L{n}", version, day), "EMERGENCY", 100_000, area)


def registered(person: str, since: int, recorded: int) -> Membership:
    """The stay of somebody, corrected: registered with a scheme from a day on."""
    declared = Declared(CITY, CITY, CITY, CITY, 100_000, "期间", "文书") if person == PEOPLE[0] else None
    held, start = (Status("DIBAO", since, None, "某局", "某号"),), date(2020, 1, 1).toordinal()
    first = head(f"{HOUSEHOLD}|{person}|2020-01-01", (recorded, False), start)
    relation, born = "HEAD" if declared else "CHILD", date(1970, 7, 1).toordinal()
    return Membership(*first, HOUSEHOLD, person, relation, None, born, held, declared)


LONG_AGO = date(2024, 1, 10).toordinal()
numbers = st.integers(1, 3)
one = st.sampled_from([*[PEOPLE[0]] * 6, PEOPLE[1]])
summer = st.dates(date(2025, 4, 1), date(2025, 9, 30)).map(date.toordinal)
spring = st.integers(4, 6).map(lambda month: date(2025, month, 1).toordinal())
scopes = st.sampled_from(["MEANS", "MEANS", "FINANCE"])
sizes = st.sampled_from(["TO_10K", "TO_100K", "OVER_100K", "OVER_100K"])


def _assets(person: str) -> st.SearchStrategy[tuple[str, AnyFact]]:
    me = st.just(person)
    allowed = st.builds(leave, me, scopes, early, st.none() | maybe_day, versions)
    actions = st.sampled_from(["NEW", "TRANSFER_IN", "TRANSFER_OUT"])
    bands = st.sampled_from(["UNDER_50K", "TO_150K"])
    member = st.builds(registered, me, early, st.integers(1, 4))
    new_car = st.builds(car, me, numbers, summer, st.just("NEW"), st.just("CAR"), st.just("OVER_150K"), versions)
    plainly = st.builds(leave, me, st.just("MEANS"), st.just(LONG_AGO), st.none(), st.just((0, False)))
    long_held = st.builds(registered, me, st.just(LONG_AGO), st.just(5))
    return of(
        person,
        *(allowed, plainly, plainly, plainly, member, long_held, long_held, long_held, new_car, new_car, new_car),
        st.builds(car, me, numbers, late, actions, st.sampled_from(["CAR", "FARM"]), bands, versions),
        st.builds(home, me, numbers, late, st.sampled_from(["ACQUIRE", "ACQUIRE", "DISPOSE"]),
                  st.sampled_from(["HOME", "RESETTLEMENT"]), st.sampled_from([25, 50, 100]), versions),
        st.builds(role, me, numbers, late, st.sampled_from(["LEGAL", "SOLE"]), maybe_day,
                  st.sampled_from([100_000, 20_000_000]), versions),
        st.builds(band, me, numbers, numbers, late, sizes, versions),
        st.builds(reply, me, numbers, st.sampled_from(["VEHICLE", "PROPERTY", "DEPOSIT"]), late,
                  st.sampled_from(["NONE", "DIFFERS"]), versions),
        st.builds(death, me, days, versions),
    )  # fmt: skip


def _double(person: str) -> st.SearchStrategy[tuple[str, AnyFact]]:
    me = st.just(person)
    payment = st.builds(paid, me, st.sampled_from(["TEKUN", "DIBAO", "CANJI_HULI"]), spring, versions)
    towns = st.sampled_from(["339901001000", "339901002000"])
    granted = st.builds(aid, me, st.integers(1, 6), days, towns, versions)
    return of(person, *(payment, payment, payment, payment, payment, granted), st.builds(death, me, days, versions))


FACTS: dict[str, st.SearchStrategy[tuple[str, AnyFact]]] = {
    "ASSET-CHANGE": one.flatmap(_assets),
    "DUPLICATE-CONFLICT": one.flatmap(_double),
}
