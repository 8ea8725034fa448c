"""`lidm feed parked|resume`: feeds that stand still because too much was refused, and how they flow again."""

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from lidm.free_text import FREE_TEXT
from lidm.reading import ends_of, read_topic
from lidm.settings import Settings, load_settings
from lidm.tables import table
from lidm.ways_in import publisher_of
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS
from schemas.topics import INTAKE_CONTROL, feed_topic

if TYPE_CHECKING:  # the base install has no streams
    from streams.breaker import FeedControl


@click.command("parked")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_parked(as_json: bool) -> None:
    """停收的数据类：因何停收、由谁负责、何时自动恢复。"""
    now = int(time.time() * 1000)
    parked = {feed: control for feed, control in controls(load_settings()).items() if control.parked(now)}
    if as_json:
        click.echo(json.dumps({feed: msgspec.to_builtins(c) for feed, c in parked.items()}, ensure_ascii=False))
    elif not parked:
        click.echo("没有停收的数据类")
    else:
        rows = [(feed, c.owner, _when(c.at_ms), _until(c), c.reason) for feed, c in sorted(parked.items())]
        click.echo(table(("数据类", "负责单位", "停收于", "自动恢复", "原因"), rows))


@click.command("resume")
@click.argument("feed", metavar="数据类")
@click.option("--reason", default="", type=FREE_TEXT, metavar="理由", help="为何恢复，留在记录里")
@click.option("--strict", is_flag=True, help="积压部分也计入拒收比例（默认积压照收，拒收的进入未受理清单）")
def resume_feed(feed: str, reason: str, strict: bool) -> None:
    """恢复停收的数据类：从停收时的位置接着读，不丢不重。"""
    from streams.breaker import FeedControl, control_letter

    if feed not in FEEDS:
        raise CallError(f"没有数据类 {feed}；有：{'、'.join(FEEDS)}")
    settings = load_settings()
    now = int(time.time() * 1000)
    known = controls(settings).get(feed)
    if known is None or not known.parked(now):
        raise DataError(f"{feed} 没有停收")
    ends = {} if strict else {str(p): end for p, end in ends_of(settings, feed_topic(feed)).items()}
    control = FeedControl("flowing", now, settings.actor, reason or "人工恢复", owner=known.owner, ends=ends)
    with publisher_of(settings) as way:
        letter = control_letter(feed, control, way.partitions(INTAKE_CONTROL))
        way.send(letter.topic, letter.partition, letter.key, letter.value or b"")
        way.flush()
    click.echo(f"{feed} 已恢复：从停收处继续读取")


def controls(settings: Settings) -> "dict[str, FeedControl]":
    """What was said last about each feed."""
    from streams.breaker import decode_control

    found: dict[str, FeedControl] = {}
    for message in read_topic(settings, INTAKE_CONTROL):
        try:
            found[message.key.decode()] = decode_control(message.value)
        except (AttributeError, TypeError, UnicodeDecodeError, msgspec.DecodeError):
            continue
    return found


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _until(control: "FeedControl") -> str:
    return _when(control.until_ms) if control.until_ms else "待人工恢复"
