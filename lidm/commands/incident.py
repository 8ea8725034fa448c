"""`lidm incident`: a disaster struck an area; everybody on record there that day becomes one batch to be looked at."""

import json
from datetime import date, datetime

import click

from lidm.free_text import REASON
from lidm.incidents import declared, kind_of, number_of
from lidm.settings import Settings, load_settings
from lidm.tables import table
from policy.bundle import Bundle
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError, Unreachable
from schemas.records import IncidentBody, IncidentRecord

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def command() -> None:
    """区域灾害：登记、撤销、清单；排查进度见 lidm case incident。"""


@command.command()
@click.argument("number", metavar="事件编号")
@click.option("--sort", required=True, metavar="类型", help="代码或名称，如 TYPHOON、台风")
@click.option("--on", type=DAY, required=True, help="哪一天受灾")
@click.option("--area", required=True, metavar="区划代码", help="受灾区域（含下级）")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="依据什么登记，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def declare(
    number: str, sort: str, on: datetime, area: str, reason: str, at: datetime | None, as_json: bool
) -> None:
    """登记：当天住在那里的在册家庭都列入排查。同一编号再登记即更正，以最后一次为准。"""
    settings = load_settings()
    areas = Bundle.load(settings.policy_dir).areas
    name, kind = number_of(number), kind_of(sort)
    if area not in areas:
        raise CallError(f"区划代码{area}不在areas.yaml里")
    if on.date() > _today(at):
        raise CallError(f"受灾日期{on.date()}还没有到")
    body = IncidentBody(name, "declare", kind.value, on.date().toordinal(), area, (), settings.actor, reason)
    partitions = _append(settings, body, at)
    if as_json:
        said = {"number": name, "sort": kind.value, "on": on.date().isoformat(), "area": area, "partitions": partitions}
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo(
        f"{name} {on.date()}{kind.label}影响{areas.name(area)}，已登记，写入{partitions}个分区；"
        f"排查清单：lidm case incident show {name}"
    )


@command.command()
@click.argument("number", metavar="事件编号")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="为什么撤销，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def withdraw(number: str, reason: str, at: datetime | None, as_json: bool) -> None:
    """撤销：因它列入排查的预警都撤回；应急、消防已登记到人的不受影响。"""
    settings, name = load_settings(), number_of(number)
    known = declared(settings)
    if known is not None and all(each.number != name for each in known):
        raise DataError(f"没有登记过{name}（刚登记的要等归档）；已登记的见 lidm incident list")
    body = IncidentBody(name, "withdraw", "", 0, "", (), settings.actor, reason)
    partitions = _append(settings, body, at)
    if as_json:
        click.echo(json.dumps({"number": name, "partitions": partitions}, ensure_ascii=False))
    else:
        click.echo(f"{name} 已撤销，写入{partitions}个分区")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_(as_json: bool) -> None:
    """登记过、没有撤销的区域灾害，新的在前。"""
    settings = load_settings()
    found = declared(settings)
    if found is None:
        raise Unreachable("连接不上归档库：登记过什么现在看不到")
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], ensure_ascii=False))
    elif not found:
        click.echo("没有登记区域灾害")
    else:
        areas = Bundle.load(settings.policy_dir).areas
        head = ("编号", "类型", "受灾日期", "区域", "登记人", "理由")
        click.echo(table(head, [each.cells(areas) for each in found]))


def _append(settings: Settings, body: IncidentBody, at: datetime | None) -> int:
    from lidm import control_records  # compression and broker client come with the extra `service`

    return control_records.append_everywhere(
        settings, lambda known_at: IncidentRecord("", known_at, "", 0, 0, body), at
    )


def _today(at: datetime | None) -> date:
    return at.date() if at else datetime.now(SHANGHAI).date()
