"""`lidm bench`: figures of the whole way on a real broker of its own, next to their budgets."""

import json
import signal
import sys
from collections.abc import Mapping
from typing import Any

import click

from schemas.errors import CallError

ROWS = ("whole_path", "plain_faust", "batched", "ledgers", "latency", "recovery", "month", "screens")
AT_LEAST_ONE = click.IntRange(min=1)


@click.command()
@click.option("--events", default=500_000, show_default=True, type=AT_LEAST_ONE, help="结算单条数")
@click.option("--households", default=50_000, show_default=True, type=AT_LEAST_ONE, help="户数")
@click.option("--rounds", default=5, show_default=True, type=AT_LEAST_ONE, help="交替轮数，取中位数")
@click.option("--ledger-persons", default=4_000, show_default=True, type=AT_LEAST_ONE, help="台账一项的人数")
@click.option("--latency-seconds", default=60, show_default=True, type=AT_LEAST_ONE, help="事件到预警测多少秒")
@click.option("--recovery-persons", default=40_000, show_default=True, type=AT_LEAST_ONE, help="恢复与整批的人数")
@click.option("--month-rows", default=200_000, show_default=True, type=AT_LEAST_ONE, help="实测的月度整批行数")
@click.option("--screen-years", default=10, show_default=True, type=AT_LEAST_ONE, help="查询一项的年数")
@click.option("--only", multiple=True, type=click.Choice(ROWS), help="只测这些（可重复）")
@click.option("--json", "as_json", is_flag=True, help="只在最后一行输出 JSON")
def command(only: tuple[str, ...], as_json: bool, **sizes: int) -> None:
    """在自带的真实消息服务上测量各环节，对照预算；未达到预算不算出错。"""
    try:
        from load_tests.bench.report import Sizes, run
    except ModuleNotFoundError as missing:
        raise CallError(f"缺少组件 {missing.name}：请安装 lidm 的 service、embedded 与 gateway 扩展") from missing
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and workers end with us
    report = run(Sizes(**sizes), only or ROWS, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _for_people(report))
    for name, part in (("本次测量", report), ("700 万行一项", report.get("month", {}))):
        if part.get("void"):
            click.echo(f"测量前后的读取基准相差超过 1.3 倍，{name}不作数", err=True)


def _for_people(report: Mapping[str, Any]) -> str:
    from load_tests.bench.budgets import table

    lines = [table(report["budgets"])]
    if "plain_faust_over_ours" in report:
        lines.append(f"同一批数据，plain Faust 的 CPU 是本系统的 {report['plain_faust_over_ours']:g} 倍")
    if "floor_us" in report:
        lines.append(f"读取基准 {report['floor_us']:g} 微秒/条，测量前后最多相差 {report['floor_spread']:g} 倍")
    if not report["full_size"]:
        lines.append("规模小于预算所定：只说明能够运行，数值不可用来比较")
    return "\n".join(lines)
