"""An explanation as one HTML file: printable, in Chinese, with nothing from elsewhere and nobody's identity in it.

No script, no font, no picture that is not in the file. People stand by their relation to the head of household; codes
of persons and households are left out, and what looks like an identity number is never written.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from detectors.episodes import SHANGHAI
from lidm.alert_text import amount, document, evidence_value, gap, state, subject
from lidm.chart import series_of, svg
from lidm.explain_text import dated, late, late_word, left_out, now, verdict, what_of
from lidm.explanation import Explanation
from lidm.fact_words import feed_title
from lidm.timeline import Entry, title_of
from schemas.labels import FamilyLabel
from schemas.plain_identity import carries_identity

_CODE = re.compile(r"\b[phv]_[0-9a-f][0-9a-f-]{31,35}")
_STYLE = """
:root { color-scheme: light; --ink: #1c2733; --soft: #55616e; --rule: #d4dae1; --blue: #1f5fa8; --red: #9c2f1f; }
* { box-sizing: border-box; }
body { font: 15px/1.65 "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  color: var(--ink); background: #fff; max-width: 900px; margin: 0 auto; padding: 36px 24px 56px; }
header { border-bottom: 2px solid var(--ink); padding-bottom: 18px; }
.kind { color: var(--soft); margin: 0 0 6px; }
h1 { font-size: 23px; line-height: 1.5; font-weight: 600; margin: 0; text-wrap: pretty; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 14px 0 0; }
.facts div { display: flex; gap: 8px; } dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; }
h2 { font-size: 17px; margin: 34px 0 8px; }
p { margin: 6px 0; } .soft, .note { color: var(--soft); } .note { font-size: 13.5px; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: 13.5px; }
svg { width: 100%; height: auto; font: 13px "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
.axis { stroke: #8894a1; stroke-width: 1; } .tick { fill: #55616e; }
.fill { fill: #1f5fa8; fill-opacity: .14; } .total { fill: none; stroke: #1f5fa8; stroke-width: 2; }
.dot { fill: #1f5fa8; } .end { fill: #1c2733; font-weight: 600; }
.limit { stroke: #9c2f1f; stroke-width: 1.5; stroke-dasharray: 6 4; } .limit-text { fill: #9c2f1f; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 400; white-space: nowrap; } td.n, th.n { text-align: right; }
td.d { white-space: nowrap; }
.slim td.d, .slim td.n { width: 1%; white-space: nowrap; }
td.k { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
tr.later td { color: var(--soft); } tr.us td { background: #f3f6fa; }
.mark { color: var(--blue); white-space: nowrap; } .after { color: var(--red); white-space: nowrap; }
code { font: 13px/1.6 ui-monospace, Consolas, monospace; background: #f3f6fa; padding: 2px 6px;
  overflow-wrap: anywhere; }
footer { margin-top: 40px; border-top: 1px solid var(--rule); padding-top: 10px; color: var(--soft); font-size: 13px; }
@media screen and (max-width: 760px) { svg { min-width: 560px; } table { min-width: 700px; } }
@page { size: A4; margin: 16mm 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } .wide { overflow: visible; }
  h2 { break-after: avoid; } tr, figure { break-inside: avoid; } thead { display: table-header-group; } }
"""
_PAGE = Template("""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title><style>$style</style></head><body>
$body
</body></html>
""")

Row = tuple[str, Sequence[str]]
"""Class of a row and its cells, already HTML."""


def page(told: Explanation) -> str:
    """The file's text."""
    said = _Words(told)
    body = "\n".join(
        (_head(said), _figure(told), _evidence(said), _line(said), _story(said), _covered(said), _end(said))
    )
    return _PAGE.substitute(title=f"预警说明 {told.alert.alert_id[:8]}", style=_STYLE, body=body)


class _Words:
    """Texts as HTML, without anybody's code or number."""

    def __init__(self, told: Explanation) -> None:
        self.told = told

    def __call__(self, text: object) -> str:
        """The text, safe to show."""
        plain = _CODE.sub("〔代码〕", self.told.story.plain(str(text)))
        return escape("〔不显示〕" if carries_identity(plain) else plain)


def _head(say: _Words) -> str:
    alert = say.told.alert
    facts = [
        ("对象", subject(alert)),
        ("等级", f"{alert.severity}级"),
        ("状态", state(alert)),
        ("自", str(alert.since)),
        ("责任地区", say.told.place),
        ("预警", f"{alert.alert_id} 第{alert.revision}次"),
        ("判定日", str(alert.on)),
        ("得知", f"{alert.known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"),
    ]
    shown = "".join(f"<div><dt>{say(name)}</dt><dd>{say(value)}</dd></div>" for name, value in facts)
    kind = f"{FamilyLabel[alert.family].label} · {alert.detector}"
    return f'<header><p class="kind">{say(kind)}</p><h1>{say(alert.reason)}</h1><dl class="facts">{shown}</dl></header>'


def _figure(told: Explanation) -> str:
    series = series_of(told.alert, told.revisions)
    return (
        f"<h2>测得{escape(amount(told.alert.measure, told.alert.unit))}，"
        f"预警线{escape(amount(told.alert.threshold.value, told.alert.unit))}</h2>"
        f'<figure><div class="wide">{svg(series)}</div>'
        f"<figcaption>{escape(series.caption)}</figcaption></figure>"
    )


def _evidence(say: _Words) -> str:
    rows: list[Row] = [
        (
            "",
            (
                f'<td class="d">{each.day}</td>',
                f'<td class="n">{say(evidence_value(each.feed, each.value))}</td>',
                f"<td>{say(feed_title(each.feed))}</td>",
                f"<td>{say(each.source)}</td>",
                f'<td class="k">{say(each.key)}</td>',
            ),
        )
        for each in sorted(say.told.alert.evidence, key=lambda each: each.day)
    ]
    head = ("日期", "n:值", "数据", "来源", "业务编号")
    return f'<h2>依据</h2><div class="slim">{_table(head, rows)}</div>'


def _line(say: _Words) -> str:
    alert = say.told.alert
    sentences = [f"{amount(alert.threshold.value, alert.unit)}，{document(alert)}", *dated(say.told.line)]
    return "<h2>界线</h2>" + "".join(f"<p>{say(each)}</p>" for each in sentences)


def _story(say: _Words) -> str:
    story = say.told.story
    head = ("发生", "得知", "", "数据", "谁", "内容")
    note = f'<p class="note">{say(left_out(story))}</p>' if left_out(story) else ""
    if not story.entries:
        return '<h2>经过</h2><p class="soft">归档里没有这一户的台账日志。</p>'
    lead = '<p class="note">同一件事有两个时间：哪天发生，我们哪天知道。灰色的行是发出预警之后才知道的。</p>'
    return "<h2>经过</h2>" + lead + _table(head, [_entry(say, each) for each in story.entries]) + note


def _entry(say: _Words, entry: Entry) -> Row:
    marks = '<span class="mark">依据</span> ' if entry.evidence else ""
    marks += "" if entry.then else '<span class="after">事后得知</span> '
    delay = f' <span class="soft">{say(late(entry))}</span>' if late(entry) and entry.feed else ""
    cells = (
        f'<td class="d">{entry.day}</td>',
        f'<td class="d">{entry.known_at:%Y-%m-%d}{delay}</td>',
        f'<td class="d">{say(entry.what)}</td>',
        f"<td>{say(title_of(entry))}</td>",
        f"<td>{say(entry.who)}</td>",
        f"<td>{marks}{say(what_of(entry))}</td>",
    )
    return ("us" if not entry.feed else "" if entry.then else "later", cells)


def _covered(say: _Words) -> str:
    told = [(feed_title(e.feed), e.last_closed or "没有收齐过", late_word(e)) for e in say.told.covered]
    rows: list[Row] = [("", tuple(f"<td>{say(cell)}</td>" for cell in cells)) for cells in told]
    shown = _table(("数据", "已收齐到", ""), rows) if rows else '<p class="soft">归档里没有，不能说明当时的覆盖。</p>'
    missing = [gap(each.model_copy(update={"feed": feed_title(each.feed)})) for each in say.told.alert.coverage]
    lacking = f"<p>缺少的数据（未计入，不等于没有）：{say('；'.join(missing))}</p>" if missing else ""
    return f"<h2>数据覆盖（当时）</h2>{shown}{lacking}"


def _end(say: _Words) -> str:
    told, alert = say.told, say.told.alert
    versions = [
        f"规则 {alert.detector}@{alert.detector_version}{now(alert.detector_version, told.sources.detector_now)}",
        f"参数 {alert.threshold.policy}{now(alert.threshold.policy, told.sources.policy_now)}",
        f"台账格式 {told.versions['codec']}，折叠规则 {told.versions['fold']}（本机）",
    ]
    lines = [*versions, *verdict(told.verdict)]
    cases = f"<p>个案 {say('、'.join(told.cases))}</p>" if told.cases else ""
    return (
        "<h2>版本与重放</h2>"
        + "".join(f"<p>{say(each)}</p>" for each in lines)
        + f"<p><code>{say(told.replay_command)}</code></p>{cases}"
        + "<footer>本页不含姓名、证件号码和住址。系统只作提示，是否救助由经办人核实后决定。</footer>"
    )


def _table(head: Iterable[str], rows: Iterable[Row]) -> str:
    """Head cells beginning with `n:` are for figures."""
    cells = "".join(
        f'<th class="n">{escape(each[2:])}</th>' if each.startswith("n:") else f"<th>{escape(each)}</th>"
        for each in head
    )
    body = "".join(f'<tr class="{kind}">{"".join(row)}</tr>' for kind, row in rows)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
