"""`lidm case incident`: the households a disaster concerns, as one checklist."""

import json
from collections.abc import Callable
from datetime import datetime

import click

from lidm.desk import open_desk
from lidm.incident_batch import batches
from lidm.settings import Settings, load_settings
from lidm.tables import table
from policy.bundle import Bundle
from schemas.alerts import Areas
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError


@click.group()
def incident() -> None:
    """灾害排查：一次灾害涉及的家庭合成一批，逐户入户核实。"""


@incident.command("list")
@click.option("--least", type=click.IntRange(1), default=2, show_default=True, help="至少涉及几户的才列")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_batches(least: int, as_json: bool) -> None:
    """哪些灾害涉及多少户、还有多少户没有入户。"""
    with open_desk(load_settings()) as desk:
        made = batches(desk.read().cases.values(), desk.history)
    found = [each for each in made if len(each.lines) >= least]
    if as_json:
        shown = [{"number": each.number, "since": each.since.isoformat(), **each.totals()} for each in found]
        click.echo(json.dumps(shown, ensure_ascii=False))
    elif not found:
        click.echo("没有涉及多户的灾害")
    else:
        names = ("households", "visited", "need", "waiting", "overdue")
        rows = [
            (each.number, str(each.since), *(str(each.totals()[name]) for name in names), each.lines[0].note.reason)
            for each in found
        ]
        click.echo(table(("事件", "受灾日期", "户数", "已入户", "需帮扶", "未入户", "超期", "例"), rows))


@incident.command()
@click.argument("number", metavar="事件编号")
@click.option("--area", default=None, metavar="区划代码", help="只看住在那里的（含下级）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show(number: str, area: str | None, as_json: bool) -> None:
    """全面排查清单：没有入户的在前，重的在前，时限近的在前。"""
    settings = load_settings()
    here = _within(settings, area) if area else None
    with open_desk(settings) as desk:
        made = batches(desk.read().cases.values(), desk.history, here)
    found = next((each for each in made if each.number == number), None)
    if found is None:
        raise DataError(f"没有{number}的个案（刚登记的要等监测；DISASTER-ACCIDENT 须已在当地启用）")
    if as_json:
        lines = [each.as_json() for each in found.lines]
        click.echo(json.dumps({"number": number, **found.totals(), "cases": lines}, ensure_ascii=False))
    else:
        click.echo(found.page())


def _within(settings: Settings, area: str) -> Callable[[Areas], bool]:
    """By where a household lives; where the tree does not know that, by who is responsible for it."""
    tree, today = Bundle.load(settings.policy_dir).areas, datetime.now(SHANGHAI).date()
    if area not in tree:
        raise CallError(f"区划代码{area}不在areas.yaml里")

    def here(areas: Areas) -> bool:
        home = areas.residence if areas.residence in tree else areas.responsible
        return home in tree and tree.within(home, area, today)

    return here
