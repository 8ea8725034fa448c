"""The fairness report for the terminal and as one HTML file; no household and nobody in it."""

from html import escape

from lidm.fairness import LEAST, NOT_HELD, Breakdown, Report, Row, Share, few
from lidm.paper import Row as Line
from lidm.paper import paper, table
from lidm.tables import table as columns

TITLE = "公平与覆盖报告"
_HEAD = ("", "在册", "有帮扶类预警", "95%区间", "核查有结论", "确有困难", "95%区间", "有复核类预警", "95%区间")
_NOTES = (
    f"少于{LEAST}的数不显示，能由合计推出的也不显示，写“—”。",
    "预警按首次发出的日子计入，撤回的不计，存量计入；按人的表只含针对个人的预警。",
    "“确有困难”只在核查有结论（确有困难、暂无困难）的户或人中计算；联系未果、数据有误的不计。",
    "各组的差别是要去查清的问题，不是结论；在册人口按台账，截至期末。本报告不比较从预警到落实帮扶用了多久。",
)


def text(told: Report) -> str:
    """The report on the terminal, with the list for visits."""
    lines = [f"{TITLE}  {told.first} 至 {told.last}", columns(_HEAD, [_cells(told.all)])]
    for each in told.breakdowns:
        lines += ["", f"按{each.title}（{each.unit}）", columns(_HEAD, [_cells(row) for row in each.rows])]
    lines += ["", *_NOTES, "没有的数据：", *(f"  {each}" for each in NOT_HELD)]
    lines += ["", f"从未有过预警的{_silent(told)}户中随机抽取{len(told.visits)}户走访（种子 {told.seed}）："]
    return "\n".join([*lines, *(f"  {household}  {area}".rstrip() for household, area in told.visits)])


def page(told: Report) -> str:
    """The file's text; the households drawn are not in it."""
    top = f'<p class="kind">{TITLE}</p><h1>{told.first} 至 {told.last}</h1>'
    body = [f"<header>{top}</header>", _table([told.all])]
    body += [_breakdown(each) for each in told.breakdowns]
    body += ["<h2>怎么读</h2>", *(f'<p class="note">{escape(each)}</p>' for each in _NOTES)]
    body += ["<h2>没有的数据</h2>", *(f"<p>{escape(each)}</p>" for each in NOT_HELD)]
    body.append(
        f"<h2>沉默的少数</h2><p>从未有过预警的{_silent(told)}户中随机抽取{len(told.visits)}户走访"
        f"（种子 {escape(told.seed)}，同一种子抽出同样的户）。名单不在本页，见命令输出。</p>"
    )
    body.append("<footer>本页只有合计数，不含任何家庭或个人。</footer>")
    return paper(TITLE, "\n".join(body))


def _breakdown(told: Breakdown) -> str:
    return f"<h2>按{escape(told.title)}（{told.unit}）</h2>{_table(told.rows)}"


def _table(rows: tuple[Row, ...] | list[Row]) -> str:
    lines: list[Line] = []
    for row in rows:
        group, *figures = _cells(row)
        cells = [f"<td>{escape(group)}</td>", *(f'<td class="n">{escape(each)}</td>' for each in figures)]
        lines.append(("", cells))
    return table((_HEAD[0], *(f"n:{each}" for each in _HEAD[1:])), lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.group,
        _number(row.alerted.of),
        _share(row.alerted),
        _interval(row.alerted),
        _number(row.confirmed.of),
        _share(row.confirmed),
        _interval(row.confirmed),
        _share(row.reviewed),
        _interval(row.reviewed),
    )


def _number(count: int | None) -> str:
    return "—" if count is None else f"{count:,}"


def _share(share: Share) -> str:
    if share.counted is None or share.rate is None:
        return "—" if share.of != 0 else "0"
    return f"{share.counted:,}（{share.rate:.1%}）"


def _interval(share: Share) -> str:
    return "—" if share.interval is None else f"{share.interval[0]:.1%}–{share.interval[1]:.1%}"


def _silent(told: Report) -> str:
    return f"不到{LEAST}" if few(told.silent) else f"{told.silent:,}"
