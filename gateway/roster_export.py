"""The official household export as rows and households, before anything of it goes anywhere."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from gateway.identities import Linkage, issuing_area_of, mask, plain_name
from gateway.problems import RowProblem
from gateway.publish import Progress
from gateway.roster_rows import TITLES, Read, RosterRow, read_roster
from gateway.tables import open_table


def read_export(
    path: Path,
    linkage: Linkage,
    issuing_area: str | None = None,
    progress: Progress | None = None,
    *,
    facts: bool = True,
) -> tuple["ExportRows", list["ExportHousehold"]]:
    """The rows of an official export and the households they make. Raises CallError and DataError as tables do.

    Without `facts` only household numbers are asked for, and whose number it is does not matter.
    """
    with open_table(path) as table:
        rows = ExportRows.read(read_roster(table, linkage), progress)
    if facts:
        rows.part_twins()
    households = [
        ExportHousehold.of(number, members, linkage, issuing_area, headless=number in rows.bad_heads)
        for number, members in rows.good.items()
    ]
    return rows, households


@dataclass
class ExportRows:
    """Readable rows by official household number, and what could not be read."""

    good: dict[str, list[RosterRow]]
    bad_heads: set[str]
    unread: list[tuple[Read, RowProblem]]
    count: int

    @property
    def problems(self) -> list[RowProblem]:
        """What is wrong with rows that could not be read."""
        return [problem for _, problem in self.unread]

    @classmethod
    def read(cls, rows: Iterable[Read], progress: Progress | None) -> "ExportRows":
        """Groups rows by household number, in the order households first appear."""
        self = cls(defaultdict(list), set(), [], 0)
        for row in rows:
            self.count += 1
            if isinstance(row.found, RowProblem):
                self.unread.append((row, row.found))
                self.bad_heads |= {row.household} if row.head else set()
            else:
                self.good[row.household].append(row.found)
            if progress is not None and self.count % 1_000 == 0:
                progress(self.count, len(self.unread))
        return self

    def part_twins(self) -> None:
        """Takes out every row of a number under several names: nobody can say whose facts would follow it."""
        named: dict[str, dict[str, int]] = defaultdict(dict)
        for row in chain.from_iterable(self.good.values()):
            named[row.person].setdefault(plain_name(row.identity.name), row.row)
        for household, rows in list(self.good.items()):
            twins = [row for row in rows if len(named[row.person]) > 1]
            for row in twins:
                other = min(at for name, at in named[row.person].items() if name != plain_name(row.identity.name))
                self.unread.append(_refused(row, f"与第 {other} 行号码相同而姓名不同，请对照户籍资料核对是谁的号码"))
                self.bad_heads |= {household} if row.relation == "HEAD" else set()
            self.good[household] = [row for row in rows if row not in twins]
        self.good = {household: rows for household, rows in self.good.items() if rows}


@dataclass(frozen=True)
class ExportHousehold:
    """A household of the export: its pseudonym and its memberships; or why it cannot be taken."""

    household: str
    issuing: str
    rows: tuple[RosterRow, ...]
    statuses: dict[tuple[str, str], list[dict[str, str | None]]]
    problem: str | None

    @classmethod
    def of(
        cls, number: str, rows: list[RosterRow], linkage: Linkage, issuing_area: str | None, *, headless: bool
    ) -> "ExportHousehold":
        """Rows that repeat a membership (one per category held) become one with several statuses.

        An export of changes need not repeat the head; a head that is there and wrong keeps the household out.
        """
        first: dict[tuple[str, str], RosterRow] = {}
        statuses: dict[tuple[str, str], list[dict[str, str | None]]] = defaultdict(list)
        for row in rows:
            key = (row.person, row.joined.isoformat())
            first.setdefault(key, row)
            if row.status is not None and row.status not in statuses[key]:
                statuses[key].append(row.status)
        members = tuple(first.values())
        heads = [row for row in members if row.relation == "HEAD"]
        stated = next((row.issuing for row in members if row.issuing), None) or issuing_area
        issuing = stated or next((issuing_area_of(row.areas.responsible) for row in heads if row.areas), "")
        problem = None
        if headless:
            problem = "本户户主行有误，全户未入"
        elif not issuing:
            problem = "本户没有户主行，也未写明认定地区划代码，全户未入"
        elif sum(row.left is None for row in heads) > 1:
            problem = "本户有两个在册户主，全户未入"
        return cls(linkage.household(issuing, number), issuing, members, statuses, problem)

    @property
    def district(self) -> str:
        """The county of the head's 责任属地, else the area that issued its number; "" where neither is known."""
        heads = [row.areas for row in self.rows if row.areas is not None]
        return issuing_area_of(heads[0].responsible) if heads else self.issuing


def _refused(row: RosterRow, reason: str) -> tuple[Read, RowProblem]:
    problem = RowProblem(row.row, TITLES["number"], reason, mask(row.identity.number), "BAD_IDENTITY")
    area = row.areas.responsible if row.areas is not None else row.issuing
    district = issuing_area_of(area) if area else ""
    return Read(row.household, row.relation == "HEAD", problem, district), problem
