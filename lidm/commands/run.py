"""`lidm run`: all stages in one process; `--embedded` brings its own broker and store."""

import click

from lidm.commands.worker import STAGES
from lidm.compose import run_stages
from lidm.embedded import run_embedded
from lidm.settings import load_settings


@click.command()
@click.option("--embedded", is_flag=True, help="自带内存消息服务和本地归档，只需 Python")
def command(embedded: bool) -> None:
    """一个进程里运行全部环节。"""
    settings = load_settings()
    if embedded:
        run_embedded(settings)
    else:
        run_stages(STAGES, settings)
