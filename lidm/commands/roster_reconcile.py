"""`lidm roster reconcile|sign|runs`: the monthly difference list between the official roster and what we hold."""

import csv
import json
import time
from datetime import datetime
from pathlib import Path

import click

from gateway.reconcile import KINDS, LIMIT, Reconciled, reconcile
from gateway.signoffs import Signoffs
from lidm.free_text import FREE_TEXT
from lidm.settings import Settings, load_settings
from lidm.tables import table
from lidm.ways_in import linkage_of, progress_on, recognising, terminal, write_json
from lidm.written import private_file
from schemas.calendar import SHANGHAI
from schemas.errors import DataError

SHOWN = 40


@click.command("reconcile")
@click.argument("export", metavar="名册文件", type=click.Path(path_type=Path))
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="比对哪一天（默认今天）")
@click.option("--area", default=None, metavar="区划代码", help="认定机关所在地，同 roster load")
@click.option("--out", type=click.Path(path_type=Path), help="把差异逐条写入此 CSV（仅本人可读）")
@click.option("--report", type=click.Path(path_type=Path), help="把结果写入此 JSON 文件")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def reconcile_roster(
    export: Path, on: datetime | None, area: str | None, out: Path | None, report: Path | None, as_json: bool
) -> None:
    """官方名册与本库逐人比对：谁多谁少、类别、成员、属地哪里不同。一致率不足 99.9% 退出码为 1。"""
    from lidm.standing import members_now

    settings = load_settings()
    day = on.date() if on else datetime.now(SHANGHAI).date()
    linkage = linkage_of(settings)
    with recognising(settings, linkage, None), progress_on(terminal(), "名册比对") as progress:
        found = reconcile(
            export,
            members_now(settings, day),
            linkage=linkage,
            on=day,
            issuing_area=area,
            progress=progress,
        )
    with _signoffs(settings) as kept:
        run = kept.keep(found, export, actor=settings.actor, at_ms=_now())
    body = {"run": run, "on": str(day), "share": round(found.share, 6), "red": found.red}
    body |= {"districts": [each.as_json() for each in found.districts]}
    whole = {**body, "differences": [each.as_json() for each in found.differences]}
    write_json(report, whole)
    if out is not None:
        _write(out, found)
    if as_json:
        click.echo(json.dumps(whole, ensure_ascii=False))
    else:
        _say(run, found)
    if found.red:
        raise DataError(f"一致率 {found.share:.3%}，有地区低于 {LIMIT:.1%}")


@click.command("sign")
@click.argument("run", metavar="核对编号")
@click.option("--area", required=True, metavar="区划代码", help="代表哪个县（市、区）签字")
@click.option("--by", "signer", required=True, type=FREE_TEXT, metavar="签字人", help="谁签字")
@click.option("--note", default="", type=FREE_TEXT, metavar="说明", help="不足 99.9% 时必须说明原因和整改期限")
def sign_roster(run: str, area: str, signer: str, note: str) -> None:
    """一个县（市、区）为一次核对签字；签后不能更改。"""
    with _signoffs(load_settings()) as kept:
        signed = kept.sign(run, area, signer=signer, note=note, at_ms=_now())
    click.echo(f"{signed.area} 已由 {signed.signer} 为 {signed.run} 签字")


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def list_runs(as_json: bool) -> None:
    """历次核对：各地一致率和签字情况。"""
    with _signoffs(load_settings()) as kept:
        runs, broken = kept.runs(), kept.verify()
    if as_json:
        click.echo(json.dumps({"runs": runs, "broken_at": broken}, ensure_ascii=False))
    else:
        rows = [
            (run["run"], each["area"], f"{each['people']:,}", f"{each['differing']:,}", f"{each['share']:.3%}",
             "红" if each["red"] else "绿", each["signed_by"] or "未签")
            for run in runs
            for each in run["districts"]
        ]  # fmt: skip
        click.echo(table(("核对编号", "地区", "人数", "有差异", "一致率", "状态", "签字"), rows))
    if broken is not None:
        raise DataError(f"签字记录自第 {broken} 条起被改动过")


def _say(run: str, found: Reconciled) -> None:
    for each in found.differences[:SHOWN]:
        where = f"第{each.row}行" if each.row else "（名册无此人）"
        click.echo(f"{KINDS[each.kind]}  {where}  {each.person}  名册：{each.roster or '—'}；本库：{each.here or '—'}")
    if len(found.differences) > SHOWN:
        click.echo(f"……另有 {len(found.differences) - SHOWN:,} 处，用 --out 写入文件")
    rows = [
        (each.area, f"{each.people:,}", f"{each.differing:,}", f"{each.share:.3%}", "红" if each.red else "绿",
         "，".join(f"{KINDS[kind]} {n}" for kind, n in each.by_kind.items()))
        for each in found.districts
    ]  # fmt: skip
    click.echo(table(("地区", "人数", "有差异", "一致率", "状态", "差异"), rows))
    click.echo(f"核对 {run}（{found.on}）。各地签字：lidm roster sign {run} --area 区划代码 --by 签字人")


def _write(path: Path, found: Reconciled) -> None:
    with private_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(["差异", "地区", "名册行", "人员代码", "户代码", "名册", "本库"])
        for d in found.differences:
            writer.writerow([KINDS[d.kind], d.district, d.row or "", d.person, d.household, d.roster, d.here])


def _signoffs(settings: Settings) -> Signoffs:
    return Signoffs(settings.data_dir / "reconcile.sqlite")


def _now() -> int:
    return int(time.time() * 1000)
