"""What rules said live and what they said in a shadow run, one line per alert as it last stood."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sinks.reads import STANDING
from sinks.store import AlertStore, Param

_LIVE, _SHADOW = "alerts", "alerts_shadow"


class Stand(NamedTuple):
    """An alert as it stood at a moment: whether it was in force, and the day it was first said."""

    household: str
    detector: str
    standing: bool
    severity: int
    area: str
    first: date
    line: int
    unit: str
    document: str
    reason: str


def live_stands(store: AlertStore, detectors: Sequence[str], until_ms: int) -> list[Stand]:
    """Of live rules."""
    return _stands(store, _LIVE, detectors, until_ms)


def shadow_stands(store: AlertStore, detectors: Sequence[str], until_ms: int) -> list[Stand]:
    """Of rules in shadow runs, by the names they have there."""
    return _stands(store, _SHADOW, detectors, until_ms)


def _stands(store: AlertStore, table: str, detectors: Sequence[str], until_ms: int) -> list[Stand]:
    newest = ("household", "detector", "state", "severity", "responsible_area", "threshold", "unit",
              "threshold_document", "reason")  # fmt: skip
    told: dict[str, Param] = {"d": list(detectors) or [""], "until": until_ms}
    rows = store.query(
        f"SELECT alert_id, min(on_day), {', '.join(f'argMax({each}, revision)' for each in newest)} "  # noqa: S608
        f"FROM {table} WHERE detector IN %(d)s AND known_at_ms <= %(until)s GROUP BY alert_id ORDER BY alert_id",
        told,
    )
    return [
        Stand(str(household), str(detector), str(state) in STANDING, int(str(severity)), str(area), _day(first),
              int(str(line)), str(unit), str(document), str(reason))
        for _, first, household, detector, state, severity, area, line, unit, document, reason in rows
    ]  # fmt: skip


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
