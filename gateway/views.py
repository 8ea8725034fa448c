"""Pulls a department's database view by watermark into the one publishing path.

A pull begins `overlap_minutes` before the last watermark, because a row may be seen later than its stamp says; where
that is no time, at its last value. Sending rows again changes nothing; where none is new nothing is sent. The watermark
is remembered only after everything was delivered. Where the view declares a month, only the last page of a pull closes
it, and none does once a row of that month was refused: who is missing is not absent.
"""

import csv
import os
import sqlite3
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.config import View
from gateway.events import BatchPlan
from gateway.inbox import Arrival, Inbox, Taken
from schemas.errors import CallError, DataError, Retry

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")
_STAMPS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S", *_DAYS)
"""How a time is written as text or as one number."""


class Watermarks:
    """How far each view was read. One sqlite file."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("CREATE TABLE IF NOT EXISTS marks (view TEXT PRIMARY KEY, kind TEXT, mark TEXT, rows INTEGER)")
        self._db.execute("CREATE TABLE IF NOT EXISTS spoiled (view TEXT, period TEXT, PRIMARY KEY (view, period))")

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def read(self, view: str) -> tuple[Any, int]:
        """The last watermark and how many rows were read from its overlap on; (None, 0) at first."""
        row = self._db.execute("SELECT kind, mark, rows FROM marks WHERE view = ?", (view,)).fetchone()
        return (None, 0) if row is None else (_value(row[0], row[1]), int(row[2]))

    def write(self, view: str, mark: Any, rows: int) -> None:
        """From now on reading begins here."""
        kind, text = _text(mark)
        self._db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", (view, kind, text, rows))

    def spoil(self, view: str, period: str) -> None:
        """A row was refused: this view closes that month no more."""
        self._db.execute("INSERT OR IGNORE INTO spoiled VALUES (?, ?)", (view, period))

    def spoiled(self, view: str, period: str) -> bool:
        """Whether a row of that month was ever refused."""
        said = self._db.execute("SELECT 1 FROM spoiled WHERE view = ? AND period = ?", (view, period))
        return said.fetchone() is not None


def pull(view: View, inbox: Inbox, marks: Watermarks, folder: Path) -> list[Taken]:
    """Takes what is new, page by page. Raises CallError and DataError, Retry where the department's database is away,
    Unreachable where the broker is; then the watermark stays."""
    try:
        from sqlalchemy.exc import SQLAlchemyError
    except ModuleNotFoundError as error:
        raise CallError("读数据库视图需要 lidm 的 gateway 扩展：pip install 'lidm[gateway]'") from error
    taken: list[Taken] = []
    try:
        engine = _engine(view)
        try:
            with engine.connect() as connection:
                for page in _pages(connection, view, marks):
                    done = _take(view, inbox, page.rows, folder, _plan(view, marks, page))
                    taken.append(done)
                    if done.state == "refused":
                        raise DataError(f"视图 {view.name} 未受理：{done.reason}")
                    if done.state == "partly" and view.period:
                        marks.spoil(view.name, view.period)  # before the mark: a crash between reads the page again
                    marks.write(view.name, page.mark, page.recent)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:  # its text may quote values
        raise Retry(f"数据库视图 {view.name} 读不到（{type(error).__name__}）") from None
    return taken


@dataclass(frozen=True)
class _Page:
    """Rows of whole watermark values, the last one, how many rows since its overlap were read; `last`: none follow."""

    rows: Sequence[Any]
    mark: Any
    recent: int
    last: bool


def _engine(view: View) -> Any:
    import sqlalchemy

    address = _address(view.url_file)
    try:
        return sqlalchemy.create_engine(address)
    except ImportError as error:
        raise CallError(f"视图 {view.name} 缺少数据库驱动 {error.name or ''}：请先在网关机器上安装") from None


def _plan(view: View, marks: Watermarks, page: _Page) -> BatchPlan | None:
    if not view.period or not page.last or marks.spoiled(view.name, view.period):
        return None
    return BatchPlan(view.period, tuple(view.areas))


def _pages(connection: Any, view: View, marks: Watermarks) -> Iterator[_Page]:
    """Pages of whole watermark values: a page never ends within rows of the same value."""
    import sqlalchemy as sa

    names = [*view.columns]
    source = sa.table(view.table, *(sa.column(name) for name in dict.fromkeys((*names, view.watermark))))
    mark_column = source.c[view.watermark]
    chosen = sa.select(*(source.c[name] for name in names), mark_column.label("_mark")).order_by(mark_column)
    last, known = marks.read(view.name)
    rest = chosen
    if last is not None:
        since = earlier(last, view.overlap_minutes)
        found = sa.select(sa.func.count(), sa.func.max(mark_column)).where(mark_column >= since)
        if tuple(connection.execute(found).one()) == (known, last):
            return
        rest = chosen.where(mark_column >= since)
    recent, more = Counter[Any](), True
    while more:
        rows, more = _whole(connection, view, rest)
        if not rows:
            return
        if any(row[-1] is None for row in rows):
            raise DataError(f"视图 {view.name}：水位列 {view.watermark} 有空值")
        last = rows[-1][-1]
        since = earlier(last, view.overlap_minutes)
        recent.update(row[-1] for row in rows)
        recent = Counter({mark: count for mark, count in recent.items() if mark >= since})
        yield _Page([row[:-1] for row in rows], last, recent.total(), not more)
        rest = chosen.where(mark_column > last)


def earlier(mark: Any, minutes: int) -> Any:
    """The watermark so many minutes before, in days where it has days only; the same where it is no time."""
    if isinstance(mark, date):  # a datetime is one
        back = timedelta(minutes=minutes) if isinstance(mark, datetime) else timedelta(days=-(-minutes // 1440))
        with suppress(OverflowError):  # the first day of the calendar stands for "never"
            return mark - back
        return mark
    text = str(mark).partition(".")[0]
    for shape in _STAMPS:
        try:
            said = datetime.strptime(text, shape)
        except ValueError:
            continue
        if said.strftime(shape) == text:  # a number that only looks like a time would come out as another one
            whole = said.date() if shape in _DAYS else said
            return type(mark)(earlier(whole, minutes).strftime(shape))
    return mark


def _whole(connection: Any, view: View, chosen: Any) -> tuple[list[Any], bool]:
    """A page's rows without those of a value that does not fit whole, and whether more follow."""
    rows = list(connection.execute(chosen.limit(view.page_rows + 1)))
    if len(rows) <= view.page_rows:
        return rows, False
    if rows[-1][-1] == rows[0][-1]:
        raise DataError(f"视图 {view.name}：同一水位的行多于 page_rows（{view.page_rows:,}），请调大")
    return [row for row in rows if row[-1] != rows[-1][-1]], True


def _take(view: View, inbox: Inbox, rows: Sequence[Any], folder: Path, plan: BatchPlan | None) -> Taken:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(suffix=".csv", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(view.columns.values())
            writer.writerows([_cell(value) for value in row] for row in rows)
        return inbox.take(Arrival(path, view.feed, f"view:{view.name}", "", plan))
    finally:
        path.unlink(missing_ok=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _address(path: Path) -> str:
    if not path.is_file():
        raise CallError(f"没有数据库地址文件：{path}")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise CallError(f"数据库地址文件 {path} 可被他人读取：请先 chmod 600")
    return path.read_text(encoding="utf-8").strip()


def _text(mark: Any) -> tuple[str, str]:
    if isinstance(mark, datetime):
        return "datetime", mark.isoformat()
    if isinstance(mark, date):
        return "date", mark.isoformat()
    return ("int", str(mark)) if isinstance(mark, int) else ("str", str(mark))


def _value(kind: str, text: str) -> Any:
    if kind == "datetime":
        return datetime.fromisoformat(text)
    if kind == "date":
        return date.fromisoformat(text)
    return int(text) if kind == "int" else text
