"""A back-test as one HTML file: in Chinese, printable, nothing from elsewhere in it and no household's code."""

from collections.abc import Iterable, Sequence

from lidm.backtest.charts import differences, heat, weekly
from lidm.backtest.report import LAWS, Report
from lidm.backtest.words import (
    COUNTED,
    EXPLAINED,
    HEAD,
    LAW_SAID,
    SUPPRESSED,
    area_counts,
    counts,
    figure,
    window,
)
from lidm.feed_pages import markup
from lidm.feed_pages.markup import Cell, Html, join, section, tag, terms

FIGURES = """
.wide { margin-bottom: 12px; }
.figures td:nth-child(n+2), .figures th:nth-child(n+2) { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0 0 12px; }
svg { display: block; min-width: 640px; }
@media print { svg { min-width: 0; } figure { break-inside: avoid; } }"""
_FOOT = (
    "由 lidm backtest 在归档的台账日志上重新研判得出，没有向任何主题写入。"
    "系统只作提示，是否救助由经办人核实后决定。"
)
_CONTENTS = (
    ("#rules", "按规则"), ("#schemes", "按身份"), ("#areas", "按地区"), ("#work", "工作量"), ("#basis", "依据"),
)  # fmt: skip


def page(said: Report) -> str:
    """The file's text."""
    body = join((_first(said), _rules(said), _schemes(said), _areas(said), _work(said), _basis(said)))
    return markup.page(f"参数草案回测 {said.draft}", window(said), _CONTENTS, body, foot=_FOOT, style=FIGURES)


def _first(said: Report) -> Html:
    total = said.total
    told = (
        f"监测 {said.households:,} 户。按草案有预警情形的 {figure(total.after)} 户，原有 {figure(total.before)} 户："
        f"新增 {figure(total.gained)} 户，减少 {figure(total.lost)} 户。"
    )
    notes = tag("ul", join(tag("li", note) for note in said.notes)) if said.notes else Html("")
    return section("first", "结论", join((tag("p", told), tag("p", LAW_SAID[said.law]), notes)))


def _rules(said: Report) -> Html:
    rows = [("全部规则", *counts(said.total)), *((f"{e.code} {e.name}", *counts(e)) for e in said.detectors)]
    chart = [each for each in said.detectors if each.gained or each.lost]
    drawn = _figure(differences(chart)) if chart else tag("p", "没有哪条规则有新增或减少的户。")
    return section("rules", "按规则", join((drawn, _figures(("规则", *HEAD), rows), terms(EXPLAINED))))


def _schemes(said: Report) -> Html:
    lead = tag("p", "一户按它在有关情形第一天持有的最高一级身份计；没有上列身份的，计在“其他困难人员”。")
    rows = [(each.name, *counts(each)) for each in said.schemes]
    return section("schemes", "按身份", join((lead, _figures(("身份", *HEAD), rows))))


def _areas(said: Report) -> Html:
    rows = [(each.name, figure(each.households), *area_counts(each)) for each in said.areas]
    body = (_figures(("责任地区", "监测户数", *COUNTED), rows), tag("p", SUPPRESSED, "soft"))
    return section("areas", "按地区", join(body))


def _work(said: Report) -> Html:
    lead = tag("p", "每周至少发现一种新情形的户数；同一户一周里有几种新情形只算一次。窗口开始前已在情形之中的另计。")
    head = ("责任地区", "窗口前已有", "草案", "新发现（户次）", "草案", "每周平均", "草案")
    weeks = max(1, len(said.weeks))
    rows = [
        (t.name, *map(figure, (t.stood_before, t.stood_after, t.before, t.after)),
         _average(t.before, weeks), _average(t.after, weeks))
        for t in said.towns
    ]  # fmt: skip
    body = (
        lead,
        _figure(weekly(said.weeks)),
        _figures(head, rows),
        tag("h3", "各地各周的增减"),
        _figure(heat(said)),
        tag("p", "蓝色是按草案要多走访的，红色是少走访的，灰色是不显示的小数。", "soft"),
        tag("p", SUPPRESSED, "soft"),
    )
    return section("work", "工作量", join(body))


def _basis(said: Report) -> Html:
    rows: list[tuple[str, Cell]] = [
        ("草案", said.draft),
        ("口径", f"{LAWS[said.law]}：{LAW_SAID[said.law]}"),
        ("窗口", f"{said.first} 至 {said.last}（两端都含）"),
        ("比较自", f"{said.compared}"),
        ("日志到", f"{said.reached}，之后才知道的事不算在内"),
        ("当时启用", "；".join(f"{since} 起 {short}" for since, short in said.policies)),
        ("计什么", "情形，不论规则当时是否已在当地启用；关于数据质量的规则不在内"),
        ("搬家", "窗口里搬走的人，其情形在新的一户算作新发现，两边一样"),
    ]
    return section("basis", "依据", terms(rows))


def _average(count: int | None, weeks: int) -> str:
    return figure(None) if count is None else f"{count / weeks:.1f}"


def _figure(drawn: str) -> Html:
    return tag("figure", Html(drawn))


def _figures(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Html:
    return markup.table(head, rows, "figures")
