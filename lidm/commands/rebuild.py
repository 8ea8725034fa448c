"""`lidm rebuild`: folds the log (or the archive) again, compares with the running state, and switches when asked."""

import json
from collections.abc import Iterable, Iterator

import click

from lidm.compose import clickhouse_store, stream_config
from lidm.settings import load_settings
from schemas.errors import CallError, DataError, Stop
from schemas.records import FactRecord
from schemas.topics import LINKS, LINKS_STATE, STATE
from streams.delivery import Letter
from streams.lag import Lag
from streams.links import links_of, told_in
from streams.rebuild import LoggedBlock, differences, fold_log, foreign, keys_of, reach, read_log, read_stored, whole
from streams.rewrite import rewrite_links, rewrite_state


@click.command()
@click.option("--from", "origin", type=click.Choice(["log", "archive"]), default="log", help="日志或归档")
@click.option("--switch", is_flag=True, help="比对后用重建结果替换状态（监测和跨户比对环节须已停止）")
@click.option("--json", "as_json", is_flag=True)
def command(origin: str, switch: bool, as_json: bool) -> None:
    """从日志或归档重建台账，并与现有状态逐条比对。"""
    settings = load_settings()
    config = stream_config(settings)
    lag = Lag(config.broker, config.partitions)
    if switch:
        _nobody_monitors(lag)
    committed = _committed(lag)
    running = read_stored(config, lag.ends(STATE))
    until = reach(committed, running)
    if origin == "log":
        blocks = read_log(config, until)
    else:
        archived = clickhouse_store(settings).read_household_log(config.generation)
        blocks = (LoggedBlock(*b) for b in archived if b.offset < until.get(b.partition, 0))
    said, told = list[Letter](), list[FactRecord]()
    rebuilt = fold_log(_noted(whole(blocks, until), told), config, lambda each: said.extend(_sayings(each)))
    differ = [key for p in rebuilt for key in differences(rebuilt[p], running[p])]
    records = sum(1 for watch in rebuilt.values() for _ in watch.records())
    if switch:
        _nobody_monitors(lag)
        if _committed(lag) != committed:
            raise Stop("重建期间监测环节又处理了消息，未替换状态，请停止监测环节后重来")
        known = keys_of(config, LINKS_STATE, lag.ends(LINKS_STATE))
        rewrite_state(config, rebuilt, running)
        rewrite_links(config, links_of(said, told, config), known, lag.ends(LINKS))
    result = {"from": origin, "records": records, "different": len(differ), "switched": switch}
    text = f"重建 {records} 条，与现有状态不同 {len(differ)} 条{'，已替换' if switch else ''}"
    click.echo(json.dumps(result) if as_json else text)
    if differ and not switch:
        why = "（现有状态由另一版本的程序写成，或上次替换没有完成；停止监测环节后用 --switch 替换）"
        raise DataError(f"有 {len(differ)} 条与现有状态不同{why if any(map(foreign, running.values())) else ''}")


def _nobody_monitors(lag: Lag) -> None:
    running = [label for stage, label in (("monitor", "监测"), ("links", "跨户比对")) if lag.members(stage)]
    if running:
        raise CallError(f"{'、'.join(running)}环节还在运行，请先停止再替换状态")


def _sayings(letters: list[Letter]) -> Iterator[Letter]:
    return (letter for letter in letters if letter.topic == LINKS)


def _noted(blocks: Iterable[LoggedBlock], told: list[FactRecord]) -> Iterator[LoggedBlock]:
    """The blocks, with what was told of links put aside."""
    for block in blocks:
        told += told_in(block.block)
        yield block


def _committed(lag: Lag) -> dict[int, int]:
    return {partition: offset for (_, partition), offset in lag.committed("monitor").items()}
