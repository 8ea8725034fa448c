"""The report card as people read it: an HTML page, an Excel workbook, and lines for the terminal."""

from collections.abc import Container, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from gateway.problems import REFUSALS
from schemas.amounts import middle, typical_fen
from schemas.errors import CallError
from schemas.feed_reports import SKEWS
from schemas.identity_flaws import IdentityFlaw
from schemas.labels import BatchMode, HoldState, yuan
from sinks.feedcard import Card

PAGE = Template("""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title><style>
body { font: 15px/1.6 "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #1c2733;
  max-width: 1040px; margin: 32px auto; padding: 0 16px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 26px 0 6px; }
.lead { color: #5b6876; margin: 0 0 16px; } a { color: #1f5fa8; text-decoration: none; }
.big { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; }
.big div { border: 1px solid #d4dae1; border-radius: 6px; padding: 8px 14px; }
.big span, .big small { display: block; color: #5b6876; font-size: 14px; }
.big b { display: block; font-size: 22px; line-height: 1.4; font-variant-numeric: tabular-nums; }
.late b, .late td:nth-child(3) { color: #9c2f1f; } .good b { color: #1d6b3a; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 40px; align-items: start; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 4px 8px; border-bottom: 1px solid #e3e8ed; font-variant-numeric: tabular-nums; }
th { color: #5b6876; font-weight: 400; white-space: nowrap; } .n { text-align: right; white-space: nowrap; }
.bar { width: 34%; } .bar i { display: block; height: 9px; background: #7fa8d4; border-radius: 2px; }
@page { size: A4; margin: 14mm; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } tr, .big div { break-inside: avoid; }
  h2 { break-after: avoid; } }
@media (max-width: 720px) { .big { grid-template-columns: 1fr 1fr; } .pair { grid-template-columns: 1fr; } }
</style></head><body>
<h1>$title</h1><p class="lead">$lead</p>$body
</body></html>
""")


LATE = ("迟报", "未报", "待确认")
_BARRED = ("完整率", "占比", "接收行数")


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
        (
            "拒收原因",
            ("代码", "含义", "行数"),
            [(code, REFUSALS.get(code, ""), f"{n:,}") for code, n in refused.most_common()],
        ),
        ("字段完整率（抽样）", ("字段", "要求", "完整率"), filled),
        (
            "记录到接收的时差（抽样）",
            ("时差", "事件数", "占比"),
            [(label, f"{card.skew[k]:,}", percent(card.skew[k] / total if total else None)) for k, label in SKEWS],
        ),
        *_where_there_is_something(card),
        ("逐日", ("日期", "接收", "入户", "不在关注范围", "拒收", "更正", "冲销"), days),
        ("趋势", ("月份", "接收行数"), [(month, f"{n:,}") for month, n in card.trend.items()]),
    ]


def _where_there_is_something(card: Card) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """Tables that most cards have no rows for."""
    held: list[tuple[str, ...]] = [
        (e.batchid, BatchMode[e.mode].label, f"{e.before:,}", f"{e.gone:,}", HoldState[e.state].label, e.reason)
        for e in card.holds
    ]
    senders: list[tuple[str, ...]] = [
        (name, *(f"{n[k]:,}" for k in ("read", "left_out", "refused")), percent(n["refused"] / (n["read"] or 1)))
        for name, n in sorted(card.departments.items())
    ]
    flaws: list[tuple[str, ...]] = [(IdentityFlaw[flaw].label, f"{n:,}") for flaw, n in card.flaws.most_common()]
    labels = {name: label for name, label, _, _ in card.completeness()}
    sizes: list[tuple[str, ...]] = [
        (labels.get(name, name), yuan(typical_fen(middle(counts) or 1)), f"{sum(counts.values()):,}")
        for name, counts in sorted(card.amounts.items())
    ]
    found = [
        ("整批确认", ("批次", "方式", "原有", "缺", "状态", "说明"), held),
        ("各报送单位（经网关）", ("单位", "读入", "不在关注范围", "拒收", "占比"), senders),
        ("证件号码", ("情况", "个数"), flaws),
        ("金额量级（抽样）", ("字段", "多在", "笔数"), sizes),
    ]
    return [each for each in found if each[2]]


