"""`lidm feed check`: a department finds its own mistakes, offline, before anybody else does."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.advice import advice
from gateway.check_report import CheckReport
from gateway.checking import check_file
from gateway.mapping import load_mapping
from gateway.problems import REFUSALS
from gateway.publish import feed_spec
from lidm.tables import table
from lidm.ways_in import SHOWN_PROBLEMS, bar_on, terminal
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from schemas.identity_flaws import IdentityFlaw


@click.command("check")
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
@click.option("--feed", required=True, metavar="数据类", help="如 medical.settlement，见 lidm feed list")
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), help="映射文件：本单位的列如何成为字段")
@click.option("--bad-rows", type=click.Path(path_type=Path), help="有问题的行写到何处（默认与文件同处）")
@click.option("--good-rows", type=click.Path(path_type=Path), help="没有问题的行写到何处（默认不写）")
@click.option("--synthetic", is_flag=True, help="文件里是虚构人员：接受不存在的地区 999999")
@click.option("--at", type=click.DateTime(), default=None, help="按此时检查（北京时间，默认现在）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def check_feed(file: Path, feed: str, mapping_file: Path | None, **options: Any) -> None:
    """离线检查文件：哪一行哪一列有什么问题、怎样改。不需要网络，不发送任何数据，不需要密钥。

    CSV、TSV、Excel 或 JSON Lines；UTF-8、UTF-16 或 GB18030。有问题的行时退出码为 1。
    """
    spec = feed_spec(feed)
    mapping = load_mapping(mapping_file, feed) if mapping_file else None
    suffix = ".jsonl" if file.suffix.lower() in {".jsonl", ".ndjson"} else ".csv"
    bad_rows: Path = options["bad_rows"] or file.with_name(f"{file.stem}.bad{suffix}")
    good_rows: Path | None = options["good_rows"]
    places = [path.resolve() for path in (file, bad_rows, good_rows) if path is not None]
    if len(set(places)) != len(places):
        raise CallError("要检查的文件、--bad-rows、--good-rows 须是不同的文件")
    at: datetime | None = options["at"]
    recorded = at.replace(tzinfo=SHANGHAI) if at else datetime.now(SHANGHAI)
    with bar_on(terminal(), file.name) as progress:
        report = check_file(
            file,
            spec,
            recorded=recorded,
            mapping=mapping,
            synthetic=options["synthetic"],
            bad_rows=bad_rows,
            good_rows=good_rows,
            progress=progress,
        )
    if options["as_json"]:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        say(report, bad_rows if report.bad else None, good_rows)
    if report.bad:
        raise DataError(f"有 {report.bad:,} 行需要改正")
    if not report.rows:
        raise DataError("文件没有数据行")


def say(report: CheckReport, bad_rows: Path | None, good_rows: Path | None) -> None:
    """The report for people: findings first, then the summary."""
    for problem in report.problems[:SHOWN_PROBLEMS]:
        click.echo(f"{problem.text} [{problem.code}]\n    怎样改：{advice(problem)}")
    hidden = sum(report.by_code.values()) - min(len(report.problems), SHOWN_PROBLEMS)
    if hidden:
        click.echo(f"……另有 {hidden:,} 处，全部有问题的行见 {bad_rows}")
    row = f"，表头在第 {report.heading_row} 行" if report.heading_row else ""
    by = f"，映射 {report.mapping}" if report.mapping else ""
    click.echo(f"{report.title}（{report.feed}）：{report.file} 是 {report.format}，编码 {report.encoding}{row}{by}")
    rate = report.rows / report.seconds if report.seconds else 0
    events = f"，将成为 {report.events:,} 条记录" if report.events != report.good else ""
    click.echo(f"共 {report.rows:,} 行，合格 {report.good:,} 行{events}，需改正 {report.bad:,} 行（{rate:,.0f} 行/秒）")
    if report.empty:
        click.echo(f"{report.empty:,} 行没有可报的内容")
    if report.rows:
        flaws = "、".join(f"{IdentityFlaw[flaw].label} {count:,}" for flaw, count in report.by_flaw.most_common())
        click.echo(f"证件号码有效率 {report.identity_share:.2%}" + (f"（{flaws}）" if flaws else ""))
    if report.by_code:
        rows = [(code, REFUSALS.get(code, ""), f"{count:,}") for code, count in report.by_code.most_common()]
        click.echo(table(("问题", "含义", "处数"), rows))
        worst = "、".join(f"{column or '（整行）'} {count:,}" for column, count in report.by_column.most_common(5))
        click.echo(f"问题最多的列：{worst}")
    if report.repeated:
        shown = "、".join(f"第 {row} 行与第 {earlier} 行" for row, earlier in report.repeats[:3])
        click.echo(f"重复 {report.repeated:,} 行，其中内容完全相同 {report.identical:,} 行；以后出现的为准：{shown}")
    if report.months:
        months = list(report.months.items())
        shown = "、".join(f"{month} {count:,} 条" for month, count in months[-12:])
        click.echo(f"覆盖 {len(months)} 个月：" + ("…… " if len(months) > 12 else "") + shown)
    for warning in report.warnings:
        click.echo(f"注意：{warning}")
    if bad_rows is not None:
        click.echo(f"有问题的行及原因在 {bad_rows}：可在其中改正后单独检查、发布")
    if good_rows is not None and report.good:
        click.echo(f"合格的行在 {good_rows}")
