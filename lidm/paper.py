"""A printable HTML file in Chinese: one style, tables, and texts in which nobody's code or number stands.

No script, no font, no picture that is not in the file; it loads nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from html import escape
from string import Template
from typing import NamedTuple

from lidm.alert_text import evidence_value
from lidm.fact_words import feed_title
from lidm.people_words import without_codes
from schemas.plain_identity import carries_identity

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


def paper(title: str, body: str) -> str:
    """The file's text; `title` and `body` are HTML."""
    return _PAGE.substitute(title=title, style=_STYLE, body=body)


def shown(text: object, people: Mapping[str, str]) -> str:
    """A text as HTML: people by their relation, no code of anybody, nothing that looks like an identity number."""
    said = without_codes(str(text), people)
    return escape("〔不显示〕" if carries_identity(said) else said)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values below a heading; both HTML."""
    told = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{told}</dl>'


def table(head: Iterable[str], rows: Iterable[Row]) -> str:
    """Head cells beginning with `n:` are for figures."""
    cells = "".join(
        f'<th class="n">{escape(each[2:])}</th>' if each.startswith("n:") else f"<th>{escape(each)}</th>"
        for each in head
    )
    body = "".join(f'<tr class="{kind}">{"".join(row)}</tr>' for kind, row in rows)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


class Input(NamedTuple):
    """One record something rests on."""

    day: date
    feed: str
    source: str
    key: str
    value: int


def inputs(items: Iterable[Input], people: Mapping[str, str]) -> str:
    """The records something rests on, by day."""
    rows: list[Row] = [
        (
            "",
            (
                f'<td class="d">{each.day}</td>',
                f'<td class="n">{shown(evidence_value(each.feed, each.value), people)}</td>',
                f"<td>{shown(feed_title(each.feed), people)}</td>",
                f"<td>{shown(each.source, people)}</td>",
                f'<td class="k">{shown(each.key, people)}</td>',
            ),
        )
        for each in sorted(items, key=lambda each: each.day)
    ]
    return f'<div class="slim">{table(("日期", "n:值", "数据", "来源", "业务编号"), rows)}</div>'
