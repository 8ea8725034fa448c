"""`lidm topics`: the catalogue, and whether the cluster agrees with it."""

import json

import click

from lidm.cluster import TopicState, admin_of, apply, look
from lidm.settings import Settings, load_settings
from lidm.tables import table
from schemas.errors import CallError, DataError
from schemas.topics import Catalogue

_STANDING = {"ok": "一致", "missing": "缺少", "differs": "设置不同", "partitions": "分区数不同"}


@click.group()
def command() -> None:
    """主题目录与集群对照。"""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_topics(as_json: bool) -> None:
    """目录里的全部主题：谁写、谁读、依据、范围、保存多久。不连接集群。"""
    settings, catalogue = load_settings(), Catalogue.load()
    partitions = catalogue.partitions(settings.effective_size)
    if as_json:
        shown = {
            name: {**entry.model_dump(), "partitions": partitions} for name, entry in sorted(catalogue.entries.items())
        }
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    rows = [
        (
            name,
            entry.title,
            entry.owner,
            "、".join(entry.consumers),
            {None: "—", "registered": "在册人员", "over_line": "在册与超线人员", "all": "全部人员"}[
                entry.scope.watch if entry.scope else None
            ],
            "压缩" if entry.cleanup == "compact" else f"{entry.retention_days} 天" if entry.retention_days else "永久",
        )
        for name, entry in sorted(catalogue.entries.items())
    ]
    click.echo(table(("主题", "名称", "归属", "读者", "范围", "保存"), rows))
    click.echo(f"每个主题 {partitions} 个分区（LIDM_SIZE={settings.effective_size}）")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def check(as_json: bool) -> None:
    """集群与目录是否一致；有不符时退出码为 1。"""
    settings = _reachable()
    with admin_of(settings.bootstrap) as admin:
        states = look(admin, Catalogue.load(), settings.effective_size, settings.effective_clock)
    _say(states, as_json)
    if wrong := [state for state in states if state.standing != "ok"]:
        raise DataError(f"{len(wrong)} 个主题与目录不一致，可用 lidm topics apply 建立")


@command.command("apply")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def apply_command(as_json: bool) -> None:
    """建立缺少的主题、改正不同的设置；分区数不同时什么都不做，退出码为 4。"""
    settings, catalogue = _reachable(), Catalogue.load()
    size, clock = settings.effective_size, settings.effective_clock
    with admin_of(settings.bootstrap) as admin:
        before, after = apply(admin, catalogue, size, clock)
    changed = sum(state.standing != "ok" for state in before)
    _say(after, as_json)
    if any(state.standing != "ok" for state in after):
        raise DataError("集群没有接受全部设置")
    if not as_json:
        click.echo(f"已建立或改正 {changed} 个主题")


def _reachable() -> Settings:
    settings = load_settings()
    if settings.embedded:
        raise CallError("内存消息服务的主题由运行中的进程自己建立，没有可核对的集群")
    return settings


def _say(states: list[TopicState], as_json: bool) -> None:
    if as_json:
        shown = [
            {
                "topic": state.name,
                "standing": state.standing,
                "partitions": {"wanted": state.wanted, "found": state.found},
                "differences": {
                    key: {"wanted": wanted, "found": found} for key, (wanted, found) in state.differences.items()
                },
            }
            for state in states
        ]
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    rows = [
        (
            state.name,
            _STANDING[state.standing],
            "—" if state.found is None else f"{state.found}/{state.wanted}",
            "；".join(f"{key}={found or '未设'} 应为 {wanted}" for key, (wanted, found) in state.differences.items()),
        )
        for state in states
    ]
    click.echo(table(("主题", "状态", "分区", "不同之处"), rows))
