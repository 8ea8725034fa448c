"""`lidm feed`: what departments publish, described and sent."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gateway.courier import Receipt
from gateway.events import BatchPlan, Mode
from gateway.mapping import load_mapping
from gateway.publish import feed_spec, publish_file, publish_nothing
from lidm.amount_doubts import doubts_of
from lidm.commands.feed_amounts import feed_amounts
from lidm.commands.feed_catalogue import describe_feed, list_feeds
from lidm.commands.feed_check import check_feed
from lidm.commands.feed_hold import hold
from lidm.commands.feed_pages import pages
from lidm.commands.feed_parked import list_parked, resume_feed
from lidm.commands.feed_report import make_feed_cards, report_feeds
from lidm.commands.feed_sandbox import sandbox
from lidm.commands.feed_template import template
from lidm.settings import Settings, load_settings
from lidm.ways_in import (
    bar_on,
    keep_key,
    keeping_of,
    linkage_of,
    moment_of,
    publisher_of,
    recognising,
    say_problems,
    terminal,
    write_json,
)
from schemas.errors import CallError, DataError
from schemas.topics import Catalogue

WHOLE = ("replace_period", "full_snapshot")
_PERSON = re.compile(r"p_[0-9a-f]{32}")


@click.group()
def command() -> None:
    """部门数据：有哪些、各有哪些字段、如何发布。"""


command.add_command(list_feeds)
command.add_command(describe_feed)
command.add_command(check_feed)
command.add_command(template)
command.add_command(pages)
command.add_command(sandbox)
command.add_command(list_parked)
command.add_command(hold)
command.add_command(resume_feed)
command.add_command(report_feeds)
command.add_command(make_feed_cards)
command.add_command(feed_amounts)


@command.command()
@click.argument("feed", metavar="数据类")
@click.argument("file", metavar="[文件]", type=click.Path(path_type=Path), required=False)
@click.option("--period", default=None, metavar="YYYY-MM", help="所属月份；写明则作为一个批次发布并关闭该月")
@click.option("--area", "areas", multiple=True, metavar="区划代码", help="批次覆盖的地区，可多次")
@click.option(
    "--mode",
    type=click.Choice(["delta", "replace_period", "full_snapshot"]),
    default="delta",
    show_default=True,
    help="delta 增量；replace_period 整期替换（文件里没有的即视为冲销）；"
    "full_snapshot 全量快照（文件是现有的全部，没有的即视为自该月首日终止）",
)
@click.option("--batch", "batchid", default=None, help="批次编号（默认自动生成）")
@click.option("--nothing-happened", is_flag=True, help="本期确无业务：不带文件，只声明并关闭该月")
@click.option(
    "--persons", type=click.Path(path_type=Path), help="只发此文件所列人员代码（roster load --new-persons 所写）"
)
@click.option("--bad-rows", type=click.Path(path_type=Path), help="未能发送的行写到何处（默认与文件同处）")
@click.option("--close-with-bad", is_flag=True, help="有行未能发送也关闭批次：这些人当月将被视为没有记录")
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), help="映射文件：本单位的列如何成为字段")
@click.option("--again", is_flag=True, help="文件与上次发布的完全相同也重发")
@click.option("--array", default=1, show_default=True, type=click.IntRange(1, 5000), help="每条消息的事件数")
@click.option("--source", default=None, help="来源标识（默认为本网关）")
@click.option("--receipt", type=click.Path(path_type=Path), help="把回执写入此文件")
@click.option("--at", type=click.DateTime(), default=None, help="记录时间（北京时间，默认现在）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def publish(feed: str, file: Path | None, **options: Any) -> None:
    """发布部门文件：CSV（GB18030 或 UTF-8，中文表头，金额为元）、Excel 或 JSONL（英文字段，金额为分）。

    证件号码在此变为代码，不进入任何主题。有行未能发送时其余照发，退出码为 1，批次不关闭。

    中途断开后，用同样的命令再发即从断处继续；内容未变的文件不重发；变了的说明差了哪些行。
    """
    settings = load_settings()
    plan = _plan(options["period"], options["areas"], options["mode"], options["batchid"])
    if options["nothing_happened"]:
        if file is not None or plan is None:
            raise CallError("--nothing-happened 不带文件，须写明 --period 和 --area")
        recorded, timestamp_ms = moment_of(settings, options["at"])
        with publisher_of(settings) as way:
            receipt = publish_nothing(
                feed,
                publisher=way,
                recorded=recorded,
                batch=plan,
                source=options["source"],
                timestamp_ms=timestamp_ms,
            )
        _say(receipt, options, None)
        return
    if file is None:
        raise CallError("请给出要发布的文件")
    _publish(settings, feed, file, plan, options)


def _publish(settings: Settings, feed: str, file: Path, plan: BatchPlan | None, options: dict[str, Any]) -> None:
    keep_key(settings)
    recorded, timestamp_ms = moment_of(settings, options["at"])
    suffix = ".jsonl" if file.suffix.lower() in {".jsonl", ".ndjson"} else ".csv"
    bad_rows: Path = options["bad_rows"] or file.with_name(f"{file.stem}.bad{suffix}")
    if bad_rows.resolve() == file.resolve():
        raise CallError("--bad-rows 不能是要发布的文件本身")
    linkage = linkage_of(settings)
    persons = _persons(options["persons"])
    began, worked = time.monotonic(), time.process_time()
    mapping = load_mapping(options["mapping_file"], feed) if options["mapping_file"] else None
    with (
        publisher_of(settings) as way,
        recognising(settings, linkage, lambda: way, options["at"]),
        bar_on(terminal(), feed) as progress,
    ):
        done = publish_file(
            file,
            feed,
            publisher=way,
            linkage=linkage,
            recorded=recorded,
            batch=plan,
            source=options["source"],
            mapping=mapping,
            array=options["array"],
            persons=persons,
            bad_rows=bad_rows,
            close_with_bad=options["close_with_bad"],
            timestamp_ms=timestamp_ms,
            ended=None if options["at"] else lambda: moment_of(settings, None)[0],
            progress=progress,
            keeping=keeping_of(settings, again=options["again"]) if persons is None else None,
            doubts=doubts_of(settings),
        )
    took = {
        "seconds": round(time.monotonic() - began, 3),
        "cpu_seconds": round(time.process_time() - worked - way.waiting_cpu_seconds, 3),
        "waited_seconds": round(way.waited_seconds, 3),
    }
    if not options["as_json"]:
        say_problems(done.problems, done.receipt.bad)
    _say(done.receipt, options, bad_rows, took)
    if done.receipt.bad:
        raise DataError(f"有 {done.receipt.bad:,} 行未发送")


def _plan(period: str | None, areas: tuple[str, ...], mode: Mode, batchid: str | None) -> BatchPlan | None:
    if period is None:
        if areas or batchid or mode != "delta":
            raise CallError("--area、--batch、--mode 须与 --period 同用")
        return None
    return replace(BatchPlan(period, areas, mode), batchid=batchid)


def _persons(path: Path | None) -> frozenset[str] | None:
    if path is None:
        return None
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    lines = path.read_text(encoding="utf-8").split()
    if not all(_PERSON.fullmatch(line) for line in lines):
        raise CallError("--persons 文件每行应为一个人员代码（p_ 加 32 位），不能是证件号码")
    return frozenset(lines)


def _say(
    receipt: Receipt, options: dict[str, Any], bad_rows: Path | None, took: dict[str, float] | None = None
) -> None:
    """`took`: how long publishing lasted, what it worked itself, and how long the service made it wait."""
    write_json(options["receipt"], receipt.as_json())
    if options["as_json"]:
        click.echo(json.dumps({**receipt.as_json(), **(took or {})}, ensure_ascii=False))
        return
    if receipt.unchanged:
        batch = f"批次 {receipt.batchid}，" if receipt.batchid else ""
        click.echo(f"内容与上次发布的完全相同（{batch}{receipt.recorded}），没有重发；确要重发请加 --again")
        return
    if receipt.resumed_at is not None:
        click.echo(f"接着上次中断处：前 {receipt.resumed_at:,} 行已送达，没有重发")
    if receipt.difference is not None:
        click.echo(receipt.difference.text)
    parts = "、".join(str(count) for count in receipt.partitions)
    left = f"，名单之外 {receipt.left_out:,} 行未发" if receipt.left_out else ""
    sent = f"已送达 {receipt.sent:,} 行（各分区 {parts}）"
    click.echo(f"读入 {receipt.read:,} 行，{sent}，未发送 {receipt.bad:,} 行{left}")
    if took and took["waited_seconds"] >= 1:
        click.echo(f"用时 {took['seconds']:.0f} 秒，其中 {took['waited_seconds']:.0f} 秒在等服务读取")
    if receipt.batchid is not None:
        state = f"已关闭 {receipt.period}" if receipt.closed else f"未关闭 {receipt.period}，该月不作“没有记录”判断"
        click.echo(f"批次 {receipt.batchid}：{state}")
        if receipt.closed and receipt.mode in WHOLE:
            click.echo(_missing(receipt))
    else:
        click.echo("未声明所属月份：数据有效，但不关闭任何月份")
    if receipt.bad and bad_rows is not None:
        whole = receipt.mode in WHOLE
        again = "改正原文件后整期重发" if whole else f"改正 {bad_rows} 后再发这个文件"
        click.echo(f"未发送的行在 {bad_rows}：请{again}")


def _missing(receipt: Receipt) -> str:
    """What becomes of rows that were there and are not in a whole batch."""
    lasts = receipt.mode == "full_snapshot" and feed_spec(receipt.feed).fact.ended_in is not None
    ended = f"自 {receipt.period} 首日起终止" if lasts else "冲销"
    above = Catalogue.load().hold_above(receipt.feed)
    held = f"；超过原有的 {above / 10:g}% 则先不生效，等人确认（lidm feed hold list）" if above is not None else ""
    return f"以前有而这次没有的，视为{ended}{held}"
