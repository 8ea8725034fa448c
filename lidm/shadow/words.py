"""A comparison's words on the terminal."""

from collections.abc import Sequence

from lidm.backtest.words import SUPPRESSED, figure
from lidm.shadow.compare import AreaLine, Change, Comparison, Level, Line, Reason, estimate
from lidm.shadow.runs import ShadowRun
from lidm.tables import table

CHANGES: dict[Change, str] = {"gained": "新增", "lost": "减少", "same": "相同"}
HEAD = ("现行", "试运行", "新增", "减少", "相同", "其中更重", "其中更轻")
LEVEL_HEAD = ("级别", "现行", "试运行", "新增", "减少")
REASON_HEAD = ("规则", "变化", "界线", "文件", "户数")
AREA_HEAD = ("责任地区", "现行", "新增", "减少", "现行新发现（户次）", "试运行新发现（户次）")
EXPLAINED = (
    ("现行", "正式规则的预警此刻仍在的户数"),
    ("试运行", "试运行的规则此刻认为有情形的户数"),
    ("新增", "只有试运行认为有情形的户：正式启用时就是存量"),
    ("减少", "只有正式规则认为有情形的户：正式启用后会撤回或消失"),
    ("更重、更轻", "两边都有，试运行的级别更高或更低"),
    ("新发现", "开始那天之后才发现的户，同一户一周只算一次"),
)


def head(run: ShadowRun) -> str:
    """A run in one line."""
    policy = f"草案 {run.policy}" if run.policy else "现行参数"
    ended = f"，{run.until:%Y-%m-%d %H:%M} 由{run.ended_by}结束（{run.ended_for}）" if run.until else ""
    rules = "、".join(run.detectors)
    return f"{run.name}  {run.area}  {rules}  {policy}  自 {run.since:%Y-%m-%d %H:%M}，{run.actor}：{run.reason}{ended}"


def counts(line: Line) -> tuple[str, ...]:
    """Figures under `HEAD`."""
    told = (line.before, line.after, line.gained, line.lost, line.same, line.worse, line.milder)
    return tuple(map(figure, told))


def level(each: Level) -> tuple[str, ...]:
    """Figures under `LEVEL_HEAD`."""
    return (f"{each.severity}级", *map(figure, (each.before, each.after, each.gained, each.lost)))


def reason(each: Reason) -> tuple[str, ...]:
    """Under `REASON_HEAD`."""
    return (each.rule, CHANGES[each.change], each.line, each.document, figure(each.households))


def area(each: AreaLine) -> tuple[str, ...]:
    """Figures under `AREA_HEAD`."""
    return (each.name, *map(figure, (each.before, each.gained, each.lost, each.new_before, each.new_after)))


def work(said: Comparison) -> str:
    """The work in one sentence."""
    stock = f"若现在正式启用，存量 {said.total.gained:,} 户要放出"
    mean = estimate(said.weeks)
    if mean is None:
        return f"{stock}；开始还不满一整周，每周新发现的户数还看不出"
    return f"{stock}；整周平均每周新发现：现行 {mean[0]:.1f} 户，试运行 {mean[1]:.1f} 户"


def text(said: Comparison) -> str:
    """The comparison on the terminal."""
    rules: Sequence[tuple[str, ...]] = [
        ("全部", "", *counts(said.total)), *((each.code, each.name, *counts(each)) for each in said.rules)
    ]  # fmt: skip
    parts = [
        head(said.run),
        f"截至 {said.until}；试运行的预警不建案、不统计",
        *(f"注意：{each}" for each in said.notes),
        "",
        table(("规则", "", *HEAD), rules),
        "",
        table(LEVEL_HEAD, [level(each) for each in said.levels]),
        "",
        table(REASON_HEAD, [reason(each) for each in said.reasons]),
        "",
        table(AREA_HEAD, [area(each) for each in said.areas]),
        SUPPRESSED,
        "",
        work(said),
    ]
    return "\n".join(parts)
