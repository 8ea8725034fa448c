"""A back-test's words: what the columns are called, and figures that are withheld."""

from collections.abc import Sequence
from datetime import timedelta

from lidm.backtest.report import LAWS, AreaLine, Line, Report
from lidm.backtest.small_cells import LEAST
from lidm.backtest.spells import Outcome
from lidm.tables import table

WITHHELD = "—"
OUTCOMES: dict[Outcome, str] = {"gained": "新增", "lost": "减少", "longer": "延长", "shorter": "缩短"}
COUNTED = ("原有", *OUTCOMES.values())
HEAD = ("按草案", *COUNTED)
EXPLAINED = (
    ("原有", "按当时的参数，窗口里至少有一天在预警情形之中的户数"),
    ("按草案", "换成草案后的同一户数"),
    ("新增", "按草案有、原来没有的户"),
    ("减少", "原来有、按草案没有的户"),
    ("延长", "两边都有，按草案多出一些日子（发现得更早，或结束得更晚）"),
    ("缩短", "两边都有，按草案少了一些日子（发现得更晚，或结束得更早）"),
)
LAW_SAID = {
    "in-force": "底稿是各个时候实际启用的参数；草案改动的值，从草案自己写的日期起生效",
    "counterfactual": "底稿是各个时候实际启用的参数；草案的最新值当作整个窗口都有效",
}
SUPPRESSED = f"分地区的数字不满 {LEAST} 户的不显示（{WITHHELD}），能由合计推出的一并不显示；0 照写"


def figure(count: int | None) -> str:
    """A figure with thousands, or the mark of one that is withheld."""
    return WITHHELD if count is None else f"{count:,}"


def counts(line: Line) -> tuple[str, ...]:
    """A line's figures under `HEAD`."""
    return tuple(map(figure, (line.after, line.before, line.gained, line.lost, line.longer, line.shorter)))


def area_counts(line: AreaLine) -> tuple[str, ...]:
    """An area's figures under `COUNTED`."""
    return tuple(map(figure, (line.before, line.gained, line.lost, line.longer, line.shorter)))


def window(said: Report) -> str:
    """The window and the law in one phrase."""
    return f"{said.first} 至 {said.last}，{LAWS[said.law]}"


def text(said: Report) -> str:
    """The report on the terminal; week by week it is in the page and in `--json`."""
    return "\n".join(
        [
            f"草案 {said.draft}，{window(said)}：{LAW_SAID[said.law]}",
            "当时启用：" + "；".join(f"{since} 起 {short}" for since, short in said.policies),
            f"监测 {said.households:,} 户，台账日志到 {said.reached}；情形不论规则当时是否已在当地启用，都算在内",
            *(f"注意：{note}" for note in said.notes),
            "",
            table(("规则", "", *HEAD), [("全部", "", *counts(said.total)), *_rows(said.detectors)]),
            "",
            table(("身份", "", *HEAD), _rows(said.schemes)),
            "",
            table(("责任地区", "户数", *COUNTED), _area_rows(said.areas)),
            "",
            *_work(said),
        ]
    )


def _rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [(each.code, each.name, *counts(each)) for each in lines]


def _area_rows(lines: Sequence[AreaLine]) -> list[tuple[str, ...]]:
    return [(each.name, figure(each.households), *area_counts(each)) for each in lines]


def _work(said: Report) -> list[str]:
    """Work by place, and the heaviest week."""
    rows = [
        (t.name, figure(t.stood_before), figure(t.stood_after), figure(t.before), figure(t.after)) for t in said.towns
    ]
    lines = [table(("责任地区", "窗口前已有", "草案", "新发现（户次）", "草案"), rows)]
    if said.weeks:
        busiest = max(said.weeks, key=lambda each: each.after or 0)
        ends = busiest.begins + timedelta(days=6)
        then, now = figure(busiest.before), figure(busiest.after)
        lines.append(f"最忙的一周 {busiest.begins} 至 {ends}：原来 {then} 户，按草案 {now} 户")
    return [*lines, SUPPRESSED]
