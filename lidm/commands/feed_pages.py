"""`lidm feed pages`: a page per feed for departments to read, print and sign off, written into a folder."""

from pathlib import Path

import click


@click.command("pages")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="目录", help="写到哪个目录")
def pages(out: Path) -> None:
    """写出每类数据的说明网页和目录页：字段、主键、示例、退回原因、常见错误、测试办法。

    网页自成一体，可以打印，可以放在任何网站上。目录里已有的同名网页会被替换，不再存在的数据类的网页会被删去。
    """
    from lidm.feed_pages.index import pages as made

    found = made()
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.glob("*.html"):
        if stale.name not in found:
            stale.unlink()
    for name, text in found.items():
        (out / name).write_text(text, encoding="utf-8")
    click.echo(f"已写 {len(found)} 页：{out / 'index.html'}")
