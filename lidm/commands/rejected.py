"""`lidm rejected`: dead letters as a work list: what was refused and why, opened with a reason, mended, sent again."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.mend import Mender
from lidm.free_text import FREE_TEXT, REASON
from lidm.settings import load_settings
from lidm.steward import Item, Outcome, Steward
from lidm.tables import table
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from streams.letters import Wanted

STATES = {"open": "待处理", "replayed": "已重发", "aside": "已搁置"}
_FILTERS = (
    click.option("--feed", default=None, metavar="数据类", help="只看一类数据"),
    click.option("--code", default=None, metavar="代码", help="只看一种原因，如 BAD_FIELD"),
    click.option("--batch", default=None, metavar="批次", help="只看一个批次"),
    click.option("--since", type=click.DateTime(), default=None, help="自此时（北京时间）"),
    click.option("--until", type=click.DateTime(), default=None, help="至此时之前（北京时间）"),
)


def _filtered(function: Any) -> Any:
    for option in reversed(_FILTERS):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """未受理的消息：清单、查看、修补重发。"""


@command.command("list")
@_filtered
@click.option("--all", "done", is_flag=True, help="连同已重发、已搁置的")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="最多列出几条")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_letters(done: bool, limit: int, as_json: bool, **filters: Any) -> None:
    """待处理的未受理消息。只显示原因与位置；内容是密封的。"""
    shown: list[Item] = []
    counts: Counter[tuple[str, str]] = Counter()
    for item in Steward(load_settings()).items(_wanted(filters), done=done):
        counts[item.letter.feed, item.letter.code] += 1
        if len(shown) < limit:
            shown.append(item)
    if as_json:
        summary = [{"feed": feed, "code": code, "letters": n} for (feed, code), n in counts.most_common()]
        rows = [_json(item) for item in shown]
        click.echo(json.dumps({"letters": rows, "summary": summary}, ensure_ascii=False))
        return
    if not counts:
        click.echo("没有待处理的未受理消息")
        return
    rows_ = [
        (i.letter.place, i.letter.code, _when(i.letter.known_at_ms), STATES[i.state], i.letter.message) for i in shown
    ]
    click.echo(table(("编号", "原因代码", "收到时间", "状态", "原因"), rows_))
    click.echo(f"共 {counts.total():,} 条：" + "，".join(f"{f} {c} {n:,}" for (f, c), n in counts.most_common(10)))


@command.command()
@click.argument("letter", metavar="编号")
@click.option("--reason", default="", type=FREE_TEXT, metavar="理由", help="打开密封内容的理由，留痕；不写则只看信封")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def show(letter: str, reason: str, as_json: bool) -> None:
    """一条未受理的消息；写明理由则打开内容（留痕，见 lidm gateway openings）。"""
    steward = Steward(load_settings())
    item = next(steward.items(Wanted(), done=True, places=frozenset([letter])), None)
    if item is None:
        raise DataError(f"没有这条未受理消息（或已过保留期）：{letter}")
    said = _json(item)
    if reason:
        original = steward.open(item, reason)
        said["original"] = (original.value or b"").decode("utf-8", "backslashreplace")
        said["key"] = (original.key or b"").decode("utf-8", "backslashreplace")
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo(f"{item.letter.place}  {STATES[item.state]}  收到于 {_when(item.letter.known_at_ms)}")
    for code, pointer in item.letter.problems or ((item.letter.code, item.letter.pointer),):
        click.echo(f"  {code}  {pointer or '（整条）'}")
    click.echo(f"  {item.letter.message}；共 {item.letter.count} 处，已重发 {item.letter.replays} 次")
    if "original" in said:
        click.echo(said["original"])
    else:
        click.echo("内容密封。查看请加 --reason 理由")


@command.command()
@click.argument("letters", metavar="[编号]...", nargs=-1)
@_filtered
@click.option("--reason", required=True, type=REASON, metavar="理由", help="打开密封内容的理由，留痕")
@click.option("--mend", type=click.Path(path_type=Path), help="修补映射（YAML），用于全部")
@click.option("--patch", type=click.Path(path_type=Path), help="补丁文件（JSON Lines），逐条")
@click.option("--dry-run", is_flag=True, help="只试：会怎样，什么也不发")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="最多重发几条")
@click.option("--max-replays", default=3, show_default=True, type=click.IntRange(1), help="重发过几次的不再发")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def replay(
    letters: tuple[str, ...],
    reason: str,
    mend: Path | None,
    patch: Path | None,
    dry_run: bool,
    limit: int,
    max_replays: int,
    as_json: bool,
    **filters: Any,
) -> None:
    """修补并重发：原主题、原分区、原键；只发现在能受理的，送达后才记为已重发。"""
    wanted = _wanted(filters)
    if not letters and wanted == Wanted():
        raise CallError("请给出编号，或用 --feed、--code、--batch、--since、--until 圈定范围")
    steward = Steward(load_settings())
    items = steward.items(wanted, done=bool(letters), places=frozenset(letters))
    outcome = steward.replay(
        items, Mender.load(mend, patch), reason, limit=limit, most=max_replays, dry_run=dry_run
    )
    _say(outcome, dry_run, as_json)
    if outcome.kept:
        raise DataError(f"有 {len(outcome.kept):,} 条仍待处理")


@command.command()
@click.argument("letters", metavar="编号...", nargs=-1, required=True)
@click.option("--reason", required=True, type=REASON, metavar="理由", help="为何不再处理")
def aside(letters: tuple[str, ...], reason: str) -> None:
    """搁置：不再处理，也不重发。"""
    steward = Steward(load_settings())
    items = list(steward.items(Wanted(), done=True, places=frozenset(letters)))
    steward.set_aside(items, reason)
    click.echo(f"已搁置 {len(items)} 条")
    if missing := set(letters) - {item.letter.place for item in items}:
        raise DataError(f"没有这些未受理消息：{'、'.join(sorted(missing))}")


def _say(outcome: Outcome, dry_run: bool, as_json: bool) -> None:
    if as_json:
        said = {"dry_run": dry_run, "sent": outcome.sent, "events": outcome.events, "kept": outcome.kept}
        click.echo(json.dumps({**said, "more": outcome.more}, ensure_ascii=False))
        return
    click.echo(f"{'可重发' if dry_run else '已重发'} {outcome.sent:,} 条（{outcome.events:,} 个事件）")
    for reason, count in outcome.by_reason.most_common(20):
        click.echo(f"  未发 {count:,} 条：{reason}")
    if outcome.more:
        click.echo(f"  超出 --limit，另有 {outcome.more:,} 条未动")


def _json(item: Item) -> dict[str, Any]:
    letter, work = item.letter, item.work
    said: dict[str, Any] = {"letter": letter.place, "state": item.state, "feed": letter.feed, "code": letter.code}
    said |= {"pointer": letter.pointer, "message": letter.message, "count": letter.count, "batch": letter.batch}
    said |= {"known_at_ms": letter.known_at_ms, "digest": letter.digest, "replays": letter.replays}
    if work is not None:
        said |= {"by": work.actor, "at_ms": work.at_ms, "reason": work.reason}
    return said


def _wanted(filters: dict[str, Any]) -> Wanted:
    return Wanted(
        feed=filters["feed"],
        code=filters["code"],
        batch=filters["batch"],
        since_ms=_ms(filters["since"]),
        until_ms=_ms(filters["until"]),
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.replace(tzinfo=SHANGHAI).timestamp() * 1000)


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M")
