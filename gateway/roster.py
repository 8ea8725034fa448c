"""Loads the official household export: memberships to the feed `civil.household`, identities to the vault.

This is the only way identities enter the vault. Publishing comes first, the list of new persons second, the vault last:
whatever is interrupted, loading again completes it and nobody new is forgotten.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from gateway.courier import Courier, Receipt
from gateway.events import BatchPlan, Envelope, Parsed
from gateway.identities import Linkage, issuing_area_of
from gateway.problems import RowProblem
from gateway.publish import Progress
from gateway.publisher import Publisher
from gateway.roster_rows import Read, RosterRow, read_roster
from gateway.sources import source_of
from gateway.tables import open_table
from gateway.vault import Entry, Vault
from schemas.envelope import Problem
from schemas.feed import FEEDS

FEED = "civil.household"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class RosterReport:
    """What was loaded. `new_persons` are pseudonyms the vault did not know: their history is to be sent again."""

    rows: int
    households: int
    persons: int
    memberships: int
    new_persons: tuple[str, ...]
    problems: tuple[RowProblem, ...]
    receipt: Receipt

    def as_json(self) -> dict[str, Any]:
        """Plain values; problems masked."""
        return {
            "rows": self.rows,
            "households": self.households,
            "persons": self.persons,
            "memberships": self.memberships,
            "new_persons": len(self.new_persons),
            "problems": [problem.as_json() for problem in self.problems],
            "receipt": self.receipt.as_json(),
        }


def load_roster(
    path: Path,
    *,
    publisher: Publisher,
    linkage: Linkage,
    vault: Vault,
    recorded: datetime,
    batch: BatchPlan | None = None,
    issuing_area: str | None = None,
    source: str | None = None,
    timestamp_ms: int | None = None,
    on_new_persons: Callable[[tuple[str, ...]], None] | None = None,
    progress: Progress | None = None,
) -> RosterReport:
    """Publishes every good household and returns when broker and vault have it.

    `issuing_area` issued the household numbers where a row has no 认定地区划代码 (default: the county of 责任属地).
    Without `batch` a delta batch for the month of `recorded` covers the counties of the file. Raises CallError,
    DataError, Unreachable.
    """
    rows, households = read_export(path, linkage, issuing_area, progress)
    plan = batch or _plan_of(households, issuing_area, recorded)
    load = _Load(publisher, plan, source or source_of(FEED), recorded, timestamp_ms)
    for household in households:
        load.household(household)
    problems = (*rows.problems, *load.problems)
    receipt = load.finish(read=rows.count, bad=len(problems))
    new = tuple(dict.fromkeys(e.person for e in load.entries if not vault.knows(e.person)))
    if on_new_persons is not None:
        on_new_persons(new)
    vault.write(load.entries, int(recorded.timestamp() * 1000))
    return load.report(rows.count, new, problems, receipt)


def read_export(
    path: Path, linkage: Linkage, issuing_area: str | None = None, progress: Progress | None = None
) -> tuple["ExportRows", list["ExportHousehold"]]:
    """The rows of an official export and the households they make. Raises CallError and DataError as tables do."""
    with open_table(path) as table:
        rows = ExportRows.read(read_roster(table, linkage), progress)
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


class _Load:
    """The households of one export on their way."""

    def __init__(
        self, publisher: Publisher, plan: BatchPlan | None, source: str, recorded: datetime, timestamp_ms: int | None
    ) -> None:
        self._spec = FEEDS[FEED]
        batchid = plan.named(source, FEED, recorded) if plan else None
        self._envelope = Envelope(FEED, source, recorded, batchid=batchid)
        self._recorded = recorded
        self._known_at_ms = timestamp_ms if timestamp_ms is not None else int(recorded.timestamp() * 1000)
        self._courier = Courier(publisher, self._spec.topic, self._envelope, plan=plan, timestamp_ms=timestamp_ms)
        self._courier.begin()
        self.problems: list[RowProblem] = []
        self.entries: list[Entry] = []
        self.households = self.memberships = 0

    def household(self, household: ExportHousehold) -> None:
        """Sends all memberships of a household, or none when its head is missing or refused."""
        if household.problem is not None:
            self._refuse(household, RowProblem(0, "户号", household.problem))
            return
        events = [(row, self._envelope.event(_parsed(household, row))) for row in household.rows]
        refused = {row.row: problem for row, event in events if (problem := self._problem(row, event))}
        heads = [refused[row.row] for row in household.rows if row.relation == "HEAD" and row.row in refused]
        if heads:
            self._refuse(household, heads[0])
            return
        self.problems.extend(refused.values())
        self.households += 1
        for row, event in events:
            if row.row not in refused:
                self.memberships += 1
                self._courier.carry(row.person, event)
                until = row.left.isoformat() if row.left else None
                head = row.relation == "HEAD"
                self.entries.append(
                    Entry(row.person, household.household, head, row.identity, until, row.id_type)
                )

    def finish(self, *, read: int, bad: int) -> Receipt:
        """Delivers, and closes the batch when every row could be read."""
        self._courier.end(close=not bad, at=self._recorded)
        return self._courier.receipt(read=read, bad=bad, left_out=0, closed=not bad)

    def report(
        self, rows: int, new: tuple[str, ...], problems: tuple[RowProblem, ...], receipt: Receipt
    ) -> RosterReport:
        """What was loaded, problems in the order of the file."""
        return RosterReport(
            rows=rows,
            households=self.households,
            persons=len({entry.person for entry in self.entries}),
            memberships=self.memberships,
            new_persons=new,
            problems=tuple(sorted(problems, key=lambda problem: problem.row)),
            receipt=receipt,
        )

    def _problem(self, row: RosterRow, event: bytes) -> RowProblem | None:
        outcome = self._spec.decode(event, self._known_at_ms)[0]
        if not isinstance(outcome, Problem):
            return None
        return RowProblem(row.row, _column(outcome.pointer), outcome.message_zh, code=outcome.code)

    def _refuse(self, household: ExportHousehold, why: RowProblem) -> None:
        self.problems.extend(RowProblem(row.row, why.column, why.reason, code=why.code) for row in household.rows)


def _parsed(household: ExportHousehold, row: RosterRow) -> Parsed:
    data: dict[str, object] = {
        "household": household.household,
        "relation": row.relation,
        "valid_from": row.joined.isoformat(),
        "valid_to": row.left.isoformat() if row.left else None,
        "born": row.born.isoformat() if row.born else None,
        "statuses": household.statuses[row.person, row.joined.isoformat()],
        "sex": row.sex,
    }
    if row.areas is not None:
        data["declared"] = {
            "hukou_area": row.areas.hukou,
            "residence_area": row.areas.residence,
            "responsible_area": row.areas.responsible,
            "incident_area": row.areas.incident,
            "monthly_income": row.income_fen,
            "income_period": row.income_period,
            "income_document": row.document,
        }
    return Parsed(row.row, row.person, _encode(data), row.joined.isoformat())


def _plan_of(households: list[ExportHousehold], issuing_area: str | None, recorded: datetime) -> BatchPlan | None:
    areas = tuple(sorted({h.issuing for h in households if h.issuing} | ({issuing_area} if issuing_area else set())))
    return BatchPlan(f"{recorded:%Y-%m}", areas) if areas else None


def _column(pointer: str) -> str:
    names = {
        "valid_from": "加入日期",
        "valid_to": "退出日期",
        "born": "出生日期",
        "statuses": "类别起",
        "monthly_income": "核定月收入(元)",
        "income_period": "收入认定期间",
        "income_document": "文号",
        "responsible_area": "责任属地区划代码",
    }
    return next((names[part] for part in reversed(pointer.split("/")) if part in names), pointer)
