"""`lidm kpi`: official figures per month and area, from what stands in the store now."""

import json
from datetime import date

import click

from lidm.settings import load_settings
from lidm.stores import reading
from lidm.tables import table
from policy.areas import AreaTree, AreaUnknown
from policy.bundle import Bundle
from schemas.errors import CallError
from sinks.kpi import Figures, figures, rolled_up


@click.group()
def command() -> None:
    """官方指标。"""


@command.command()
@click.option("--from", "first", default="1970-01", metavar="YYYY-MM", help="起始月")
@click.option("--to", "last", default="2105-12", metavar="YYYY-MM", help="截止月（含）")
@click.option("--area", default=None, help="地区代码：含其下级的合计；不给则逐个责任地区列出")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show(first: str, last: str, area: str | None, as_json: bool) -> None:
    """预警处置率、核实留痕率；存量与撤回的预警单独计数，不进入比率。"""
    settings = load_settings()
    with reading(settings) as store:
        rows = figures(store, _month(first), _month(last))
    areas = Bundle.load(settings.policy_dir).areas
    if area is not None:
        rows = [row for row in rolled_up(rows, lambda code: _chain(areas, code)) if row.area == area]
    if as_json:
        click.echo(json.dumps([row.as_dict() for row in rows]))
        return
    head = ("月份", "地区", "预警", "已作结论", "有据核实", "预警处置率", "核实留痕率", "存量", "存量有据", "撤回")
    click.echo(table(head, [_line(row, areas) for row in rows]))
    click.echo("处置须核实并留有依据；只点击未留痕不计入。存量与撤回不计入比率。")


def _line(row: Figures, areas: AreaTree) -> tuple[str, ...]:
    name = areas.name(row.area) if row.area in areas else row.area or "地区不明"
    rates = (_percent(row.handling_rate), _percent(row.evidence_rate))
    counts = (row.raised, row.concluded, row.handled)
    apart = (row.baseline, row.baseline_handled, row.withdrawn)
    return (row.month, name, *map(str, counts), *rates, *map(str, apart))


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.1%}"


def _chain(areas: AreaTree, area: str) -> tuple[str, ...]:
    try:
        return areas.chain(area, date.today())
    except AreaUnknown:
        return (area,)


def _month(text: str) -> str:
    try:
        return date.fromisoformat(f"{text}-01").strftime("%Y-%m")
    except ValueError as error:
        raise CallError(f"月份应写作 2026-03，而不是 {text}") from error
