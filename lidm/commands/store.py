"""`lidm store`: schema of the store, where it stands, and whether it is what the code expects."""

import json

import click

from lidm.stores import reading
from lidm.tables import table
from schemas.errors import DataError
from sinks.preflight import preflight

_STATUS = {
    "applied": "已执行",
    "pending": "待执行",
    "changed": "文件被改动",
    "not_for_this_version": "此版本不需要",
}


@click.group()
def command() -> None:
    """归档库：迁移、状态、预检。"""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def migrate(as_json: bool) -> None:
    """执行待执行的迁移；重复运行无害。"""
    with reading() as store:
        applied = [migration.name for migration in store.migrate()]
    if as_json:
        click.echo(json.dumps({"applied": applied}))
    else:
        click.echo("\n".join(f"已执行 {name}" for name in applied) or "没有待执行的迁移")


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
