"""`lidm explain ALERT`: from an alert to its inputs, its line, its document, its rule, its parameters and its cases.

With `--replay` the household's records are folded again from the archive, with the policy of then, and must come to the
same alert: exit 1 says what differed.
"""

import json
from pathlib import Path

import click

from lidm import paper
from lidm.explain_page import page
from lidm.explain_text import explanation, verdict
from lidm.explanation import ROOT, Explanation, explain
from lidm.settings import load_settings
from lidm.stores import reading
from schemas.errors import DataError

__all__ = ["ROOT", "command"]


@click.command()
@click.argument("alert_id", metavar="预警编号")
@click.option("--revision", type=int, default=None, help="第几次修订（默认最新）")
@click.option("--replay", "only_replay", is_flag=True, help="只重放：从归档重新得出同一条预警，不一致则退出码 1")
@click.option("--html", "file", type=click.Path(dir_okay=False, path_type=Path), help="写成一个可打印的网页文件")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def command(alert_id: str, revision: int | None, only_replay: bool, file: Path | None, as_json: bool) -> None:
    """一条预警的来龙去脉；编号可只写开头。"""
    settings = load_settings()
    with reading(settings) as store:
        told = explain(store, alert_id, revision, settings.policy_dir)
    if file is not None:
        paper.write(file, page(told))
    if as_json:
        click.echo(json.dumps(told.as_json(), ensure_ascii=False))
    elif only_replay:
        click.echo("\n".join([_name(told), *verdict(told.verdict)]))
    elif file is not None:
        click.echo(f"已写入 {file}")
    else:
        click.echo(explanation(told))
    if only_replay and told.verdict.same is not True:
        raise DataError("重放没有得出同一条预警" if told.verdict.same is False else "未能重放")


def _name(told: Explanation) -> str:
    return f"预警 {told.alert.alert_id} 第 {told.alert.revision} 次"
