"""`lidm backtest`: what a draft policy would have changed in the archived past, before anybody is touched by it.

Reads `household_log` from the store, or from a file that `lidm store save-log` made of it; needs no broker and sends
nothing.
"""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from detectors.registry import running
from lidm.backtest.page import page
from lidm.backtest.report import report
from lidm.backtest.tally import Named
from lidm.backtest.words import OUTCOMES, text
from lidm.backtest.work import Question, back_test
from lidm.settings import Settings, load_settings
from lidm.stores import reading
from lidm.written import named, private_file, write_page
from policy.bundle import Bundle
from policy.drafts import Law
from schemas.errors import CallError
from sinks.log_file import LogFile, open_log, save

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--policy", "folder", required=True, type=click.Path(path_type=Path), help="参数草案目录（一整套参数）")
@click.option("--from", "first", required=True, type=_DAY, help="窗口的第一天")
@click.option("--to", "last", required=True, type=_DAY, help="窗口的最后一天（含）")
@click.option("--law", type=click.Choice(["in-force", "counterfactual"]), default="in-force", show_default=True,
              help="草案按它自己的日期生效，或把它的最新值用于整个窗口")  # fmt: skip
@click.option("--log", "saved", type=_FILE, help="用保存的台账日志（lidm store save-log），不读归档库")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="用几个进程（默认本机的核数）")
@click.option("--html", "html", type=_FILE, help="写成一个可打印的网页文件")
@click.option("--households", "names", type=_FILE, help="把有变化的户按代码写成 CSV，只有本人可读")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def command(
    folder: Path, first: datetime, last: datetime, law: Law, saved: Path | None, jobs: int | None,
    html: Path | None, names: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """参数草案放到归档的历史上重算一遍：多了哪些户，少了哪些户，各地每周多少走访。"""
    if last < first:
        raise CallError(f"窗口倒了：{first:%Y-%m-%d} 晚于 {last:%Y-%m-%d}")
    if not folder.is_dir():
        raise CallError(f"没有这个参数目录：{folder}")
    settings = load_settings()
    asked = Question(Bundle.load(folder), law, first.date(), last.date(), settings.trial)
    with _history(settings, saved) as log:
        answer = back_test(log, asked, jobs or len(os.sched_getaffinity(0)))
    said = report(answer, running(settings.trial))
    if html is not None:
        write_page(html, page(said))
    if names is not None:
        _write(names, answer.tally.named)
    click.echo(json.dumps(said.as_json(), ensure_ascii=False) if as_json else text(said))


@contextmanager
def _history(settings: Settings, saved: Path | None) -> Iterator[LogFile]:
    """The log to read: a saved one, or the store's, kept as a file as long as processes read it."""
    if saved is not None:
        yield open_log(saved)
        return
    with TemporaryDirectory(prefix="lidm-backtest-") as folder:
        with reading(settings) as store:
            log = save(Path(folder) / "household.log", store.read_household_log())
        yield log


def _write(path: Path, changed: list[Named]) -> None:
    with named(path), private_file(path) as file:
        writer = csv.writer(file)
        writer.writerow(["户代码", "规则", "变化", "身份", "责任地区", "自"])
        for each in sorted(changed):
            since = date.fromordinal(each.day)
            writer.writerow([each.household, each.detector, OUTCOMES[each.outcome], each.scheme, each.area, since])
