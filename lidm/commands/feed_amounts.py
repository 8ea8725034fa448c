"""`lidm feed amounts`: within which limits amounts are taken; once somebody has asked, others may be let in."""

import json
import time
from datetime import datetime

import click
import msgspec

from lidm.amount_doubts import said_of_amounts
from lidm.free_text import FREE_TEXT
from lidm.settings import Settings, load_settings
from lidm.tables import table
from lidm.ways_in import publisher_of
from schemas.amount_limits import AmountLimits, LimitsLifted, lifted_key
from schemas.calendar import SHANGHAI
from schemas.errors import CallError
from schemas.feed import FEEDS
from schemas.labels import yuan
from schemas.partition import partition_of
from schemas.topics import INTAKE_CONTROL

_DAY_MS = 86_400_000


@click.command("amounts")
@click.argument("feed", metavar="[数据类]", required=False)
@click.option(
    "--accept-days", type=click.IntRange(0, 31), default=None, help="已核实金额属实：这些天内照收（0 即收回）"
)
@click.option("--reason", default="", type=FREE_TEXT, metavar="理由", help="向谁核实、结果如何，留在记录里")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def feed_amounts(feed: str | None, accept_days: int | None, reason: str, as_json: bool) -> None:
    """金额的平常范围：超出约万倍的行暂存待核（lidm rejected list --code AMOUNT_UNIT）。"""
    if feed is not None and feed not in FEEDS:
        raise CallError(f"没有数据类 {feed}；有：{'、'.join(FEEDS)}")
    settings = load_settings()
    if accept_days is not None:
        _lift(settings, feed, accept_days, reason)
        return
    known, now = amounts_of(settings), int(time.time() * 1000)
    rows = [
        (each, field, least, below, lifted.until_ms if lifted is not None and lifted.until_ms > now else None)
        for each, (limits, lifted) in sorted(known.items())
        if feed in (None, each)
        for field, (least, below) in sorted(limits.limits.items())
    ]
    if as_json:
        names = ("feed", "field", "from_fen", "below_fen", "accepted_until_ms")
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False))
    elif not rows:
        click.echo("还没有平常范围：要有若干天的数据，且本地已签发金额单位（AMOUNT-UNIT）的参数")
    else:
        shown = [(each, name, yuan(low), yuan(high), _until(until)) for each, name, low, high, until in rows]
        click.echo(table(("数据类", "字段", "不低于", "低于", "照收至"), shown))


def amounts_of(settings: Settings) -> dict[str, tuple[AmountLimits, LimitsLifted | None]]:
    """What was said last about the amounts of each feed. Raises Unreachable."""
    limits: dict[str, AmountLimits] = {}
    lifted: dict[str, LimitsLifted] = {}
    for feed, said in said_of_amounts(settings):
        if isinstance(said, AmountLimits):
            limits[feed] = said
        else:
            lifted[feed] = said
    return {feed: (each, lifted.get(feed)) for feed, each in limits.items()}


def _lift(settings: Settings, feed: str | None, days: int, reason: str) -> None:
    if feed is None:
        raise CallError("请写明数据类")
    if not reason:
        raise CallError("须写明理由（--reason）：向谁核实、结果如何，会留在记录里")
    now = int(time.time() * 1000)
    said = LimitsLifted(now, now + days * _DAY_MS, settings.actor, reason)
    key = lifted_key(feed).encode()
    with publisher_of(settings) as way:
        way.send(INTAKE_CONTROL, partition_of(key, way.partitions(INTAKE_CONTROL)), key, msgspec.json.encode(said))
        way.flush()
    if days:
        until = _until(said.until_ms)
        click.echo(f"{feed} 的金额照收至 {until}：未受理的请用 lidm rejected replay 重发，整批的请部门重发")
    else:
        click.echo(f"{feed} 的金额恢复核对")


def _until(at_ms: int | None) -> str:
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M") if at_ms else ""
