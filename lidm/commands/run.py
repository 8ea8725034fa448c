"""`lidm run`: all stages in one process; `--embedded` brings its own broker and store."""

import click

from lidm.commands.worker import STAGES
from lidm.compose import run_stages
from lidm.embedded import run_embedded
from lidm.settings import load_settings
from schemas.errors import CallError
from schemas.feed import FEEDS


@click.command()
@click.option("--embedded", is_flag=True, help="自带内存消息服务和本地归档，只需 Python")
@click.option("--feed", "feeds", multiple=True, metavar="数据类", help="内嵌服务一启动就读取的数据类，可多次")
def command(embedded: bool, feeds: tuple[str, ...]) -> None:
    """一个进程里运行全部环节。"""
    settings = load_settings()
    if unknown := [feed for feed in feeds if feed not in FEEDS]:
        raise CallError(f"没有数据类 {'、'.join(unknown)}；有：{'、'.join(FEEDS)}")
    if embedded:
        run_embedded(settings, feeds)
    elif feeds:
        raise CallError("--feed 只用于 --embedded：消息服务上的主题由 lidm topics apply 建立，全部读取")
    else:
        run_stages(STAGES, settings)
