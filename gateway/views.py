"""Pulls a department's database view by watermark into the one publishing path.

Rows at the last watermark are read again, because more may have come with the same value; sending them again changes
nothing. The watermark is remembered only after everything was delivered. Where the view declares a month, only the
last page of a pull closes it, and none does once a row of that month was refused: who is missing is not absent.
"""

import csv
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.config import View
from gateway.events import BatchPlan
from gateway.inbox import Arrival, Inbox, Taken
from gateway.private import private_database
from schemas.errors import CallError, DataError, Unreachable


class Watermarks:
    """How far each view was read. One sqlite file."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it."""
        self._db = private_database(path)
        self._db.execute("CREATE TABLE IF NOT EXISTS marks (view TEXT PRIMARY KEY, kind TEXT, mark TEXT, rows INTEGER)")
        self._db.execute("CREATE TABLE IF NOT EXISTS spoiled (view TEXT, period TEXT, PRIMARY KEY (view, period))")

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def read(self, view: str) -> tuple[Any, int]:
        """The last watermark and how many rows had it; (None, 0) at first."""
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
    """Takes what is new, page by page. Raises CallError, DataError and Unreachable; then the watermark stays."""
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
                    marks.write(view.name, page.mark, page.at_mark)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:  # its text may quote values
        raise Unreachable(f"数据库视图 {view.name} 读不到（{type(error).__name__}）") from None
    return taken


@dataclass(frozen=True)
class _Page:
    """Rows of whole watermark values, the last value and how many rows have it; `last`: nothing follows."""

    rows: Sequence[Any]
    mark: Any
    at_mark: int
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
    more = True
    while more:
        last, count = marks.read(view.name)
        rows, more = _whole(connection, view, chosen if last is None else chosen.where(mark_column >= last))
        if more and len(rows) == count and rows[-1][-1] == last:  # the next value does not fit beside what is known
            rows, more = _whole(connection, view, chosen.where(mark_column > last))
        if not rows or (len(rows) == count and rows[-1][-1] == last):
            return
        at_mark = sum(row[-1] == rows[-1][-1] for row in rows)
        if any(row[-1] is None for row in rows):
            raise DataError(f"视图 {view.name}：水位列 {view.watermark} 有空值")
        yield _Page([row[:-1] for row in rows], rows[-1][-1], at_mark, not more)


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
