"""`lidm policy`: the dated parameters, checked, shown and activated."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from detectors.registry import load_detectors, needed_by
from lidm.commands.policy_diff import diff
from lidm.settings import load_settings
from lidm.tables import table
from policy.bundle import Bundle
from policy.parameters import PolicyMissing, Rule, cited
from policy.readiness import findings
from policy.value_words import STATUS
from schemas.errors import CallError, DataError

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def command() -> None:
    """参数：检查、查看、比较、启用。"""


command.add_command(diff)


@command.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="参数目录（默认随程序的 policy）")
@click.option("--on", type=DAY, default=None, help="按哪一天检查（默认今天）")
@click.option("--strict", is_flag=True, help="有过期、久未核对或缺少的参数时退出码也是 1")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def check(folder: Path | None, on: datetime | None, strict: bool, as_json: bool) -> None:
    """检查全部参数文件：有错则指出文件和行，退出码 1；过期、久未核对、缺少的逐条提醒。"""
    bundle = _load(folder)
    found = findings(bundle, _day(on), needed_by(load_detectors()))
    rules = sum(len(history.rules) for history in bundle.histories().values())
    if as_json:
        told = [{**each._asdict(), "day": each.day.isoformat() if each.day else None} for each in found]
        said = {"hash": bundle.hash, "values": rules, "attention": [each.text for each in found], "findings": told}
        click.echo(json.dumps(said, ensure_ascii=False))
    else:
        for each in found:
            click.echo(f"提醒：{each.text}")
        click.echo(f"参数无误：{len(bundle.names())}项参数，{rules}个有日期的值，版本{bundle.short}")
    if strict and found:
        raise DataError(f"有{len(found)}处参数过期、久未核对或缺少")


@command.command()
@click.argument("name", metavar="[参数]", required=False)
@click.option("--area", default=None, help="区划代码（默认全部）")
@click.option("--on", type=DAY, default=None, help="哪一天的现行值（默认今天）")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="参数目录（默认随程序的 policy）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show(name: str | None, area: str | None, on: datetime | None, folder: Path | None, as_json: bool) -> None:
    """查看参数：写了区划就看那里那一天的现行值，没写就看各地所有日期的值和目标。"""
    bundle = _load(folder)
    if name is not None and name not in bundle.names():
        raise CallError(f"没有参数“{name}”，有：{'、'.join(bundle.names())}")
    if area is not None and area not in bundle.areas:
        raise CallError(f"区划代码{area}不在areas.yaml里")
    rules = _rules(bundle, name, area, _day(on))
    targets = [each for each in bundle.targets() if name in (None, each.name) and area in (None, each.area)]
    if as_json:
        goals = [{**vars(each), "by": each.by.isoformat()} for each in targets]
        values = [_plain(bundle, each) for each in rules]
        click.echo(json.dumps({"values": values, "targets": goals}, ensure_ascii=False))
        return
    rows = [_row(bundle, each) for each in rules]
    click.echo(table(("参数", "区划", "起", "止", "状态", "值", "依据", "最近核对"), rows))
    for goal in targets:
        place = bundle.areas.name(goal.area)
        click.echo(
            f"目标（不作标准）：{place} {bundle.label(goal.name)} 到{goal.by}：{goal.at_least}（{goal.document}）"
        )


@command.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="参数目录（默认随程序的 policy）")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def activate(folder: Path | None, at: datetime | None, as_json: bool) -> None:
    """启用这一整套参数：写入每个分区，从那里起生效；同一版本重复启用没有影响。"""
    from lidm import control_records  # compression and broker client come with the extra `service`

    settings = load_settings()
    bundle = Bundle.load(folder or settings.policy_dir)
    partitions = control_records.activate(settings, bundle, at)
    if as_json:
        click.echo(json.dumps({"hash": bundle.hash, "partitions": partitions}))
        return
    click.echo(f"已启用参数版本{bundle.short}，写入{partitions}个分区")


def _load(folder: Path | None) -> Bundle:
    return Bundle.load(folder or load_settings().policy_dir)


def _day(on: datetime | None) -> date:
    return on.date() if on else datetime.now().astimezone().date()


def _rules(bundle: Bundle, name: str | None, area: str | None, on: date) -> list[Rule]:
    """In force in an area on a day; without an area every dated value of every place."""
    names = (name,) if name else bundle.names()
    if area is None:
        return [
            rule for (_, each), history in sorted(bundle.histories().items()) if each in names for rule in history.rules
        ]
    found = []
    for each in names:
        try:
            found.append(bundle.on(on).rule(each, area))
        except PolicyMissing:
            continue
    return found


def _plain(bundle: Bundle, rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "label": rule.label,
        "area": rule.area,
        "since": rule.since.isoformat(),
        "until": rule.until.isoformat() if rule.until else None,
        "unit": rule.unit,
        "values": dict(rule.values),
        "status": rule.status,
        "signed_by": rule.signed_by,
        "document": {"title": rule.document.title, "number": rule.document.number},
        "note": rule.note,
        "last_value_still_valid_on": bundle.still_valid_on(rule.area, rule.name).isoformat(),
    }


def _row(bundle: Bundle, rule: Rule) -> tuple[str, ...]:
    values = "；".join(f"{key}={_short(value)}" for key, value in rule.values.items())
    until = rule.until.isoformat() if rule.until else ""
    name = f"{rule.label}（{rule.name}）"
    return (
        name,
        bundle.areas.name(rule.area),
        rule.since.isoformat(),
        until,
        STATUS[rule.status],
        values,
        cited(rule.document),
        bundle.still_valid_on(rule.area, rule.name).isoformat(),
    )


def _short(value: object) -> str:
    if isinstance(value, dict) and all(isinstance(each, dict) for each in value.values()):
        return "、".join(f"{key} {each.get('label', '')}" for key, each in value.items())
    if isinstance(value, dict):
        return "、".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, tuple):
        return "、".join(_short(each) for each in value)
    return str(value)
