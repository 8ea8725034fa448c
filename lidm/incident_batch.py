"""全面排查清单: the households one incident concerns, as one batch with its totals. Made of the cases alone.

In it is every household with an alert of DISASTER-ACCIDENT under the incident's number, whether the area was declared
or a person confirmed. A case that was closed and another opened later is one line: the newest. A visit before the alert
came into the case was about something else and does not count.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from cases.view import Case
from lidm.tables import table
from schemas.alerts import Areas
from schemas.case_words import VerifyResult
from schemas.cases import AlertNote, CaseEvent, Clock, JoinedBody, OpenedBody, VerifiedBody

RULE = "DISASTER-ACCIDENT"
_FAR = datetime.max.isoformat()
_UNSEEN = (None, VerifyResult.UNREACHABLE)


@dataclass(frozen=True)
class Line:
    """One household. `note`: what was last said of this incident; the case may have other alerts. `looked`: somebody
    wrote down a visit since."""

    case: Case
    note: AlertNote
    looked: bool

    @property
    def visited(self) -> bool:
        """Whether somebody was seen; tried in vain is not."""
        return self.result not in _UNSEEN

    @property
    def over(self) -> bool:
        """Whether nobody has to go there any more: the alert ended before anybody did."""
        return not self.visited and (not self.note.standing or self.case.closed is not None)

    @property
    def waiting(self) -> bool:
        """Whether somebody still has to go there."""
        return not self.visited and not self.over

    @property
    def result(self) -> VerifyResult | None:
        """What the visit found."""
        return self.case.verified.result if self.case.verified and self.looked else None

    @property
    def clock(self) -> Clock | None:
        """The deadline that ends first."""
        return min(self.case.clocks, key=lambda each: each.due, default=None)

    @property
    def overdue(self) -> bool:
        """Whether any deadline that runs has passed."""
        return any(each in self.case.overdue for each in self.case.clocks)

    @property
    def area(self) -> str:
        """Where the household is on record as living."""
        return self.case.areas.residence if self.case.areas else ""

    @property
    def standing(self) -> str:
        """Where it stands, in words."""
        if self.over:
            return f"{self.case.state.label}（预警已解除）" if not self.note.standing else self.case.state.label
        return f"{self.case.state.label}（{self.result.label}）" if self.result else self.case.state.label

    @property
    def order(self) -> tuple[int, int, str, str]:
        """Not visited first, the gravest first, then whose deadline ends first."""
        due = self.clock.due.isoformat() if self.clock else _FAR
        return (0 if self.waiting else 1 if self.visited else 2, -self.note.severity, due, self.case.number)

    def as_json(self) -> dict[str, object]:
        """Plain values for `--json`."""
        clock, case = self.clock, self.case
        return {
            "case_id": case.case_id, "number": case.number, "household": case.household, "area": self.area or None,
            "severity": self.note.severity, "state": case.state.value, "alert": self.note.state,
            "result": self.result.value if self.result else None, "waiting": self.waiting, "officer": case.accepted_by,
            "due": clock.due.isoformat() if clock else None, "step": clock.step.value if clock else None,
            "overdue": self.overdue, "reason": self.note.reason,
        }  # fmt: skip

    def cells(self) -> tuple[str, ...]:
        """A row of the checklist."""
        clock = self.clock
        due = f"{clock.step.label} {clock.due:%m-%d %H:%M}{' 超期' if self.overdue else ''}" if clock else "—"
        return (
            "☐" if self.waiting else "☑" if self.visited else "—",
            self.case.number, self.area or "未知", f"{self.note.severity}级", self.standing,
            self.case.accepted_by or "—", due,
        )  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """Everything of one incident, in order of urgency."""

    number: str
    lines: tuple[Line, ...]

    @property
    def since(self) -> date:
        """The first day anybody was struck, as said last."""
        return min(each.note.since for each in self.lines)

    def totals(self) -> dict[str, int]:
        """How many households there are, were seen, need help, still have to be seen, are off the list, are overdue."""
        need = [each for each in self.lines if each.result is VerifyResult.NEED]
        return {
            "households": len(self.lines),
            "visited": sum(each.visited for each in self.lines),
            "need": len(need),
            "waiting": sum(each.waiting for each in self.lines),
            "over": sum(each.over for each in self.lines),
            "overdue": sum(each.overdue for each in self.lines),
        }

    def said(self) -> str:
        """The totals in one line."""
        told = self.totals()
        over = f"，已解除{told['over']}户" if told["over"] else ""
        return (
            f"共{told['households']}户，已入户{told['visited']}户，需帮扶{told['need']}户，"
            f"未入户{told['waiting']}户{over}，超期{told['overdue']}户"
        )

    def page(self) -> str:
        """The checklist."""
        head = ("", "个案", "住地", "等级", "进展", "经办", "时限")
        return "\n".join(
            (f"{self.number}  全面排查清单", self.said(), table(head, [each.cells() for each in self.lines]))
        )


def batches(
    cases: Iterable[Case], history: Iterable[CaseEvent], here: Callable[[Areas], bool] | None = None
) -> list[Batch]:
    """Every incident with the households `here` (None: everywhere); those with the most households to be seen first.

    `history`: every event of these cases, per case in order.
    """
    looked, found = _looked(history), dict[str, dict[str, Line]]()
    for case in sorted(cases, key=lambda each: each.place):
        for note in case.alerts.values():
            line = Line(case, note, (case.case_id, note.alert_id) in looked)
            if note.detector == RULE and (here is None or (case.areas is not None and here(case.areas))):
                known = found.setdefault(note.cause, {}).get(case.household)
                if known is None or _newer(line, known):
                    found[note.cause][case.household] = line
    made = [
        Batch(number, tuple(sorted(lines.values(), key=lambda each: each.order))) for number, lines in found.items()
    ]
    return sorted(made, key=lambda each: (-each.totals()["waiting"], -len(each.lines), each.number))


def _looked(history: Iterable[CaseEvent]) -> set[tuple[str, str]]:
    """Case and alert, where a visit was written down after the alert came into the case."""
    there: dict[str, set[str]] = {}
    found: set[tuple[str, str]] = set()
    for event in history:
        if isinstance(event.body, OpenedBody | JoinedBody):
            there.setdefault(event.case_id, set()).add(event.body.alert.alert_id)
            found.discard((event.case_id, event.body.alert.alert_id))
        elif isinstance(event.body, VerifiedBody):
            found |= {(event.case_id, each) for each in there.get(event.case_id, ())}
    return found


def _newer(line: Line, known: Line) -> bool:
    """Of two notes of one case the one in force counts (the day was corrected), of two cases the later opened."""
    return line.note.standing or not known.note.standing if line.case is known.case else True