def html_of(card: Card) -> str:
    """One page."""
    made = {title: f"<h2>{escape(title)}</h2>" + _table(head, rows) for title, head, rows in tables(card)}
    days = made.pop("逐日")
    first, second, *rest = made.values()
    body = f'<div class="big">{"".join(_tile(card, *each) for each in figures(card))}</div>'
    body += f'<div class="pair"><div>{second}</div><div>{first}{"".join(rest)}</div></div>{days}'
    lead = f"{card.owner} · {card.feed} · {card.month}"
    return PAGE.substitute(title=escape(f"{card.title}数据质量报告单"), lead=escape(lead), body=body)


def _tile(card: Card, name: str, said: str) -> str:
    value, bracket, rest = said.partition("（")
    looks = {"按时": "good", **dict.fromkeys(LATE, "late")}
    look = looks.get(card.on_time, "") if name == "报送及时" else ""
    small = f"<small>{escape(rest.rstrip('）'))}</small>" if bracket else ""
    return f'<div class="{look}"><span>{escape(name)}</span><b>{escape(value)}</b>{small}</div>'


def index_of(cards: Sequence[Card], month: str) -> str:
    """All feeds of all departments on one page, each leading to its own."""
    head = ("单位", "数据", "及时", "接收行数", "拒收比例", "对应到户")
    ordered = sorted(cards, key=lambda c: (c.owner, c.feed))
    rows = [
        (c.owner, c.title, c.on_time, f"{c.total.rows:,}", percent(c.rejected_share), percent(c.matched_share))
        for c in ordered
    ]
    late = {at for at, c in enumerate(ordered) if c.on_time in LATE}
    links = {at: f"{c.feed}-{month}.html" for at, c in enumerate(ordered)}
    body = _table(head, rows, late=late, links=links)
    return PAGE.substitute(title=escape(f"数据质量总表 {month}"), lead="各部门各类数据", body=body)


def write_excel(cards: Sequence[Card], path: Path) -> None:
    """A sheet with all feeds and one for each. Raises CallError without openpyxl."""
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError as error:
        raise CallError("写 Excel 需要 lidm 的 office 扩展：pip install 'lidm[office]'") from error
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


def _table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    late: Container[int] = (),
    links: Mapping[int, str] | None = None,
) -> str:
    """Numbers to the right, shares and trends as bars; `late`: rows marked, `links`: where the second cell leads."""
    if not rows:
        return "<p>没有</p>"
    right = {at for at in range(len(head)) if all(_numeric(row[at]) for row in rows)}
    bars = _bars(head[-1], [row[-1] for row in rows])
    top = "".join(f"<th{_aligned(at in right)}>{escape(cell)}</th>" for at, cell in enumerate(head))
    lines = []
    for number, row in enumerate(rows):
        cells = [escape(cell) for cell in row]
        if links is not None:
            cells[1] = f'<a href="{escape(links[number])}">{cells[1]}</a>'
        said = "".join(f"<td{_aligned(at in right)}>{cell}</td>" for at, cell in enumerate(cells))
        mark = ' class="late"' if number in late else ""
        lines.append(f"<tr{mark}>{said}{bars[number] if bars else ''}</tr>")
    return f"<table><tr>{top}{'<th></th>' if bars else ''}</tr>{''.join(lines)}</table>"


def _aligned(right: bool) -> str:
    return ' class="n"' if right else ""


def _numeric(cell: str) -> bool:
    return cell == "—" or cell.replace(",", "").removesuffix("%").replace(".", "", 1).isdigit()


def _bars(title: str, cells: Sequence[str]) -> list[str]:
    """A bar beside each share, or beside each month of a trend; none elsewhere."""
    if title not in _BARRED:
        return []
    values = [float(cell.rstrip("%").replace(",", "")) if cell != "—" else 0.0 for cell in cells]
    whole = 100.0 if title != "接收行数" else max(*values, 1.0)
    return [f'<td class="bar"><i style="width:{value / whole:.0%}"></i></td>' for value in values]
