"""`lidm worker STAGE`: one stage in this process."""

import click

from lidm.compose import run_stages
from lidm.settings import load_settings

STAGES = ("intake", "monitor", "links", "cases", "archive")


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
def command(stage: str) -> None:
    """运行一个环节，直到收到 SIGTERM（25 秒内停下）。"""
    run_stages((stage,), load_settings())
