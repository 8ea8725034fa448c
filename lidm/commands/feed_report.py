"""`lidm feed report`: how good each department's data was in a month; HTML, Excel and JSON."""

import json
from datetime import datetime
from pathlib import Path

import click

from gateway.values import SHANGHAI
from lidm.settings import load_settings
from schemas.errors import CallError
from schemas.feed import FEEDS


@click.command("report")
@click.option("--month", required=True, metavar="YYYY-MM", help="哪个月")
@click.option("--feed", "feeds", multiple=True, metavar="数据类", help="只看这些数据类（默认全部有数据的）")
@click.option("--out", type=click.Path(path_type=Path), help="把网页、Excel 和 JSON 写入此目录")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def report_feeds(month: str, feeds: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """数据质量报告单：及时、行数、完整率、拒收原因、重复、更正、时差、对应到户、趋势；含逐日。"""
    from lidm.feed_report import figures, html_of, index_of, write_excel
    from lidm.stores import reading
    from lidm.tables import table
    from sinks.feedcard import card

    year, _, number = month.partition("-")
    if not (len(month) == 7 and year.isdecimal() and number.isdecimal() and 1 <= int(number) <= 12):
        raise CallError("月份应为 YYYY-MM，如 2026-05")
    if unknown := [feed for feed in feeds if feed not in FEEDS]:
        raise CallError(f"没有数据类 {'、'.join(unknown)}；有：{'、'.join(FEEDS)}")
    today = datetime.now(SHANGHAI).date()
    with reading(load_settings()) as store:
        cards = [card(store, feed, month, today) for feed in feeds or FEEDS]
    if not feeds:
        cards = [each for each in cards if each.total.rows or each.gateway_read or each.closing.closed_on]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for each in cards:
            (out / f"{each.feed}-{month}.html").write_text(html_of(each), encoding="utf-8")
            said = json.dumps(each.as_json(), ensure_ascii=False, indent=2) + "\n"
            (out / f"{each.feed}-{month}.json").write_text(said, encoding="utf-8")
        (out / f"index-{month}.html").write_text(index_of(cards, month), encoding="utf-8")
        write_excel(cards, out / f"report-{month}.xlsx")
    if as_json:
        click.echo(json.dumps([each.as_json() for each in cards], ensure_ascii=False))
        return
    if not cards:
        click.echo(f"{month} 没有任何数据")
        return
    head = ("单位", "数据类", *(name for name, _ in figures(cards[0])))
    click.echo(table(head, [(c.owner, c.feed, *(said for _, said in figures(c))) for c in cards]))
    if out is not None:
        click.echo(f"网页、Excel 和 JSON 已写入 {out}")
