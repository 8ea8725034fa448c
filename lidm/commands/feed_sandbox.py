"""`lidm feed sandbox`: a rehearsal without a cluster, which leaves nothing behind."""

import json
from datetime import datetime
from pathlib import Path

import click

from gateway.mapping import load_mapping
from gateway.publish import feed_spec
from lidm.settings import load_settings
from lidm.tables import table
from lidm.ways_in import say_problems
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from schemas.labels import ProblemCode


@click.command("sandbox")
@click.argument("file", metavar="文件", type=click.Path(path_type=Path))
@click.option("--feed", required=True, metavar="数据类", help="如 medical.settlement，见 lidm feed list")
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), help="映射文件：本单位的列如何成为字段")
@click.option("--roster", type=click.Path(path_type=Path), help="官方名册：只有其中的人在监测范围（默认人人都算）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def sandbox(file: Path, feed: str, mapping_file: Path | None, roster: Path | None, as_json: bool) -> None:
    """在临时的内存服务里试发一个文件：被理解的、被退回的、不在范围的，以及哪些规则会用到。

    不连接集群，用一次性的密钥，结束后不留任何东西。需要 gateway、service 和 embedded 扩展。
    """
    spec = feed_spec(feed)
    if not file.is_file():
        raise CallError(f"没有这个文件：{file}")
    mapping = load_mapping(mapping_file, feed) if mapping_file else None
    try:
        from lidm.sandbox import rehearse
    except ModuleNotFoundError as missing:
        said = f"沙盒缺少组件 {missing.name}：pip install 'lidm[gateway,service,embedded]'"
        raise CallError(f"{said}；只检查文件用 lidm feed check") from missing
    recorded = datetime.now(SHANGHAI)
    report = rehearse(load_settings(), file, spec, recorded=recorded, mapping=mapping, roster=roster)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        say_problems(report.problems, report.refused)
        whom = f"名册 {report.roster}" if report.roster else f"文件里的 {report.persons:,} 人都视为在册"
        click.echo(f"{report.title}（{report.feed}）：{whom}")
        click.echo(f"读入 {report.rows:,} 条，理解 {report.understood:,} 条，发送前退回 {report.refused:,} 条")
        click.echo(f"不在监测范围 {report.out_of_scope:,} 条（正式环境只计数，不留存）")
        for code, count in report.rejected.items():
            click.echo(f"服务退回 {count:,} 条：{ProblemCode[code].label} [{code}]")
        if report.detectors:
            click.echo("会用到这类数据的规则：")
            click.echo(table(("规则", "名称", "类", "怎样用"), [tuple(u.__dict__.values()) for u in report.detectors]))
        else:
            click.echo("目前没有规则用到这类数据：只进入家庭台账")
    if report.refused or report.rejected:
        raise DataError("有记录被退回")
