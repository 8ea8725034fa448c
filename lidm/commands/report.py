"""`lidm report`: reports over the archive that no list of alerts gives."""

import json
from datetime import date, datetime
from pathlib import Path

import click

from lidm import fairness, fairness_page
from lidm.population import population
from lidm.settings import load_settings
from lidm.stores import reading
from lidm.written import write_page
from policy.bundle import Bundle
from schemas.errors import CallError
from sinks.found import ever_found, found

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def command() -> None:
    """报告：公平与覆盖。"""


@command.command("fairness")
@click.option("--from", "first", type=_DAY, required=True, metavar="YYYY-MM-DD", help="期初（含）")
@click.option("--to", "last", type=_DAY, required=True, metavar="YYYY-MM-DD", help="期末（含）；在册人口取这一天")
@click.option("--visits", type=click.IntRange(0, 10_000), default=20, show_default=True, help="抽多少户走访")
@click.option("--seed", default=None, help="抽取种子（默认为期末日期）：同一种子抽出同样的户")
@click.option("--html", "file", type=click.Path(dir_okay=False, path_type=Path), help="写成一个可打印的网页文件")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def fairness_(first: datetime, last: datetime, visits: int, seed: str | None, file: Path | None, as_json: bool) -> None:
    """各类家庭和人的预警率、核实率及区间；从未有过预警的家庭随机抽取走访名单。"""
    begin, end = first.date(), last.date()
    if end < begin:
        raise CallError("期末不能早于期初")
    told = _report(begin, end, visits, seed or end.isoformat())
    if file is not None:
        write_page(file, fairness_page.page(told))
    if as_json:
        click.echo(json.dumps(fairness.as_json(told), ensure_ascii=False))
    elif file is None:
        click.echo(fairness_page.text(told))
    else:
        click.echo(f"已写入 {file}")
        click.echo("\n".join(household for household, _ in told.visits))


def _report(first: date, last: date, visits: int, seed: str) -> fairness.Report:
    settings = load_settings()
    areas = Bundle.load(settings.policy_dir).areas
    with reading(settings) as store:
        living = population((each.block for each in store.read_household_log()), last)
        told, ever = found(store, first, last), ever_found(store)

    def name(area: str) -> str:
        return areas.name(area) if area in areas else area

    def setting(area: str) -> str | None:
        return areas.area(area).setting if area in areas else None

    return fairness.report(living, told, ever, first=first, name=name, setting=setting, seed=seed, visits=visits)
