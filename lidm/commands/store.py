"""`lidm store`: schema of the store, where it stands, whether it is what the code expects, its log as a file."""

import json
from pathlib import Path

import click

from lidm.settings import Settings, load_settings
from lidm.stores import reading
from lidm.tables import table
from schemas.errors import CallError, DataError, Stop
from sinks.log_file import save
from sinks.preflight import preflight

_STATUS = {
    "applied": "已执行",
    "pending": "待执行",
    "changed": "文件被改动",
    "not_for_this_version": "此版本不需要",
}


@click.group()
def command() -> None:
    """归档库：迁移、状态、预检、存出台账日志。"""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def migrate(as_json: bool) -> None:
    """执行待执行的迁移；重复运行无害。要复制行的，归档环节须已停止。"""
    settings = load_settings()
    with reading(settings) as store:
        try:
            applied = store.migrate(beside_others=True)
        except Stop:
            _nobody_archives(settings)
            applied = store.migrate()
    if as_json:
        click.echo(json.dumps({"applied": [each.name for each in applied]}))
    else:
        click.echo("\n".join(f"已执行 {each.name}" for each in applied) or "没有待执行的迁移")


def _nobody_archives(settings: Settings) -> None:
    if settings.store == "embedded":
        return
    from streams.lag import Lag  # the broker's client comes with the extra `service`

    if Lag(settings.bootstrap, 1).members("archive"):
        raise CallError("归档环节还在运行，迁移要复制已有的行，请先停止全部归档环节")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def status(as_json: bool) -> None:
    """每项迁移的状态和各表行数（按标识去重）。"""
    with reading() as store:
        steps = store.status()
        version = ".".join(map(str, store.version()))
        ready = all(step.status == "applied" for step in steps if not step.migration.requires)
        counts = store.counts()._asdict() if ready else {}
    if as_json:
        migrations = [{"name": step.migration.name, "status": step.status} for step in steps]
        engine = {"engine": store.engine, "version": version}
        click.echo(json.dumps({**engine, "migrations": migrations, "rows": counts}))
        return
    click.echo(f"{store.engine} {version}")
    click.echo(table(("迁移", "状态"), [(step.migration.name, _STATUS[step.status]) for step in steps]))
    if counts:
        click.echo(table(tuple(counts), [tuple(map(str, counts.values()))]))


@command.command("preflight")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def preflight_command(as_json: bool) -> None:
    """核对版本、表、列、引擎；有不符时退出码为 1。"""
    with reading() as store:
        checks = preflight(store)
    if as_json:
        click.echo(json.dumps([check.__dict__ for check in checks], ensure_ascii=False))
    else:
        click.echo(table(("检查", "结果", "说明"), [(c.name, "通过" if c.ok else "不符", c.detail) for c in checks]))
    if not all(check.ok for check in checks):
        raise DataError("归档库与程序不符")


@command.command("save-log")
@click.argument("file", metavar="文件", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def save_log(file: Path, as_json: bool) -> None:
    """把归档的台账日志存成一个文件，供没有归档库的机器回测（lidm backtest --log）；只有本人可读。"""
    with reading() as store:
        log = save(file, store.read_household_log())
    if as_json:
        click.echo(json.dumps({"file": str(file), "partitions": log.partitions, "blocks": log.blocks}))
    else:
        click.echo(f"已写入 {file}：{log.partitions} 个分区，{log.blocks:,} 个数据块")
