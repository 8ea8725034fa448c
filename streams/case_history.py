"""What case work of a partition remembers: the fold of its own events, and what follows from all cases together.

`restore` of the same events leads to the same state, as does `recall` of some cases, `restore` of the events since,
then `settle`.
"""

from collections import Counter, defaultdict
from datetime import date

from cases.baseline import Portion, portion_of
from cases.identity import split_number
from cases.snapshot import CaseRecord
from cases.view import CaseView
from schemas.cases import AlertNote, CaseEvent, OpenedBody, ReleasedBody


class CaseHistory:
    """The cases, which inputs were answered, and the counters that decisions depend on."""

    def __init__(self) -> None:
        self.view = CaseView()
        self._recalled = False
        self._forget_derived()

    def _forget_derived(self) -> None:
        self._revisions: dict[tuple[str, str], int] = {}
        self._commands: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._released: Counter[Portion] = Counter()
        self._released_on: date | None = None
        self._openings: defaultdict[str, Counter[date]] = defaultdict(Counter)
        self._storms_over: set[str] = set()
        self._now_ms = 0

    def restore(self, event: CaseEvent) -> bool:
        """Folds an event of our own past; False when it was known. Raises Stop when the past contradicts itself."""
        if not self.view.apply(event):
            return False
        cause, body = event.cause, event.body
        if cause.command_id is not None:
            self._commands.add(cause.command_id)
        if cause.alert_id is not None and cause.revision is not None:
            self._remember(event.household, cause.alert_id, cause.revision)
        if cause.tick_ms is not None:
            self._now_ms = max(self._now_ms, cause.tick_ms)
        if isinstance(body, OpenedBody):
            self._count_number(body.number)
            self._count_opening(body.alert, event.at.date())
        if isinstance(body, ReleasedBody):
            portion = Portion(body.quota_of, body.quota_area or "")
            self._count_release(event.at.date(), portion, body.storm)
        return True

    def recall(self, case_id: str, record: CaseRecord) -> None:
        """Takes a case as an earlier fold left it; may be ahead of the events restored so far."""
        self._recalled = True
        self.view.recall(case_id, record.chain, record.case)

    def begin(self, opened: int) -> None:
        """The events restored from here on come after so many openings."""
        self.view.opened = max(self.view.opened, opened)

    def record(self, case_id: str) -> CaseRecord:
        """A case as it stands, for `recall`."""
        return CaseRecord(self.view.chain(case_id), self.view.cases.get(case_id))

    def settle(self) -> None:
        """Everything is restored: what follows from the cases and their chains together is worked out again."""
        if not self._recalled:
            return
        self._recalled = False
        self._forget_derived()
        self.view.settle()
        for chain in self.view.chains.values():
            self._commands.update(chain.commands)
            self._now_ms = max(self._now_ms, chain.ticked_ms)
        for case in self.view.cases.values():
            self._count_number(case.number)
            self._count_opening(case.opening, case.opened_at.date())
            for note in case.alerts.values():
                self._remember(case.household, note.alert_id, note.revision)
            if case.released_on is not None:
                self._count_release(case.released_on, portion_of(case), case.storm)

    def _remember(self, household: str, alert_id: str, revision: int) -> None:
        seen = self._revisions.get((household, alert_id), 0)
        self._revisions[household, alert_id] = max(seen, revision)

    def _count_number(self, number: str) -> None:
        if split := split_number(number):
            self._counts[split[0]] = max(self._counts[split[0]], split[1])

    def _count_opening(self, opening: AlertNote, day: date) -> None:
        if not opening.baseline:
            self._openings[opening.detector][day] += 1

    def _count_release(self, day: date, portion: Portion, storm: str | None) -> None:
        if storm is not None:  # a person let it go: no portion of a baseline, and no storm any more
            self._storms_over.add(storm)
            return
        if self._released_on is None or day > self._released_on:
            self._released_on, self._released = day, Counter()
        self._released[portion] += day == self._released_on
