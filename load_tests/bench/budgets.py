"""The budget table: each figure next to what it may be. A missed budget is a figure, not an error."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Report = Mapping[str, Any]


class Budget(NamedTuple):
    """One row: where its figure stands in the report, and the most it may be. `most` None: it has to be stated."""

    name: str
    label: str
    path: tuple[str, ...]
    unit: str
    most: float | None
    scale: float = 1.0
    strict: bool = False
    """Whether the figure has to be below `most` rather than at most that."""

    def figure(self, report: Report) -> float | None:
        """The figure, None when it was not measured."""
        found: Any = report
        for step in self.path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return None if found is None else round(found * self.scale, 2)

    def met(self, figure: float) -> bool:
        """Whether a figure keeps to the budget."""
        if self.most is None:
            return True
        return figure < self.most if self.strict else figure <= self.most


US = "ref_us_per_event"
WARM, COLD = ("ledgers", "warm_reference_us_per_event"), ("ledgers", "cold_dump_reference_us_per_event")
MEASURED, DERIVED = ("month", "measured", "minutes_for_7_million"), ("month", "derived", "minutes")
RECOVERY = ("recovery", "seconds_per_350000_persons")
BUDGETS = (
    Budget("whole_path", "结算单条全程（接入、台账、大额自付）", ("whole_path_cpu_us_per_event",), US, 20.0),
    Budget("batched", "同上，成批消息", ("batched_cpu_us_per_event",), US, 14.0),
    Budget("warm", "24 个月台账，全部规则，日常流（监测环节）", WARM, US, 25.0),
    Budget("cold_dump", "月度整批，乱序，台账未展开（监测环节）", COLD, US, 70.0),
    Budget("month_measured", "700 万行全程，按实测速率推算", MEASURED, "min", 10.0, strict=True),
    Budget("month_derived", "700 万行全程，两核，由单价推导", DERIVED, "min", 10.0, strict=True),
    Budget("state", "24 个月台账，每人状态", ("ledgers", "state_bytes_per_person"), "KB", 6.0, scale=0.001),
    Budget("recovery", "整批之后恢复 35 万人", RECOVERY, "s", 60.0, strict=True),
    Budget("latency", "事件到预警 p99，每秒 2000 条", ("latency", "p99_seconds"), "s", 1.5, strict=True),
    Budget("screens", "查询 p95（最慢的一种），十年一市", ("screens", "worst_p95_ms"), "ms", 100.0, strict=True),
    Budget("memory", "积压之下的内存峰值（各环节之最大）", ("memory", "largest_peak_mib"), "MiB", None),
)
UNITS = {US: "基准微秒/条", "min": "分钟", "KB": "KB", "s": "秒", "ms": "毫秒", "MiB": "MiB"}


def judged(report: Report) -> list[dict[str, Any]]:
    """Every row that was measured: name, figure, unit, budget, met."""
    rows = []
    for budget in BUDGETS:
        figure = budget.figure(report)
        if figure is not None:
            told = {"name": budget.name, "figure": figure, "unit": budget.unit, "budget": budget.most}
            rows.append({**told, "met": budget.met(figure)})
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same for people, in columns."""
    known = {budget.name: budget for budget in BUDGETS}
    lines = [("项目", "数值", "预算", "单位", "结果")]
    for row in rows:
        budget = known[row["name"]]
        most = "写明即可" if budget.most is None else f"{'<' if budget.strict else '≤'} {budget.most:g}"
        said = "已写明" if budget.most is None else "达到" if row["met"] else "未达到"
        lines.append((budget.label, f"{row['figure']:g}", most, UNITS[budget.unit], said))
    widths = [max(width(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join("  ".join(_padded(*pair) for pair in zip(line, widths, strict=True)).rstrip() for line in lines)


def width(text: str) -> int:
    """Columns a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
