"""`lidm rebuild`: folds the log (or the archive) again, compares with the running state, and switches when asked."""

import json

import click

from lidm.compose import clickhouse_store, stream_config
from lidm.settings import load_settings
from schemas.errors import CallError, DataError, Stop
from schemas.topics import STATE
from streams.lag import Lag
from streams.rebuild import LoggedBlock, differences, fold_log, foreign, reach, read_log, read_stored, whole
from streams.rewrite import rewrite_state


@click.command()
@click.option("--from", "origin", type=click.Choice(["log", "archive"]), default="log", help="日志或归档")
@click.option("--switch", is_flag=True, help="比对后用重建结果替换状态（监测环节须已停止）")
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
    rebuilt = fold_log(whole(blocks, until), config)
    differ = [key for p in rebuilt for key in differences(rebuilt[p], running[p])]
    records = sum(1 for watch in rebuilt.values() for _ in watch.records())
    if switch:
        _nobody_monitors(lag)
        if _committed(lag) != committed:
            raise Stop("重建期间监测环节又处理了消息，未替换状态，请停止监测环节后重来")
        rewrite_state(config, rebuilt, running)
    result = {"from": origin, "records": records, "different": len(differ), "switched": switch}
    text = f"重建 {records} 条，与现有状态不同 {len(differ)} 条{'，已替换' if switch else ''}"
    click.echo(json.dumps(result) if as_json else text)
    if differ and not switch:
        why = "（现有状态由另一版本的程序写成，或上次替换没有完成；停止监测环节后用 --switch 替换）"
        raise DataError(f"有 {len(differ)} 条与现有状态不同{why if any(map(foreign, running.values())) else ''}")


def _nobody_monitors(lag: Lag) -> None:
    if lag.members("monitor"):
        raise CallError("监测环节还在运行，请先停止再替换状态")


def _committed(lag: Lag) -> dict[int, int]:
    return {partition: offset for (_, partition), offset in lag.committed("monitor").items()}
