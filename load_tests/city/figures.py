"""The figures of a demo: what went in, what came out, and whether the store holds as many rows as the logs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from load_tests.city.broker import BrokerService
from load_tests.city.driver import Driver
from load_tests.city.truth import Report
from schemas.alerts import Alert
from schemas.topics import HOUSEHOLD_EVENTS, REJECTED
from sinks.store import Counts

_OUT_OF_SCOPE = "lidm_events_out_of_scope_total"


@dataclass(frozen=True)
class Figures:
    """The last object on standard output of `lidm demo --json`. `events` are rows, `rejected` sealed messages."""

    events: int
    rejected: int
    out_of_scope: int
    alerts: int
    planted: int
    missed: int
    false_alarms: int
    wrong_end: int
    cases_closed: int
    contacts_opened: int
    rows_match: bool
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether everything planned came out and is archived."""
        return self.rows_match and not (self.missed or self.false_alarms or self.wrong_end)


class Scope:
    """Facts about nobody who is watched, counted by the running service since this was made."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._before = self._total()

    @property
    def out_of_scope(self) -> int:
        """How many since then."""
        return self._total() - self._before

    def _total(self) -> int:
        lines = (line for page in self._pages() for line in page.splitlines() if line.startswith(_OUT_OF_SCOPE))
        return int(sum(float(line.rpartition(" ")[2]) for line in lines))

    def _pages(self) -> list[str]:
        """The metrics of every worker, or of the embedded service."""
        run = self._data_dir / "run"
        faces = [json.loads(face.read_text()) for face in [*run.glob("worker-*.json"), *run.glob("service.json")]]
        pages = []
        for place in [place for face in faces if (place := face.get("http") or face.get("api"))]:
            with urlopen(f"{place}/metrics", timeout=10) as answer:  # noqa: S310 - our own service on loopback
                pages.append(answer.read().decode())
        return pages


def figures_of(
    driver: Driver,
    report: Report,
    alerts: Sequence[Alert],
    service: BrokerService,
    out_of_scope: int,
    before: Counts,
    after: Counts,
    seconds: float,
) -> Figures:
    """Everything the summary says. Store rows are compared with what the logs gained meanwhile."""
    logs = Counts(
        alerts=len({(alert.alert_id, alert.revision) for alert in alerts}),
        case_events=service.case_events_seen,
        blocks=service.written(HOUSEHOLD_EVENTS),
        rejected=service.written(REJECTED),
    )
    gained = Counts(*(new - old for new, old in zip(after, before, strict=True)))
    return Figures(
        events=driver.progress.rows,
        rejected=logs.rejected,
        out_of_scope=out_of_scope,
        alerts=len({alert.alert_id for alert in alerts}),
        planted=report.planted,
        missed=len(report.missed),
        false_alarms=len(report.false_alarms),
        wrong_end=len(report.wrong_end),
        cases_closed=driver.progress.cases_closed,
        contacts_opened=driver.progress.contacts_opened,
        rows_match=gained == logs,
        seconds=round(seconds, 1),
    )
