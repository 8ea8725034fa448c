"""`lidm policy diff`: what a draft changes against what is activated, or one folder against another."""

import json
from datetime import date, datetime
from pathlib import Path

import click

from detectors.registry import load_detectors
from lidm.policy_text import compared
from lidm.settings import Settings, load_settings
from policy.bundle import Bundle
from policy.value_words import kinds_in
from schemas.errors import CallError, DataError

ACTIVATED = "activated"


@click.command("diff")
@click.argument("sides", metavar="[旧] 新", nargs=-1, required=True)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="早于这一天的改动算追溯（默认今天）")
@click.option("--exit-code", is_flag=True, help="有不同时退出码 1（默认只有参数有错才不为 0）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def diff(sides: tuple[str, ...], on: datetime | None, exit_code: bool, as_json: bool) -> None:
    """比较两套参数：目录，或 activated（已启用的一套，取自归档）。只写一个时与已启用的比。"""
    if len(sides) > 2:
        raise CallError("最多比较两套参数：lidm policy diff [旧] 新")
    old, new = sides if len(sides) == 2 else (ACTIVATED, sides[0])
    folders = [Path(each) for each in (new, old) if each != ACTIVATED]
    if not folders:
        raise CallError("两边都是已启用的参数，没有可比的")
    settings = load_settings()
    before, after = _bundle(old, settings), _bundle(new, settings)
    today = on.date() if on else date.today()
    kinds = {name: kind for folder in reversed(folders) for name, kind in kinds_in(folder).items()}
    found = compared(before, after, kinds, load_detectors(), today)
    click.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else "\n".join(found.lines()))
    if exit_code and found.changes:
        raise DataError(f"有{len(found.changes)}处不同")


def _bundle(side: str, settings: Settings) -> Bundle:
    """A folder's bundle or the activated one. Raises PolicyError, CallError, DataError or Unreachable."""
    if side != ACTIVATED:
        folder = Path(side)
        if not folder.is_dir():
            raise CallError(f"没有这个参数目录：{side}")
        return Bundle.load(folder)
    import zstandard  # comes with the extra `service`

    from lidm.stores import reading
    from sinks.household_log import newest_policy

    with reading(settings) as store:
        body = newest_policy(store)
    if body is None:
        raise DataError("归档里还没有启用过参数：请先运行 lidm policy activate")
    return Bundle.from_canonical(zstandard.decompress(body.bundle))
