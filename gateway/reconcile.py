"""The official roster against what the service holds, person by person, on one day; every difference by itself.

Both sides speak in pseudonyms. A district (county of the responsible area) agrees when at least 99.9 % of its people
are the same on both sides: same household, relation, dates, categories and areas.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from gateway.identities import Linkage
from gateway.problems import RowProblem
from gateway.publish import Progress
from gateway.roster_export import ExportHousehold, ExportRows, read_export
from gateway.roster_rows import RosterRow

LIMIT = 0.999
UNKNOWN = "未知属地"
"""Answers for rows that name neither household nor area; never agrees."""
Kind = Literal["not_here", "not_in_roster", "status", "member", "area", "unreadable"]
KINDS: dict[Kind, str] = {
    "not_here": "名册有、本库没有",
    "not_in_roster": "本库有、名册没有",
    "status": "救助类别不一致",
    "member": "成员关系不一致",
    "area": "属地不一致",
    "unreadable": "名册行无法读取",
}
Held = tuple[str, date, date | None]


@dataclass(frozen=True)
class Member:
    """A person in a household on the day. `statuses`: categories in force then; `areas` only where the head says."""

    person: str
    household: str
    relation: str
    since: date
    until: date | None
    statuses: frozenset[Held]
    areas: tuple[str, str, str] | None
    district: str
    row: int = 0


@dataclass(frozen=True)
class Difference:
    """One difference: what the roster says and what we hold; `row` of the export, 0 where it has none."""

    kind: Kind
    district: str
    person: str
    household: str
    row: int
    roster: str
    here: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**self.__dict__, "label": KINDS[self.kind]}


@dataclass
class District:
    """How far one district agrees."""

    area: str
    people: int = 0
    differing: int = 0
    by_kind: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def share(self) -> float:
        """Share of people who are the same on both sides; nobody at all agrees."""
        return 1.0 if not self.people else 1 - self.differing / self.people

    @property
    def red(self) -> bool:
        """Whether too many differ."""
        return self.share < LIMIT

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        said = {"area": self.area, "people": self.people, "differing": self.differing, "by_kind": dict(self.by_kind)}
        return {**said, "share": round(self.share, 6), "red": self.red}


@dataclass(frozen=True)
class Reconciled:
    """All differences, and how far each district agrees."""

    on: date
    differences: tuple[Difference, ...]
    districts: tuple[District, ...]

    @property
    def share(self) -> float:
        """Over all districts."""
        people = sum(each.people for each in self.districts)
        return 1.0 if not people else 1 - sum(each.differing for each in self.districts) / people

    @property
    def red(self) -> bool:
        """Whether any district, or all together, disagree too much."""
        return self.share < LIMIT or any(each.red for each in self.districts)


def reconcile(
    path: Path,
    here: Iterable[Member],
    *,
    linkage: Linkage,
    on: date,
    issuing_area: str | None = None,
    progress: Progress | None = None,
) -> Reconciled:
    """Compares an export with what we hold. People of districts the export does not mention are left out.

    `linkage` leads to the pseudonyms people were first known under. Raises CallError and DataError.
    """
    rows, households = read_export(path, linkage, issuing_area, progress)
    roster = [each for household in households for each in _members(household, on)]
    districts = {each.district for each in roster} | ({issuing_area} if issuing_area else set())
    ours = [each for each in here if each.district in districts]
    return _result(on, roster, ours, [*_unreadable(rows, households, issuing_area)])


def _unreadable(
    rows: ExportRows, households: list[ExportHousehold], issuing_area: str | None
) -> Iterator[tuple[str, RowProblem]]:
    """What could not be taken, and the district that answers for it: of the household's head, else of its number."""
    homes = {row.household: row.district for row, _ in rows.unread if row.head and row.district}
    for each in households:
        number = each.rows[0].household
        homes[number] = homes.get(number) or each.district
    for row, problem in rows.unread:
        home = homes.get(row.household) if row.household else None
        yield home or row.district or issuing_area or UNKNOWN, problem
    for each in households:
        if each.problem is not None:
            yield homes[each.rows[0].household] or UNKNOWN, RowProblem(0, "户号", each.problem)


