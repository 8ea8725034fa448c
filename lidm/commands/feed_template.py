"""`lidm feed template`: everything a department needs to begin, written into a folder."""

from collections.abc import Callable
from pathlib import Path

import click

from gateway.agreement import agreement_of, write_excel, write_word
from gateway.publish import feed_spec
from gateway.template import mapping_text, tabular, write_csv
from gateway.template import write_excel as write_excel_template
from schemas.errors import CallError
from schemas.topics import Catalogue


@click.command("template")
@click.argument("feed", metavar="数据类")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="目录", help="写到哪个目录")
@click.option(
    "--document",
    type=click.Choice(["word", "excel"]),
    default="word",
    show_default=True,
    help="接口文档的格式",
)
@click.option("--force", is_flag=True, help="覆盖已有的文件")
def template(feed: str, out: Path, document: str, force: bool) -> None:
    """写出映射文件、填报模板（Excel 与 CSV）和可以签署的接口文档。

    Excel 与 Word 需要 office 扩展；没有安装时写出其余文件并说明。
    """
    spec = feed_spec(feed)
    tabular(spec)
    said = agreement_of(spec, Catalogue.load())
    works: list[tuple[str, Callable[[Path], object]]] = [
        (f"{feed}.mapping.yaml", lambda path: path.write_text(mapping_text(spec), encoding="utf-8")),
        (f"{feed}.模板.csv", lambda path: write_csv(path, spec)),
        (f"{feed}.模板.xlsx", lambda path: write_excel_template(path, spec)),
    ]
    if document == "word":
        works.append((f"{feed}.接口文档.docx", lambda path: write_word(path, said)))
    else:
        works.append((f"{feed}.接口文档.xlsx", lambda path: write_excel(path, said)))
    out.mkdir(parents=True, exist_ok=True)
    present = [name for name, _ in works if (out / name).exists()]
    if present and not force:
        raise CallError(f"{out} 里已有 {'、'.join(present)}：另选目录，或加 --force 覆盖")
    for name, write in works:
        try:
            write(out / name)
        except CallError as missing:
            click.echo(f"没有写 {name}：{missing}", err=True)
        else:
            click.echo(f"已写 {out / name}")
