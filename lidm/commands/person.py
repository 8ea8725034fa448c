"""`lidm person`: later numbers and keys lead to the person first known; numbers come from files, never arguments."""

import json
import time
from datetime import datetime
from pathlib import Path

import click

from gateway.identities import Linkage
from gateway.keys import read_key, write_private
from gateway.rekey import rename, rotate
from lidm.settings import load_settings
from lidm.ways_in import (
    keep_key,
    keys_of,
    linkage_of,
    moment_of,
    publisher_of,
    recognising,
    say_problems,
    vault_of,
    watched_of,
)
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError

SETTLE_SECONDS = 3.0


@click.group()
def command() -> None:
    """人员：更正号码、换发证件、更换联结密钥；历史和预警不变。"""


@command.command()
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
@click.option("--republish", type=click.Path(path_type=Path), help="新号码下已另有历史的人员代码写入此文件，供补发")
@click.option("--at", type=click.DateTime(), default=None, help="记录时间（北京时间，默认现在；用于驱动时钟）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def alias(file: Path, republish: Path | None, at: datetime | None, as_json: bool) -> None:
    """更正号码：表头为 原证件号码、原证件类型、新证件号码、新证件类型、原因。新号码从此指向原来的人。"""
    settings = load_settings()
    keep_key(settings)
    recorded, stamp = moment_of(settings, at)
    now, linkage = int(recorded.timestamp() * 1000), linkage_of(settings)
    with vault_of(settings) as vault, publisher_of(settings) as way, recognising(settings, linkage, lambda: way, at):
        done = rename(file, linkage=linkage, vault=vault, publisher=way, at_ms=now, timestamp_ms=stamp)
    _settle()
    if republish is not None:
        republish.unlink(missing_ok=True)
        write_private(republish, "\n".join(done.merged))
    if as_json:
        said = {"rows": done.rows, "taken": done.taken, "merged": list(done.merged)}
        click.echo(json.dumps({**said, "problems": [p.as_json() for p in done.problems]}, ensure_ascii=False))
    else:
        say_problems(done.problems, len(done.problems))
        click.echo(f"读入 {done.rows:,} 对，已生效 {done.taken:,} 对，未入 {len(done.problems):,} 对")
        if done.merged:
            click.echo(f"{len(done.merged):,} 人在新号码下已另有记录：请重导名册，并用 feed publish --persons 补发")
    if done.problems:
        raise DataError(f"有 {len(done.problems):,} 对未生效")


@command.command("rotate")
@click.option(
    "--new-key", required=True, type=click.Path(path_type=Path), help="新联结密钥文件（32 字节十六进制，0600）"
)
@click.option("--roster", type=click.Path(path_type=Path), help="全部在册户的官方名册：户号只在其中")
@click.option("--area", default=None, metavar="区划代码", help="认定机关所在地，同 roster load")
@click.option("--without-households", is_flag=True, help="名册未覆盖的户也继续（这些户下次导入会成为新户）")
@click.option("--at", type=click.DateTime(), default=None, help="记录时间（北京时间，默认现在；用于驱动时钟）")
def rotate_key(
    new_key: Path, roster: Path | None, area: str | None, without_households: bool, at: datetime | None
) -> None:
    """更换联结密钥：先登记全部新旧对应，再启用新密钥；中断可重做。旧密钥改名保留，用来认出身份库里没有号码的人。"""
    from lidm.standing import people_over_a_line

    settings = load_settings()
    keep_key(settings, alone=True)
    keys = keys_of(settings)
    key = read_key(new_key)
    if key == read_key(keys.linkage) or key in keys.retired:
        raise CallError("新密钥与现用的或以前换下的密钥相同")
    recorded, stamp = moment_of(settings, at)
    now = int(recorded.timestamp() * 1000)
    with vault_of(settings) as vault, publisher_of(settings) as way:
        done = rotate(
            Linkage(read_key(keys.linkage), synthetic=keys.synthetic),
            Linkage(key, synthetic=keys.synthetic),
            vault=vault,
            publisher=way,
            roster=roster,
            issuing_area=area,
            actor=settings.actor,
            at_ms=now,
            timestamp_ms=stamp,
        )
    if done.unknown_households and not without_households:
        raise DataError(f"名册没有覆盖 {len(done.unknown_households):,} 户，密钥未更换：请给出全部在册户（--roster）")
    _settle()
    with watched_of(settings) as watched:
        watched.remember(people_over_a_line(settings))
    old = keys.retire(key, f"{datetime.now(SHANGHAI):%Y%m%d%H%M%S%f}")
    click.echo(f"已登记 {done.persons:,} 个人员代码、{done.households:,} 户，新密钥已启用；旧密钥保存为 {old.name}")


def _settle() -> None:
    """Intake learns aliases within moments; facts sent after this find them known."""
    time.sleep(SETTLE_SECONDS)
