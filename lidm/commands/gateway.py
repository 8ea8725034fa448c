"""`lidm gateway`: keys of the gateway, and the log of openings of its vault."""

import json
from datetime import datetime

import click

from gateway.keys import init_keys
from gateway.values import SHANGHAI
from lidm.settings import load_settings
from lidm.ways_in import vault_of
from schemas.errors import DataError


@click.group()
def command() -> None:
    """民政区网关：密钥与身份库的打开记录。"""


@command.command()
@click.option("--synthetic", is_flag=True, help="只用于虚构人员：接受不存在的地区 999999")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def init(synthetic: bool, as_json: bool) -> None:
    """生成联结密钥、身份库密钥和封存密钥对；已有密钥绝不覆盖。"""
    files = init_keys(load_settings().keys_dir, synthetic=synthetic)
    if as_json:
        click.echo(json.dumps({"keys": str(files.linkage.parent), "synthetic": synthetic}))
        return
    click.echo(f"密钥已生成于 {files.linkage.parent}（仅本人可读）。请离线备份：丢失后所有代码无法再对应到人。")
    if synthetic:
        click.echo("本网关接受虚构号码（地区 999999），不得用于真实数据。")


@command.command()
@click.option("--case", "case_id", default=None, help="只看一个个案")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def openings(case_id: str | None, as_json: bool) -> None:
    """身份库的打开记录：谁、何时、为何、为哪个个案；并核对记录是否完整。"""
    with vault_of(load_settings()) as vault:
        found, broken = vault.openings(case_id), vault.verify()
    if as_json:
        rows = [{name: getattr(opening, name) for name in opening.__struct_fields__} for opening in found]
        click.echo(json.dumps({"openings": rows, "broken_at": broken}, ensure_ascii=False))
    else:
        for opening in found:
            when = datetime.fromtimestamp(opening.at_ms / 1000, SHANGHAI)
            click.echo(f"{when:%Y-%m-%d %H:%M:%S}  {opening.actor}  {opening.case_id}  {opening.purpose}")
        click.echo(f"共 {len(found)} 次")
    if broken is not None:
        raise DataError(f"打开记录自第 {broken} 条起被改动过")
