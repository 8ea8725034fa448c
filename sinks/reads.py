"""What screens and commands read about alerts: always the newest revision, whatever was inserted twice."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.alerts import Alert
from schemas.cases import CaseEvent, decode_event
from schemas.errors import CallError, DataError
from sinks.rowbinary import Cell
from sinks.store import AlertStore, Param

STANDING = ("raised", "updated")


@dataclass(frozen=True)
class Filter:
    """Which alerts, by their newest revision; None = any. `standing`: only those in force."""

    areas: Sequence[str] | None = None
    detector: str | None = None
    family: str | None = None
    household: str | None = None
    standing: bool = False
    baseline: bool | None = None


def current_alerts(store: AlertStore, chosen: Filter | None = None, limit: int = 50) -> list[Alert]:
    """The newest revision of each alert, most recently known first."""
    chosen = chosen or Filter()
    where: list[str] = []
    newest: list[str] = []
    params: dict[str, Param] = {"n": limit}
    for column, value in (("detector", chosen.detector), ("family", chosen.family), ("household", chosen.household)):
        if value is not None:
            where.append(f"{column} = %({column})s")
            params[column] = value
    if chosen.areas is not None:
        where.append("alert_key IN (SELECT alert_key FROM alerts WHERE responsible_area IN %(areas)s)")
        newest.append("responsible_area IN %(areas)s")
        params["areas"] = list(chosen.areas) or [""]
    if chosen.baseline is not None:
        newest.append("baseline = %(baseline)s")
        params["baseline"] = int(chosen.baseline)
    if chosen.standing:
        newest.append(f"state IN {STANDING}")
    mine = f"WHERE {' AND '.join(where)}" if where else ""
    having = f"HAVING argMax({' AND '.join(newest)}, revision)" if newest else ""
    bodies = store.query(  # whole messages are read of the chosen ones only
        "SELECT argMax(json, revision), max(known_at_ms) AS latest FROM alerts PREWHERE alert_key IN ("  # noqa: S608
        "SELECT alert_key FROM (SELECT alert_key, max(known_at_ms) AS latest FROM alerts "
        f"{mine} GROUP BY alert_key {having} ORDER BY latest DESC, alert_key LIMIT %(n)s)"
        f") {mine} GROUP BY alert_id ORDER BY latest DESC, alert_id",
        params,
    )
    return [Alert.model_validate_json(str(body)) for body, _ in bodies]


def revisions(store: AlertStore, alert_id: str, *, shadows: bool = False) -> list[Alert]:
    """Every revision of one alert, oldest first; a beginning of the id is enough when it is the only one.

    `shadows`: where no alert begins like that, what a shadow run said. Raises CallError on a malformed or ambiguous
    beginning, DataError when there is no such alert.
    """
    if not re.fullmatch(r"[0-9a-f-]{4,36}", alert_id):
        raise CallError("预警编号应为编号本身或其开头（至少 4 位十六进制）")
    rows: list[tuple[Cell, ...]] = []
    for table in ("alerts", "alerts_shadow") if shadows else ("alerts",):
        rows = rows or store.query(
            f"SELECT alert_id, revision, json FROM {table} PREWHERE alert_id LIKE %(begin)s "  # noqa: S608
            "ORDER BY alert_id, revision LIMIT 1 BY alert_id, revision LIMIT 1000",
            {"begin": f"{alert_id}%"},
        )
    found = {str(row[0]) for row in rows}
    if len(found) > 1:
        raise CallError(f"以 {alert_id} 开头的预警不止一条，请多写几位")
    if not found:
        raise DataError(f"没有编号为 {alert_id} 的预警")
    return [Alert.model_validate_json(str(body)) for _, _, body in rows]


def cases_of(store: AlertStore, alert_id: str) -> list[str]:
    """The cases the alert opened or joined, in the order it did."""
    rows = store.query(
        "SELECT case_id, min(at_ms) AS first FROM case_events WHERE type IN ('opened', 'joined') AND alert_id = %(a)s "
        "GROUP BY case_id ORDER BY first, case_id",
        {"a": alert_id},
    )
    return [str(case_id) for case_id, _ in rows]


def case_events(store: AlertStore) -> Iterator[CaseEvent]:
    """Every archived case event, each case's in the order of its sequence."""
    rows = store.query("SELECT any(json) FROM case_events GROUP BY case_id, seq ORDER BY case_id, seq")
    return (decode_event(str(raw).encode()) for (raw,) in rows)
