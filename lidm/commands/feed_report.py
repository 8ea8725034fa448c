"""`lidm feed report`: how good each department's data was in a month or on a day; HTML, Excel and JSON."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from lidm.settings import load_settings
from schemas.calendar import SHANGHAI
from schemas.errors import CallError
from schemas.feed import FEEDS

if TYPE_CHECKING:  # the base install has no store
    from sinks.feedcard import Card


@click.command("report")
@click.option("--month", metavar="YYYY-MM", help="哪个月")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="或者哪一天")
@click.option("--feed", "feeds", multiple=True, metavar="数据类", help="只看这些数据类（默认全部有数据的）")
@click.option("--out", type=click.Path(path_type=Path), help="把网页、Excel 和 JSON 写入此目录")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def report_feeds(
    month: str | None, day: datetime | None, feeds: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """数据质量报告单，按月或按日：及时、行数、完整率、拒收原因、号码、金额量级、重复、更正、时差、对应到户、趋势。"""
    from lidm.feed_report import figures
    from lidm.stores import reading
    from lidm.tables import table
    from sinks.feedcard import card, day_card

    if (month is None) == (day is None):
        raise CallError("请写明 --month 或 --day 其中之一")
    if unknown := [feed for feed in feeds if feed not in FEEDS]:
        raise CallError(f"没有数据类 {'、'.join(unknown)}；有：{'、'.join(FEEDS)}")
    when = _month(month) if month is not None else f"{day:%Y-%m-%d}"
    today = datetime.now(SHANGHAI).date()
    with reading(load_settings()) as store:
        wanted = feeds or tuple(FEEDS)
        cards = [day_card(store, f, day.date()) if day is not None else card(store, f, when, today) for f in wanted]
    if not feeds:
        cards = [each for each in cards if each.total.rows or each.gateway_read or each.closing.closed_on]
    if out is not None:
        _write(cards, when, out)
    if as_json:
        click.echo(json.dumps([each.as_json() for each in cards], ensure_ascii=False))
        return
    if not cards:
        click.echo(f"{when} 没有任何数据")
        return
    head = ("单位", "数据类", *(name for name, _ in figures(cards[0])))
    click.echo(table(head, [(c.owner, c.feed, *(said for _, said in figures(c))) for c in cards]))
    if out is not None:
        click.echo(f"网页、Excel 和 JSON 已写入 {out}")


@click.command("cards")
@click.option("--at", type=click.DateTime(), default=None, help="以此时刻为准（北京时间，默认现在；模拟时钟下必填）")
@click.option("--days", type=click.IntRange(1, 400), default=3, show_default=True, help="往回几天")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def make_feed_cards(at: datetime | None, days: int, as_json: bool) -> None:
    """现在就生成报告单：逐日逐月存档，并交给数据质量规则；只发有变化的。归档环节每小时自动做一次。"""
    from lidm.feed_cards import make_cards
    from lidm.stores import reading

    settings = load_settings()
    if at is None and settings.effective_clock == "driven":
        raise CallError("模拟时钟下请用 --at 写明时刻")
    with reading(settings) as store:
        made = make_cards(settings, store, at=at, days=days)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(each, str_keys=True) for each in made], ensure_ascii=False))
        return
    click.echo(f"生成 {len(made)} 份有变化的报告单")
    if not settings.area:
        click.echo("没有设置 LIDM_AREA：数据质量规则不知道归谁管，不会运行", err=True)


def _month(text: str) -> str:
    year, _, number = text.partition("-")
    if not (len(text) == 7 and year.isdecimal() and number.isdecimal() and 1 <= int(number) <= 12):
        raise CallError("月份应为 YYYY-MM，如 2026-05")
    return text


def _write(cards: Sequence["Card"], when: str, out: Path) -> None:
    from lidm.feed_report import html_of, index_of, write_excel

    out.mkdir(parents=True, exist_ok=True)
    for each in cards:
        (out / f"{each.feed}-{when}.html").write_text(html_of(each), encoding="utf-8")
        said = json.dumps(each.as_json(), ensure_ascii=False, indent=2) + "\n"
        (out / f"{each.feed}-{when}.json").write_text(said, encoding="utf-8")
    (out / f"index-{when}.html").write_text(index_of(cards, when), encoding="utf-8")
    write_excel(cards, out / f"report-{when}.xlsx")
