"""Official figures: 预警处置率 and 核实留痕率 per month and area, from what stands in the store now.

An alert belongs to the month in which it was raised and to the area that is responsible for it now. Alerts whose basis
was wrong (withdrawn) and the stock released at golive (baseline, 存量) are counted apart and in no rate. *Concluded*:
somebody verified or closed its case after it joined. *Handled*: such a verification carries evidence; a click is none.
Alerts about data (family `quality`) are about no household and count nowhere here.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields

from sinks.store import AlertStore, Param

_OF_MONTHS = (
    "SELECT alert_key FROM alerts WHERE family != 'quality' AND toYYYYMM(on_day) BETWEEN %(first)s AND %(last)s"
)
_JOINED = f"case_events PREWHERE type IN ('opened', 'joined') WHERE alert_key IN ({_OF_MONTHS})"
_SQL = f"""
SELECT month, area, sum(w) AS withdrawn, sum(b) AS baseline, sum(b AND h) AS baseline_handled,
       sum(n) AS raised, sum(n AND c) AS concluded, sum(n AND h) AS handled
FROM (
    SELECT month, area, w, stock AND NOT w AS b, NOT stock AND NOT w AS n, was_concluded AS c, was_handled AS h
    FROM (
        SELECT alert_key, toYYYYMM(argMin(on_day, revision)) AS month, argMax(responsible_area, revision) AS area,
               argMax(state = 'withdrawn', revision) AS w, argMin(baseline, revision) AS stock
        FROM alerts WHERE alert_key IN ({_OF_MONTHS}) GROUP BY alert_key
    ) AS newest ANY LEFT JOIN (
        SELECT alert_key, max(last_conclusion > joined) AS was_concluded, max(last_proof > joined) AS was_handled
        FROM (
            SELECT case_key, alert_key, min(seq) AS joined FROM {_JOINED} GROUP BY case_key, alert_key
        ) AS links ALL INNER JOIN (
            SELECT case_key, max(seq) AS last_conclusion, maxIf(seq, type = 'verified' AND evidence > 0) AS last_proof
            FROM case_events PREWHERE type IN ('verified', 'closed')
            WHERE case_key IN (SELECT case_key FROM {_JOINED}) GROUP BY case_key
        ) AS work USING case_key
        GROUP BY alert_key
    ) AS answered USING alert_key
)
WHERE month BETWEEN %(first)s AND %(last)s
GROUP BY month, area ORDER BY month, area
"""  # noqa: S608 - put together from its own parts only


@dataclass(frozen=True)
class Figures:
    """One month of one area; counts of alerts."""

    month: str
    area: str
    raised: int
    concluded: int
    handled: int
    baseline: int
    baseline_handled: int
    withdrawn: int

    @property
    def handling_rate(self) -> float | None:
        """预警处置率: handled with evidence, of all raised; None when nothing was raised."""
        return self.handled / self.raised if self.raised else None

    @property
    def evidence_rate(self) -> float | None:
        """核实留痕率: handled with evidence, of all on which somebody concluded something."""
        return self.handled / self.concluded if self.concluded else None

    def as_dict(self) -> dict[str, str | int | float | None]:
        """For `--json`."""
        return {**asdict(self), "handling_rate": self.handling_rate, "evidence_rate": self.evidence_rate}


def figures(store: AlertStore, first: str = "1970-01", last: str = "2105-12") -> list[Figures]:
    """Figures by month ('YYYY-MM', both ends included) and responsible area, of areas that have any."""
    params: dict[str, Param] = {"first": int(first.replace("-", "")), "last": int(last.replace("-", ""))}
    result = []
    for month, area, withdrawn, baseline, baseline_handled, raised, concluded, handled in store.query(_SQL, params):
        counts = (int(str(n)) for n in (raised, concluded, handled, baseline, baseline_handled, withdrawn))
        result.append(Figures(f"{str(month)[:4]}-{str(month)[4:]}", str(area), *counts))
    return result


def rolled_up(rows: Iterable[Figures], chain: Callable[[str], Iterable[str]]) -> list[Figures]:
    """The same figures for every area and each area above it; `chain(area)` = the area itself and those above."""
    numbers = [field.name for field in fields(Figures) if field.name not in ("month", "area")]
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        for area in chain(row.area):
            total = sums.setdefault((row.month, area), dict.fromkeys(numbers, 0))
            for name in numbers:
                total[name] += getattr(row, name)
    return [Figures(month, area, **total) for (month, area), total in sorted(sums.items())]
