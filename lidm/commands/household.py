"""`lidm household`: what the archive says of households that no single alert says."""

import json
from datetime import date, datetime
from pathlib import Path

import click

from detectors.profile import in_order
from lidm import need_page, need_text
from lidm.need import Told, need_of
from lidm.settings import load_settings
from lidm.stores import reading
from lidm.written import write_page
from schemas.errors import DataError

_DAY = click.DateTime(["%Y-%m-%d"])
_AS_OF = click.option("--as-of", type=_DAY, default=None, help="只按到这天为止已经知道的（默认按现在知道的）")


@click.group()
def command() -> None:
    """家庭：多维困难画像、按困难程度安排先后。"""


@command.command()
@click.argument("household", metavar="家庭代码")
@click.option("--on", type=_DAY, default=None, help="哪一天（默认所知的最后一天）")
@_AS_OF
@click.option("--html", "file", type=click.Path(dir_okay=False, path_type=Path), help="写成一个可打印的网页文件")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def profile(household: str, on: datetime | None, as_of: datetime | None, file: Path | None, as_json: bool) -> None:
    """一户的多维困难画像：各方面的程度、依据，以及不能判断的方面。"""
    settings = load_settings()
    with reading(settings) as store:
        told = need_of(store, household, _day(on), settings.policy_dir, _day(as_of))
    if file is not None:
        write_page(file, need_page.page(told))
    if as_json:
        click.echo(json.dumps(told.as_json(), ensure_ascii=False))
    else:
        click.echo(f"已写入 {file}" if file is not None else need_text.text(told))


@command.command()
@click.argument("households", metavar="家庭代码", nargs=-1, required=True)
@click.option("--on", type=_DAY, default=None, help="哪一天（默认各户所知的最后一天）")
@_AS_OF
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def order(households: tuple[str, ...], on: datetime | None, as_of: datetime | None, as_json: bool) -> None:
    """给出几户，按公布的权重排出走访先后；每一户都在表里，没有画像的也列出原因。"""
    settings = load_settings()
    found: dict[str, Told] = {}
    failed: list[tuple[str, str]] = []
    with reading(settings) as store:
        for each in dict.fromkeys(households):
            try:
                found[each] = need_of(store, each, _day(on), settings.policy_dir, _day(as_of))
            except DataError as error:
                failed.append((each, str(error)))
    ranked = [found[each.household] for each in in_order(told.profile for told in found.values())]
    if as_json:
        body = {
            "order": [each.as_json() for each in ranked],
            "without_profile": [{"household": each, "why": why} for each, why in failed],
        }
        click.echo(json.dumps(body, ensure_ascii=False))
    else:
        click.echo(need_text.order(ranked, failed))


def _day(on: datetime | None) -> date | None:
    return on.date() if on is not None else None
