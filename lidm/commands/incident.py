"""`lidm incident`: a disaster struck an area; everybody on record there that day becomes one batch to be looked at."""

import json
from datetime import date, datetime
from typing import Any

import click

from gateway.keys import read_key
from lidm.free_text import REASON
from lidm.incidents import declared, kind_of, names_of, number_of
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
@click.option("--area", "codes", multiple=True, metavar="区划代码", help="受灾区域（含下级），可多次")
@click.option("--address", default=None, metavar="地址", help="受灾地址：在身份库里找住在那里的家庭，只发家庭代码")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="依据什么登记，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def declare(number: str, sort: str, on: datetime, as_json: bool, **given: Any) -> None:
    """登记：当天住在那里的在册家庭都列入排查。同一编号再登记即更正，以最后一次为准。"""
    settings, at = load_settings(), given["at"]
    name, kind, day = number_of(number), kind_of(sort), on.date()
    areas = Bundle.load(settings.policy_dir).areas
    codes, address, reason = tuple(dict.fromkeys(given["codes"])), given["address"], given["reason"]
    if bool(codes) == (address is not None):
        raise CallError("--area 和 --address 须写一种，也只写一种")
    if unknown := [each for each in codes if each not in areas]:
        raise CallError(f"区划代码{'、'.join(unknown)}不在areas.yaml里")
    if day > _today(at):
        raise CallError(f"受灾日期{day}还没有到")
    homes = _at_address(settings, address, day, f"{name}：{reason}", at) if address is not None else ()
    body = IncidentBody(name, "declare", kind.value, day.toordinal(), codes, homes, settings.actor, reason)
    partitions = _append(settings, body, at)
    if as_json:
        said = {"number": name, "sort": kind.value, "on": day.isoformat(), "areas": codes, "households": len(homes)}
        click.echo(json.dumps({**said, "partitions": partitions}, ensure_ascii=False))
        return
    where = names_of(codes, areas) if codes else f"所报地址的{len(homes)}户"
    click.echo(
        f"{name} {day}{kind.label}影响{where}，已登记，写入{partitions}个分区；排查清单：lidm case incident show {name}"
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
    body = IncidentBody(name, "withdraw", "", 0, (), (), settings.actor, reason)
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


def _at_address(settings: Settings, address: str, on: date, purpose: str, at: datetime | None) -> tuple[str, ...]:
    """Pseudonyms of the households there; nothing else leaves the vault. Raises CallError or DataError."""
    from gateway.addresses import Addresses
    from lidm.ways_in import keys_of, moment_of

    if not settings.vault.exists():
        raise DataError("这里没有身份库：按地址登记请在民政区网关上执行，或先运行 lidm roster load")
    at_ms = int(moment_of(settings, at)[0].timestamp() * 1000)
    with Addresses(settings.vault, read_key(keys_of(settings).vault)) as book:
        found = book.households_at(address, on, actor=settings.actor, purpose=purpose, at_ms=at_ms)
    if not found:
        raise DataError("名册里没有住在这个地址的家庭：请核对写法（与名册“住址”栏的开头相同），或用 --area")
    return tuple(found)


def _append(settings: Settings, body: IncidentBody, at: datetime | None) -> int:
    from lidm import control_records  # compression and broker client come with the extra `service`

    return control_records.append_everywhere(
        settings, lambda known_at: IncidentRecord("", known_at, "", 0, 0, body), at
    )


def _today(at: datetime | None) -> date:
    return at.date() if at else datetime.now(SHANGHAI).date()
