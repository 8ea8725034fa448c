"""Loads the official household export: memberships to the feed `civil.household`, identities to the vault.

This is the only way identities enter the vault. Publishing comes first, the list of new persons second, the vault last:
whatever is interrupted, loading again completes it and nobody new is forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from gateway.courier import Courier, Receipt
from gateway.events import BatchPlan, Envelope, Parsed
from gateway.identities import Linkage
from gateway.problems import RowProblem
from gateway.publish import Progress
from gateway.publisher import Publisher
from gateway.roster_export import ExportHousehold, read_export
from gateway.roster_rows import RosterRow
from gateway.sources import source_of
from gateway.vault import Entry, Vault
from schemas.envelope import Problem
from schemas.feed import FEEDS

FEED = "civil.household"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class RosterReport:
    """What was loaded. `new_persons` are pseudonyms the vault did not know: their history is to be sent again.

    `renamed`: rows of people the vault knew under another name. Names change; two people on one number look the same.
    """

    rows: int
    households: int
    persons: int
    memberships: int
    new_persons: tuple[str, ...]
    renamed: tuple[int, ...]
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
            "renamed": list(self.renamed),
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
    renamed = vault.write(load.entries, int(recorded.timestamp() * 1000))
    return load.report(rows.count, new, renamed, problems, receipt)


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
        self._rows: dict[str, int] = {}
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
                self._rows.setdefault(row.person, row.row)
                self.entries.append(
                    Entry(row.person, household.household, head, row.identity, until, row.id_type)
                )

    def finish(self, *, read: int, bad: int) -> Receipt:
        """Delivers, and closes the batch when every row could be read."""
        self._courier.end(close=not bad, at=self._recorded)
        return self._courier.receipt(read=read, bad=bad, left_out=0, closed=not bad)

    def report(
        self,
        rows: int,
        new: tuple[str, ...],
        renamed: frozenset[str],
        problems: tuple[RowProblem, ...],
        receipt: Receipt,
    ) -> RosterReport:
        """What was loaded, problems in the order of the file."""
        return RosterReport(
            rows=rows,
            households=self.households,
            persons=len({entry.person for entry in self.entries}),
            memberships=self.memberships,
            new_persons=new,
            renamed=tuple(sorted(self._rows[person] for person in renamed)),
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
