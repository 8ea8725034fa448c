"""The report card as people read it: an HTML page, an Excel workbook, and lines for the terminal."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from schemas.errors import CallError
from schemas.feed_reports import SKEWS
from sinks.feedcard import Card

PAGE = Template("""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>$title</title><style>
body { font: 15px/1.6 "Noto Sans SC", "Microsoft YaHei", sans-serif; color: #1c2733; max-width: 960px;
  margin: 32px auto; padding: 0 16px; }
h1 { font-size: 24px; margin-bottom: 4px; } h2 { font-size: 18px; margin: 28px 0 8px; }
.lead { color: #5b6876; margin: 0 0 16px; }
.big { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.big div { border: 1px solid #d4dae1; border-radius: 6px; padding: 10px 14px; }
.big b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } .big span { color: #5b6876; }
.late b { color: #9c2f1f; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid #e3e8ed; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } th { color: #5b6876; font-weight: 400; }
.bar { display: inline-block; height: 10px; background: #1f5fa8; }
</style></head><body>
<h1>$title</h1><p class="lead">$lead</p>$body
</body></html>
""")


def percent(share: float | None) -> str:
    """A share for people; — where there is nothing to divide by."""
    return "—" if share is None else f"{share:.1%}"


def figures(card: Card) -> list[tuple[str, str]]:
    """The figures on top."""
    closing = card.closing
    due = f"（应 {closing.due}，实 {closing.closed_on or '未报齐'}）" if closing.due else ""
    return [
        ("报送及时", f"{card.on_time}{due}"),
        ("接收行数", f"{card.total.rows:,}"),
        ("拒收比例", percent(card.rejected_share)),
        ("对应到户", percent(card.matched_share)),
        ("不在关注范围", f"{card.total.out_of_scope + card.gateway_left_out:,}"),
        ("重复（抽样）", percent(card.repeated_share)),
        ("号码校验不过", f"{card.checksum_failures:,}"),
        ("更正 / 冲销", f"{card.total.corrected:,} / {card.total.reversed:,}"),
    ]


def tables(card: Card) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """Everything below: title, head, rows."""
    refused = card.refused + card.gateway_refused
    days: list[tuple[str, ...]] = [
        (day, *(f"{n:,}" for n in (d.rows, d.routed, d.out_of_scope, d.refused, d.corrected, d.reversed)))
        for day, d in sorted(card.days.items())
    ]
    filled: list[tuple[str, ...]] = [
        (label, "必填" if required else "选填", percent(share)) for _, label, required, share in card.completeness()
    ]
    total = card.skew.total()
    return [
        ("拒收原因", ("代码", "行数"), [(code, f"{n:,}") for code, n in refused.most_common()]),
        ("字段完整率（抽样）", ("字段", "要求", "完整率"), filled),
        (
            "记录到接收的时差（抽样）",
            ("时差", "事件数", "占比"),
            [(label, f"{card.skew[k]:,}", percent(card.skew[k] / total if total else None)) for k, label in SKEWS],
        ),
        ("逐日", ("日期", "接收", "入户", "不在关注范围", "拒收", "更正", "冲销"), days),
        ("趋势", ("月份", "接收行数"), [(month, f"{n:,}") for month, n in card.trend.items()]),
    ]


def html_of(card: Card) -> str:
    """One page."""
    late = {"迟报", "未报"}
    tiles = "".join(
        f"<div{' class=late' if name == '报送及时' and card.on_time in late else ''}><span>{escape(name)}</span>"
        f"<b>{escape(said)}</b></div>"
        for name, said in figures(card)
    )
    body = f'<div class="big">{tiles}</div>'
    for title, head, rows in tables(card):
        body += f"<h2>{escape(title)}</h2>" + (_table(head, rows) if rows else "<p>没有</p>")
    lead = f"{card.owner} · {card.feed} · {card.month}"
    return PAGE.substitute(title=escape(f"{card.title}数据质量报告单"), lead=escape(lead), body=body)


def index_of(cards: Sequence[Card], month: str) -> str:
    """All feeds of all departments on one page."""
    rows = [
        (c.owner, c.title, c.on_time, f"{c.total.rows:,}", percent(c.rejected_share), percent(c.matched_share))
        for c in sorted(cards, key=lambda c: (c.owner, c.feed))
    ]
    head = ("单位", "数据", "及时", "接收行数", "拒收比例", "对应到户")
    return PAGE.substitute(title=f"数据质量总表 {month}", lead="各部门各类数据", body=_table(head, rows))


def write_excel(cards: Sequence[Card], path: Path) -> None:
    """A sheet with all feeds and one for each. Raises CallError without openpyxl."""
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError as error:
        raise CallError("写 Excel 需要 lidm 的 gateway 扩展：pip install 'lidm[gateway]'") from error
    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise TypeError("a new workbook has a sheet")
    sheet.title = "总表"
    sheet.append(["单位", "数据类", "数据", *(name for name, _ in figures(cards[0]))] if cards else ["没有数据"])
    for card in cards:
        sheet.append([card.owner, card.feed, card.title, *(said for _, said in figures(card))])
        own = book.create_sheet(card.feed[:31])
        for title, head, rows in tables(card):
            own.append([title])
            own.append(list(head))
            for row in rows:
                own.append([_number(cell) for cell in row])
            own.append([])
    book.save(path)


def _number(cell: str) -> str | int:
    plain = cell.replace(",", "")
    return int(plain) if plain.isdigit() else cell


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
