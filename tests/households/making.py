"""Facts for tests, in one line each. Days are ordinals counted from 2025-01-01; a version is one number."""

from datetime import date
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from households.coverage import Coverage, month_name
from households.ledger import Household
from schemas.facts import (
    FACT_KINDS,
    AnyFact,
    Benefit,
    Bill,
    Contribution,
    Death,
    Declared,
    Employment,
    Fact,
    Membership,
    Refund,
    Rent,
    Status,
    first_day,
)
from schemas.records import BatchPartBody

START = date(2025, 1, 1).toordinal()
CITY = "339901000000"
TOWN = "339901001000"
DECLARED = Declared(TOWN, TOWN, TOWN, TOWN, 150_000, "2025-01", "核定书1")
DIBAO = Status("DIBAO", START - 400, None, "civil", "审批1")


def bill(key: str, day: int, version: int = 1, amount: int = 10_000, *, gone: bool = False) -> Bill:
    """A medical bill."""
    amount = 0 if gone else amount
    return Bill(key, version, 0, f"e{version}", "hospital", gone, START + day, amount, 0, 0, amount, "OUTPATIENT")


def refund(settle_no: str, day: int, version: int = 1, amount: int = 1_000, *, gone: bool = False) -> Refund:
    """A later payer."""
    key = f"{settle_no}|惠民保|{version % 3}"
    return Refund(
        key, version, 0, f"e{version}", "insurer", gone, START + day, settle_no, "惠民保", 0 if gone else amount
    )


def contribution(person: str, month: int, version: int = 1, employer: str = "厂") -> Contribution:
    """One month paid by an employer."""
    day = first_day(2025 * 12 + month)
    key = f"{person}|{month}|{employer}"
    return Contribution(key, version, 0, f"e{version}", "social", False, day, employer, 400_000)


def employment(person: str, kind: str, day: int, version: int = 1, until: int | None = None) -> Employment:
    """A spell."""
    ends = None if until is None else START + until
    return Employment(f"{person}|{kind}|{day}", version, 0, f"e{version}", "social", False, START + day, kind, ends)


def rent(contract: str, month: int, version: int = 1, item: str = "bill") -> Rent:
    """A billing period."""
    day = first_day(2025 * 12 + month)
    return Rent(
        f"{contract}|{month}|{item}",
        version,
        0,
        f"e{version}",
        "housing",
        False,
        day,
        contract,
        item,
        30_000,
        0,
        day,
        None,
    )


def benefit(person: str, month: int, version: int = 1) -> Benefit:
    """A month's benefit."""
    day = first_day(2025 * 12 + month)
    return Benefit(f"{person}|DIBAO|{month}", version, 0, f"e{version}", "civil", False, day, "DIBAO", 80_000)


def death(person: str, day: int, version: int = 1, by: str = "police") -> Death:
    """A report of a death."""
    return Death(f"{person}|{by}", version, 0, f"e{version}", by, False, START + day, by)


def member(
    household: str,
    person: str,
    day: int = -900,
    version: int = 1,
    *,
    until: int | None = None,
    relation: str = "CHILD",
    statuses: tuple[Status, ...] = (DIBAO,),
    gone: bool = False,
) -> Membership:
    """A membership; the head of household carries the declaration."""
    return Membership(
        f"{household}|{person}|{day}",
        version,
        0,
        f"{household}/{version}",
        "civil",
        gone,
        START + day,
        household,
        person,
        relation,
        None if until is None else START + until,
        START - 40 * 365,
        statuses,
        DECLARED if relation == "HEAD" else None,
    )


def close(
    coverage: Coverage, feed: str, month: int, begun: int, areas: tuple[str, ...] = (), source: str = "",
    mode: str = "full_snapshot",
) -> None:  # fmt: skip
    """A batch of one part takes effect; the same one again is nothing new."""
    period, named = month_name(month) or "", "|".join((mode, source, *areas))
    coverage.add_part(BatchPartBody(feed, f"{named}|{begun}", 0, 1, period, areas, mode, 0, begun, None, source))


def apply(household: Household, feed: str, month: int, begun: int, **said: Any) -> None:
    """What the monitor does with a household when a batch takes effect."""
    close(household.coverage, feed, month, begun, **said)
    household.forget_views()


HEAD = tuple(Fact.__struct_fields__)
OTHERS = tuple(kind for kind in FACT_KINDS if kind is not Membership)
"""Every kind but memberships, which name their household."""


def made(kind: type[Fact], key: str, day: int, version: int = 1, amount: int = 7, *, gone: bool = False) -> AnyFact:
    """A fact of any kind: texts say `x`, numbers and money the amount, a day on which it ends lies 30 days on."""
    hints = get_type_hints(kind)
    at = START + day
    rest = [_filled(hints[name], name, kind, at, 0 if gone else amount) for name in kind.__struct_fields__[len(HEAD) :]]
    fact: Any = kind(*(key, version, 0, f"e{version}", "source", gone, at), *rest)
    return fact  # type: ignore[no-any-return]


def _filled(hint: Any, name: str, kind: type[Fact], day: int, amount: int) -> object:
    if name in kind.ends:
        return day + 30 + amount
    given = [each for each in get_args(hint) if each is not NoneType] if isinstance(hint, UnionType) else [hint]
    return () if get_origin(given[0]) is tuple else {str: "x", bool: amount > 9, int: amount}[given[0]]