def _result(
    on: date, roster: list[Member], ours: list[Member], refused: list[tuple[str, RowProblem]]
) -> Reconciled:
    theirs_by, ours_by = _by_person(roster), _by_person(ours)
    found: list[Difference] = []
    districts: dict[str, District] = {}
    for person in sorted(theirs_by.keys() | ours_by.keys()):
        one, other = theirs_by.get(person), ours_by.get(person)
        district = districts.setdefault(place := (one or other or [])[0].district, District(place))
        district.people += 1
        differences = list(_differences(person, one or [], other or []))
        district.differing += bool(differences)
        found += differences
    for place, problem in refused:
        district = districts.setdefault(place, District(place))
        district.people += 1
        district.differing += 1
        found.append(Difference("unreadable", place, "", "", problem.row, problem.text, ""))
    for each in found:
        districts[each.district].by_kind[each.kind] += 1
    return Reconciled(on, tuple(found), tuple(districts[area] for area in sorted(districts)))


def _by_person(members: Iterable[Member]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.person, []).append(member)
    return found


def _differences(person: str, theirs: list[Member], ours: list[Member]) -> Iterator[Difference]:
    """Household by household: one person may wrongly be in two."""
    left = {each.household: each for each in ours}
    unmatched = []
    for one in theirs:
        other = left.pop(one.household, None)
        if other is None:
            unmatched.append(one)
        else:
            yield from _fields(one, other)
    rest = list(left.values())
    for one in unmatched:
        if rest:  # a person both know, in different households
            other = rest.pop(0)
            yield _difference("member", one, other, f"户 {one.household}", f"户 {other.household}")
        else:
            yield _difference("not_here", one, None, _said(one), "")
    for other in rest:
        yield _difference("not_in_roster", None, other, "", _said(other))


def _fields(one: Member, other: Member) -> Iterator[Difference]:
    if (one.relation, one.since, one.until) != (other.relation, other.since, other.until):
        yield _difference("member", one, other, _stay(one), _stay(other))
    if one.statuses != other.statuses:
        yield _difference("status", one, other, _held(one), _held(other))
    if one.areas is not None and one.areas != other.areas:
        yield _difference("area", one, other, _areas(one), _areas(other))


def _difference(kind: Kind, one: Member | None, other: Member | None, theirs: str, ours: str) -> Difference:
    member = one or other
    if member is None:
        raise ValueError("a difference is about somebody")
    return Difference(kind, member.district, member.person, member.household, one.row if one else 0, theirs, ours)


def _members(household: ExportHousehold, on: date) -> Iterator[Member]:
    if household.problem is not None:
        return
    for row in household.rows:
        if row.joined <= on and (row.left is None or on < row.left):
            yield _member(household, row, on)


def _member(household: ExportHousehold, row: RosterRow, on: date) -> Member:
    said = household.statuses[row.person, row.joined.isoformat()]
    held = ((str(each["scheme"]), date.fromisoformat(str(each["since"])), _day(each["until"])) for each in said)
    areas = row.areas
    return Member(
        person=row.person,
        household=household.household,
        relation=row.relation,
        since=row.joined,
        until=row.left,
        statuses=in_force(held, on),
        areas=(areas.responsible, areas.residence, areas.hukou) if areas else None,
        district=household.district,
        row=row.row,
    )


def in_force(held: Iterable[Held], on: date) -> frozenset[Held]:
    """Categories held on the day."""
    return frozenset((c, since, until) for c, since, until in held if since <= on and (until is None or on < until))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _said(member: Member) -> str:
    return f"{_stay(member)}；{_held(member)}"


def _stay(member: Member) -> str:
    return f"{member.relation} 自{member.since}" + (f" 至{member.until}" if member.until else "")


def _held(member: Member) -> str:
    return (
        "、".join(f"{c} 自{s}" + (f" 至{u}" if u else "") for c, s, u in sorted(member.statuses, key=str)) or "无类别"
    )


def _areas(member: Member) -> str:
    return "责任{} 居住{} 户籍{}".format(*member.areas) if member.areas else "未登记"
