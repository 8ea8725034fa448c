"""`lidm bench`: figures of the whole way on a real broker of its own, as reference microseconds and ratios."""

import json
import signal
import sys

import click

from schemas.errors import CallError

ROWS = ("whole_path", "plain_faust", "batched", "ledgers")


@click.command()
@click.option("--events", default=500_000, show_default=True, help="结算单条数")
@click.option("--households", default=50_000, show_default=True, help="户数")
@click.option("--rounds", "times", default=5, show_default=True, help="交替轮数，取中位数")
@click.option("--only", multiple=True, type=click.Choice(ROWS), help="只测这些（可重复）")
@click.option("--json", "as_json", is_flag=True, help="只在最后一行输出 JSON")
def command(events: int, households: int, times: int, only: tuple[str, ...], as_json: bool) -> None:
    """在自带的真实消息服务上测量各环节，结果为基准微秒与倍数。"""
    try:
        from load_tests.bench.report import run
    except ModuleNotFoundError as missing:
        raise CallError(f"缺少组件 {missing.name}：请安装 lidm 的 service、embedded 与 gateway 扩展") from missing
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and workers end with us
    report = run(events, households, times, only or ROWS, lambda text: click.echo(text, err=True))
    if not as_json:
        for name, value in report.items():
            click.echo(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    click.echo(json.dumps(report, ensure_ascii=False))
    if report.get("void"):
        click.echo("各轮的读取基准相差超过 1.3 倍，本次测量不作数", err=True)
