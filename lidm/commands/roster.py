"""`lidm roster`: the official household export into the feed `civil.household` and the vault."""

import json
from datetime import datetime
from pathlib import Path

import click

from gateway.keys import write_private
from gateway.roster import RosterReport, load_roster
from lidm.commands.roster_reconcile import list_runs, reconcile_roster, sign_roster
from lidm.settings import load_settings
from lidm.ways_in import (
    keep_key,
    linkage_of,
    moment_of,
    progress_on,
    publisher_of,
    recognising,
    say_problems,
    terminal,
    vault_of,
    write_json,
)
from schemas.errors import DataError

_SHOWN = 20


@click.group()
def command() -> None:
    """官方名册：入库、与本库逐人比对、各地签字。"""


for each in (reconcile_roster, sign_roster, list_runs):
    command.add_command(each)


@command.command()
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
@click.option("--area", default=None, metavar="区划代码", help="认定机关所在地：户号由它编（默认取责任属地的县区）")
@click.option("--new-persons", type=click.Path(path_type=Path), help="把新进名册人员的代码写入此文件，供补发历史")
@click.option("--receipt", type=click.Path(path_type=Path), help="把回执写入此文件")
@click.option("--source", default=None, help="来源标识（默认为本网关）")
@click.option("--at", type=click.DateTime(), default=None, help="记录时间（北京时间，默认现在）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def load(
    file: Path,
    area: str | None,
    new_persons: Path | None,
    receipt: Path | None,
    source: str | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    """名册入库：姓名、电话、住址和号码只进身份库，其余以代码发布。CSV（GB18030 或 UTF-8）或 Excel。"""
    settings = load_settings()
    keep_key(settings)
    recorded, timestamp_ms = moment_of(settings, at)

    def keep_new(persons: tuple[str, ...]) -> None:
        if new_persons is not None:
            new_persons.unlink(missing_ok=True)
            write_private(new_persons, "\n".join(persons))

    linkage = linkage_of(settings)
    with (
        vault_of(settings) as vault,
        publisher_of(settings) as way,
        recognising(settings, linkage, lambda: way, at),
        progress_on(terminal(), "名册") as progress,
    ):
        report = load_roster(
            file,
            publisher=way,
            linkage=linkage,
            vault=vault,
            recorded=recorded,
            issuing_area=area,
            source=source,
            timestamp_ms=timestamp_ms,
            on_new_persons=keep_new,
            progress=progress,
        )
    write_json(receipt, report.as_json())
    _say(report, as_json, new_persons)
    if report.problems:
        raise DataError(f"有 {len(report.problems):,} 行未入库")


def _say(report: RosterReport, as_json: bool, new_persons: Path | None) -> None:
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    say_problems(report.problems, len(report.problems))
    taken = f"入库 {report.households:,} 户 {report.persons:,} 人（成员记录 {report.memberships:,} 条）"
    new = f"新进名册 {len(report.new_persons):,} 人"
    click.echo(f"读入 {report.rows:,} 行：{taken}，{new}，未入 {len(report.problems):,} 行")
    if report.renamed:
        rows = "、".join(str(row) for row in report.renamed[:_SHOWN]) + ("等" if len(report.renamed) > _SHOWN else "")
        click.echo(f"第 {rows} 行的姓名与身份库原来的不同，已换成新的：改名无妨，若是两人同号，请核对户籍资料。")
    if report.new_persons and new_persons is not None:
        click.echo(
            f"新人员代码已写入 {new_persons}。他们此前的账单等须补发：lidm feed publish … --persons {new_persons}"
        )
    if report.problems:
        click.echo("本批次未关闭：改正后请把整个文件再导入一次。")
