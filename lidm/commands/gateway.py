"""`lidm gateway`: the service, its keys, what it took, what it keeps sealed, and the log of openings."""

import asyncio
import hashlib
import json
import os
import secrets
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.keys import init_keys, read_key
from lidm.free_text import FREE_TEXT
from lidm.settings import load_settings
from lidm.ways_in import keys_of, vault_of
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError


@click.group()
def command() -> None:
    """民政区网关：运行、密钥、受理记录、打开记录。"""


@command.command()
@click.option("--synthetic", is_flag=True, help="只用于虚构人员：接受不存在的地区 999999")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def init(synthetic: bool, as_json: bool) -> None:
    """生成联结密钥、摘要密钥、身份库密钥和封存密钥对；已有密钥绝不覆盖。"""
    files = init_keys(load_settings().keys_dir, synthetic=synthetic)
    if as_json:
        click.echo(json.dumps({"keys": str(files.linkage.parent), "synthetic": synthetic}))
        return
    click.echo(f"密钥已生成于 {files.linkage.parent}（仅本人可读）。请离线备份：丢失后所有代码无法再对应到人。")
    if synthetic:
        click.echo("本网关接受虚构号码（地区 999999），不得用于真实数据。")


@command.command()
@click.argument("config", metavar="配置文件", type=click.Path(path_type=Path))
def run(config: Path) -> None:
    """运行网关：监视文件夹、上传网页、数据库视图、密封主题；按配置文件打开，Ctrl-C 结束。"""
    from gateway.config import load_config
    from lidm.gateway_service import gateway_of, serve
    from lidm.logs import configure_logs

    settings, said = load_settings(), load_config(config)
    configure_logs(settings.log_level)
    face = settings.data_dir / "run" / "gateway.json"

    def ready(ways: dict[str, Any]) -> None:
        face.parent.mkdir(parents=True, exist_ok=True)
        face.write_text(json.dumps(ways), encoding="utf-8")
        click.echo(f"网关已启动：上传网页 {ways['upload'] or '未开'}，监视文件夹 {ways['folder'] or '未开'}")

    with gateway_of(settings, said) as gateway:
        try:
            asyncio.run(serve(gateway, ready))
        finally:
            face.unlink(missing_ok=True)


@command.command()
def code() -> None:
    """给一个部门生成上传口令：口令交给部门，摘要写进配置文件。"""
    made = secrets.token_urlsafe(18)
    click.echo(f"口令（只显示这一次）：{made}")
    click.echo(f"code_sha256: {hashlib.sha256(made.encode()).hexdigest()}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def taken(as_json: bool) -> None:
    """网关受理过的文件：何时、哪类、几行、结果。"""
    receipts = load_settings().data_dir / "gateway" / "receipts"
    paths = sorted(receipts.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for said in found[:50]:
        counts = said["receipt"] or {}
        sent = f"受理 {counts['sent']:,} 行，未发送 {counts['bad']:,} 行" if counts else said["reason"]
        click.echo(f"{said['at'][:16]}  {said['feed']}  {said['label']}  {sent}")
    click.echo(f"共 {len(found)} 件")


@command.command("open")
@click.argument("name", metavar="名称", required=False)
@click.option("--reason", default="", type=FREE_TEXT, metavar="理由", help="打开原文件的理由，留痕")
@click.option("--out", type=click.Path(path_type=Path), help="把原文件写到何处（仅本人可读）")
def open_kept(name: str | None, reason: str, out: Path | None) -> None:
    """加密保存的原文件和未受理文件：不带名称则列出；打开须写明理由。"""
    from gateway.keeping import Keeping, opened

    settings = load_settings()
    keys = keys_of(settings)
    public = read_key(keys.seal_public, secret=False)
    folders = [Keeping(settings.data_dir / "gateway" / kind, public, days=1) for kind in ("kept", "quarantine")]
    if name is None:
        for folder in folders:
            click.echo("\n".join(folder.names()))
        return
    if out is None:
        raise CallError("请用 --out 写明写到何处")
    folder = next((each for each in folders if name in each.names()), folders[0])
    path = folder.path(name)
    with vault_of(settings) as vault:
        vault.note([f"file:{name}"], actor=settings.actor, purpose=reason, at_ms=int(time.time() * 1000))
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.writelines(opened(path, read_key(keys.seal_private)))
    click.echo(f"已写入 {out}；用后请删除")


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
