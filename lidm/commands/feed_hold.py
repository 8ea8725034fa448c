"""`lidm feed hold`: whole batches from which too much is missing wait here until somebody has looked."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from lidm.free_text import REASON
from lidm.settings import load_settings
from lidm.tables import table
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS
from schemas.feed_reports import HoldReport
from schemas.labels import BatchMode, HoldState
from schemas.topics import Catalogue

if TYPE_CHECKING:  # the base install has no store
    from lidm.settings import Settings


@click.group()
def hold() -> None:
    """待确认的批次：整期替换或全量快照里缺的太多，先不生效，等人看过。"""


@hold.command("list")
@click.option("--feed", default=None, metavar="数据类", help="只看这个数据类")
@click.option("--all", "everything", is_flag=True, help="连同已经放行、拒绝、被取代的")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_holds(feed: str | None, everything: bool, as_json: bool) -> None:
    """哪些批次在等：原有多少、缺多少、由谁负责。"""
    if feed is not None and feed not in FEEDS:
        raise CallError(f"没有数据类 {feed}；有：{'、'.join(FEEDS)}")
    found = _known(load_settings(), feed, None if everything else "held")
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(each) for each in found], ensure_ascii=False))
    elif not found:
        click.echo("没有待确认的批次")
    else:
        head = ("数据类", "批次", "月份", "方式", "原有", "缺", "比例", "上限", "状态", "自", "负责单位", "说明")
        click.echo(table(head, [_row(each) for each in found]))


@hold.command()
@click.argument("batch", metavar="批次")
@click.option("--feed", default=None, metavar="数据类", help="几个数据类有同名批次时写明")
@click.option("--source", default=None, metavar="来源", help="几个来源有同名批次时写明")
@click.option("--period", default=None, metavar="月份", help="几个月份有同名批次时写明")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="核实了什么，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
def release(
    batch: str, feed: str | None, source: str | None, period: str | None, reason: str, at: datetime | None
) -> None:
    """放行：没有再报的即告终止或冲销，该月关闭。"""
    _decide(batch, _Where(feed, source, period), "release", reason, at)
    click.echo(f"{batch} 已放行：批次里没有的即告终止或冲销")


@hold.command()
@click.argument("batch", metavar="批次")
@click.option("--feed", default=None, metavar="数据类", help="几个数据类有同名批次时写明")
@click.option("--source", default=None, metavar="来源", help="几个来源有同名批次时写明")
@click.option("--period", default=None, metavar="月份", help="几个月份有同名批次时写明")
@click.option("--reason", required=True, type=REASON, metavar="理由", help="哪里不对，留在记录里")
@click.option("--at", type=click.DateTime(), default=None, help="模拟时钟下的时刻（北京时间）")
def refuse(
    batch: str, feed: str | None, source: str | None, period: str | None, reason: str, at: datetime | None
) -> None:
    """拒绝：批次里有的行照常有效，没有的不受影响，该月不关闭；请部门改正后整批重发。"""
    _decide(batch, _Where(feed, source, period), "refuse", reason, at)
    click.echo(f"{batch} 已拒绝：没有任何人因此终止，该月不关闭")


class _Where(NamedTuple):
    """What tells batches of one number apart; None: whichever."""

    feed: str | None
    source: str | None
    period: str | None

    def holds(self, told: HoldReport) -> bool:
        """Whether it is one of these."""
        said = ((self.feed, told.feed), (self.source, told.source), (self.period, told.period))
        return all(wanted in (None, found) for wanted, found in said)


def _decide(batch: str, where: _Where, verdict: str, reason: str, at: datetime | None) -> None:
    from lidm import control_records  # compression and broker client come with the extra `service`
    from schemas.records import BatchVerdictBody, BatchVerdictRecord

    settings = load_settings()
    known = [each for each in _known(settings, where.feed, None) if each.batchid == batch and where.holds(each)]
    waiting = [each for each in known if each.state == "held"]
    if len(waiting) > 1:
        named = "；".join(f"{each.feed} {each.source} {each.period}" for each in waiting)
        raise CallError(f"有几个批次 {batch}：请用 --feed、--source、--period 写明（{named}）")
    if not waiting:
        raise DataError(f"批次 {batch} {HoldState[known[-1].state].label}" if known else f"没有待确认的批次 {batch}")
    told = waiting[0]
    body = BatchVerdictBody(told.feed, batch, verdict, settings.actor, reason, told.source, told.period)
    control_records.append_everywhere(settings, lambda known_at: BatchVerdictRecord("", known_at, "", 0, 0, body), at)


def _known(settings: "Settings", feed: str | None, state: str | None) -> list[HoldReport]:
    from lidm.stores import reading
    from sinks.holds import holds

    with reading(settings) as store:
        return holds(store, feed, state=state)


def _row(told: HoldReport) -> tuple[Any, ...]:
    since = datetime.fromtimestamp(told.at_ms / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M")
    said = f"{told.actor}：{told.reason}" if told.actor else ""
    return (
        told.feed,
        told.batchid,
        told.period,
        BatchMode[told.mode].label,
        f"{told.before:,}",
        f"{told.gone:,}",
        share_of(told),
        f"{told.hold_above / 10:g}%",
        HoldState[told.state].label,
        since,
        Catalogue.load().owner(told.feed),
        said,
    )


def share_of(told: HoldReport) -> str:
    """What is missing of what was there, for people."""
    return f"{told.gone / told.before:.1%}" if told.before else "—"
