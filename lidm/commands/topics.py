"""`lidm topics`: the catalogue, and whether the cluster agrees with it."""

import json
from datetime import datetime

import click
import structlog

from lidm.cluster import TopicState, admin_of, apply, look
from lidm.free_text import FREE_TEXT
from lidm.gaps import accept, gaps_of
from lidm.settings import Settings, load_settings
from lidm.tables import table
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from schemas.topics import Catalogue
from streams.gaps import NOTE_CHARACTERS, Gap
from streams.lag import STAGE_TOPICS

log = structlog.get_logger("lidm.topics")
_STANDING = {"ok": "一致", "missing": "缺少", "differs": "设置不同", "partitions": "分区数不同", "replicas": "副本不足"}


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
    copies = settings.effective_replication
    said = f"每个主题 {partitions} 个分区（LIDM_SIZE={settings.effective_size}），{copies} 个副本（LIDM_REPLICATION）"
    click.echo(said)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def check(as_json: bool) -> None:
    """集群与目录是否一致；有不符时退出码为 1。"""
    settings = _reachable()
    with admin_of(settings.bootstrap) as admin:
        states = look(
            admin,
            Catalogue.load(),
            settings.effective_size,
            settings.effective_clock,
            settings.effective_replication,
        )
    _say(states, as_json)
    _enough_copies(states)
    if wrong := [state for state in states if state.standing != "ok"]:
        raise DataError(f"{len(wrong)} 个主题与目录不一致，可用 lidm topics apply 建立")


@command.command("apply")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def apply_command(as_json: bool) -> None:
    """建立缺少的主题、改正不同的设置；分区数不同（退出码 4）或节点少于副本数（退出码 2）时什么都不做。"""
    settings, catalogue = _reachable(), Catalogue.load()
    size, clock = settings.effective_size, settings.effective_clock
    with admin_of(settings.bootstrap) as admin:
        before, after = apply(admin, catalogue, size, clock, settings.effective_replication)
    changed = sum(state.standing != "ok" for state in before)
    _say(after, as_json)
    _enough_copies(after)
    if any(state.standing != "ok" for state in after):
        raise DataError("集群没有接受全部设置")
    if not as_json:
        click.echo(f"已建立或改正 {changed} 个主题")


@command.command("accept-gap")
@click.argument("stage", type=click.Choice(["intake", "archive"]))
@click.option("--messages", type=click.IntRange(min=1), help="确认漏掉的条数，须与所列相同")
@click.option("--reason", type=FREE_TEXT, help=f"为什么接受，最多 {NOTE_CHARACTERS} 字；与操作人一起记入集群和日志")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def accept_gap(stage: str, messages: int | None, reason: str | None, as_json: bool) -> None:
    """消息在读到之前已过保存期：列出缺口；写明条数与原因后，环节从仍在的第一条继续。只认这一次的缺口。"""
    settings = _reachable()
    group, partitions = f"lidm-{stage}", Catalogue.partitions(settings.effective_size)
    with admin_of(settings.bootstrap) as admin:
        gaps = gaps_of(admin, group, STAGE_TOPICS[stage], partitions)
        lost = sum(gap.lost for gap in gaps)
        _say_gaps(gaps, as_json)
        if not gaps:
            return
        if messages is None:
            raise DataError(f"共 {lost} 条。能补的先补；接受后不再处理：--messages {lost} --reason 原因")
        if messages != lost or not reason or len(reason) > NOTE_CHARACTERS:
            raise CallError(f"没有接受：须写明 --messages {lost} 与 --reason（不超过 {NOTE_CHARACTERS} 字）")
        at = datetime.now(SHANGHAI).isoformat(timespec="seconds")
        accept(admin, group, gaps, by=settings.actor, why=reason, at=at)
    log.warning("gap_accepted", stage=stage, messages=lost, by=settings.actor, why=reason, at=at)
    click.echo(f"{settings.actor} 已接受 {stage} 漏掉 {lost} 条，重新启动该环节即可继续", err=as_json)


def _say_gaps(gaps: list[Gap], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{**gap._asdict(), "lost": gap.lost} for gap in gaps], ensure_ascii=False))
        return
    rows = [(gap.topic, str(gap.partition), str(gap.expected), str(gap.first), str(gap.lost)) for gap in gaps]
    click.echo(table(("主题", "分区", "应从", "现存最早", "已丢失"), rows) if rows else "没有缺口")


def _enough_copies(states: list[TopicState]) -> None:
    if few := [state.name for state in states if state.standing == "replicas"]:
        raise DataError(f"{len(few)} 个主题的副本少于 LIDM_REPLICATION：请用 kafka-reassign-partitions 增加副本")


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
