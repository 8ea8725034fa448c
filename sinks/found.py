"""Whom alerts of a period found, and what the visits came to: the newest word of each alert and of each case.

An alert belongs to the day on which it was first raised. Withdrawn ones (their basis was wrong) found nobody, and those
about data are about nobody; the stock released at golive counts as any other. A visit counts for an alert when its
result came after the alert joined the case.
"""

from datetime import date
from typing import NamedTuple

from schemas.cases import VerifiedBody, decode_event
from sinks.store import AlertStore, Param

_OF_PERIOD = "SELECT alert_id FROM alerts WHERE family != 'quality' AND on_day BETWEEN %(first)s AND %(last)s"


class Found(NamedTuple):
    """An alert of the period. `person`: whom it is about where it is about one; `result`: of the last visit, if any."""

    alert_id: str
    household: str
    person: str | None
    family: str
    result: str | None


def found(store: AlertStore, first: date, last: date) -> list[Found]:
    """Alerts first raised in [first, last], both ends included, by alert_id."""
    days: dict[str, Param] = {"first": first.isoformat(), "last": last.isoformat()}
    rows = store.query(
        "SELECT alert_id, argMax(household, revision) AS home, argMin(cause, revision) AS why, "  # noqa: S608
        "argMin(family, revision) AS kind FROM alerts "
        f"WHERE alert_id IN ({_OF_PERIOD}) GROUP BY alert_id "
        "HAVING argMin(on_day, revision) BETWEEN %(first)s AND %(last)s AND argMax(state, revision) != 'withdrawn' "
        "ORDER BY alert_id",
        days,
    )
    results = _results(store, days)
    return [
        Found(str(alert), str(home), _person(str(why)), str(kind), results.get(str(alert)))
        for alert, home, why, kind in rows
    ]


def ever_found(store: AlertStore) -> set[str]:
    """Every household any alert was ever raised for and not withdrawn."""
    rows = store.query(
        "SELECT DISTINCT home FROM (SELECT argMax(household, revision) AS home FROM alerts WHERE family != 'quality' "
        "GROUP BY alert_id HAVING argMax(state, revision) != 'withdrawn')"
    )
    return {str(home) for (home,) in rows}


def _results(store: AlertStore, days: dict[str, Param]) -> dict[str, str]:
    """The result of the last visit after each alert joined a case."""
    visits = {
        str(case): (int(str(seq)), str(body))
        for case, seq, body in store.query(
            "SELECT case_id, max(seq) AS at_seq, argMax(json, seq) AS body FROM case_events "
            "WHERE type = 'verified' GROUP BY case_id"
        )
    }
    links = store.query(
        "SELECT alert_id, case_id, min(seq) AS joined FROM case_events "  # noqa: S608
        f"WHERE type IN ('opened', 'joined') AND alert_id IN ({_OF_PERIOD}) "
        "GROUP BY alert_id, case_id ORDER BY alert_id, joined, case_id",
        days,
    )
    results: dict[str, str] = {}
    for alert, case, joined in links:
        seq, body = visits.get(str(case), (0, ""))
        if seq > int(str(joined)):
            said = decode_event(body.encode()).body
            if isinstance(said, VerifiedBody):
                results[str(alert)] = said.result.value
    return results


def _person(cause: str) -> str | None:
    head = cause.partition("/")[0]
    return head if head.startswith("p_") else None
