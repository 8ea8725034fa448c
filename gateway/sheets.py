"""Rows of an Excel workbook as text, read one by one: dates as ISO, merged cells filled down, damage kept visible.

A cell that belongs to a vertical merge repeats the text above it as `Merged`, so that an amount written once for
several rows is not taken several times. Needs openpyxl (extra `office`).
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schemas.errors import CallError, DataError, LidmError

EXCEL_SUFFIXES = frozenset({".xlsx", ".xlsm"})
_EXACT_DIGITS = 10**15
_MERGE = re.compile(rb'<mergeCell ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')
_CHUNK = 1 << 20
MAX_UNPACKED = 4 << 30
FREE_UNPACKED = 256 << 20
MAX_RATIO = 200
MAX_COLUMNS = 1024
_OVERLAP = 64


class Merged(str):
    """Text of a merged cell in a row below its first."""

    __slots__ = ()


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name and its rows as (row number, cells), blank rows left out."""

    name: str
    rows: Iterator[tuple[int, Sequence[str]]]
    total: int

    def done(self) -> float:
        """How much of it is read is not known while reading."""
        return 0.0


@dataclass
class _Merge:
    column: int
    first: int
    last: int
    text: str = ""


@contextmanager
def open_sheet(path: Path, name: str | None = None) -> Iterator[Sheet]:
    """The sheet of that name, or the first that has cells. Raises CallError, DataError."""
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError as error:
        raise CallError("读 Excel 需要 lidm 的 office 扩展：pip install 'lidm[office]'（或另存为 CSV）") from error
    _bounded(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever zip, xml and its own checks raise
        raise DataError("Excel 文件打不开：可能加密、损坏或并非 .xlsx") from error
    try:
        with _damage():
            sheet = _chosen(book, name)
            merges = _merges(path, book, sheet)
        yield Sheet(sheet.title, _readable(_rows(sheet, merges)), int(sheet.max_row or 0))
    finally:
        book.close()


def _bounded(path: Path) -> None:
    """Refuses a workbook that would unpack to far more than a department's month; checked before anything is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return  # the reader says what is wrong
    if unpacked > MAX_UNPACKED or (unpacked > FREE_UNPACKED and unpacked > MAX_RATIO * path.stat().st_size):
        raise DataError(f"Excel 文件展开后过大（{unpacked >> 20:,} MB）：请拆成多个文件，或另存为 CSV")


@contextmanager
def _damage() -> Iterator[None]:
    """Whatever zip, xml and openpyxl raise about a damaged part becomes DataError."""
    try:
        yield
    except (LidmError, MemoryError):
        raise
    except Exception as error:  # see open_sheet
        raise DataError("Excel 文件读到一半读不下去：可能没有传完，或已损坏") from error


def _readable(rows: Iterator[tuple[int, Sequence[str]]]) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows, read one by one: damage shows only while reading."""
    while True:
        with _damage():
            row = next(rows, None)
        if row is None:
            return
        yield row


def _chosen(book: Any, name: str | None) -> Any:
    if name is None:
        visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        filled = (sheet for sheet in visible if (sheet.max_row or 2) > 1 or (sheet.max_column or 2) > 1)
        return next(filled, book.worksheets[0])
    for sheet in book.worksheets:
        if sheet.title.strip() == name.strip():
            return sheet
    raise DataError(f"工作簿里没有名为「{name}」的表；有：{'、'.join(s.title for s in book.worksheets)}")


def _rows(sheet: Any, merges: list[_Merge]) -> Iterator[tuple[int, Sequence[str]]]:
    waiting = sorted(merges, key=lambda merge: -merge.first)
    active: list[_Merge] = []
    # A stated width beyond any table is not believed: each row would be padded to it.
    width = MAX_COLUMNS if (sheet.max_column or 0) > MAX_COLUMNS else None
    for number, row in enumerate(sheet.iter_rows(max_col=width, values_only=True), 1):
        if len(row) > MAX_COLUMNS:
            raise DataError(f"Excel 第 {number} 行多于 {MAX_COLUMNS:,} 列：请删去表格以外的列")
        cells = [cell_text(cell) for cell in row]
        if active:
            active = [merge for merge in active if merge.last >= number]
            for merge in active:
                if merge.column < len(cells):
                    cells[merge.column] = Merged(merge.text)
        while waiting and waiting[-1].first <= number:
            merge = waiting.pop()
            if merge.column < len(cells):
                merge.text = cells[merge.column]
                active.append(merge)
        if any(cells):
            yield number, cells


def _merges(path: Path, book: Any, sheet: Any) -> list[_Merge]:
    """Vertical merges of a sheet, read from its part: openpyxl's streaming reader leaves them out."""
    found: list[_Merge] = []
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, book.worksheets.index(sheet))
        if part is None:
            return found
        with archive.open(part) as file:
            tail = b""
            while chunk := file.read(_CHUNK):
                for match in _MERGE.finditer(tail + chunk):
                    if match.end() > len(tail):
                        top, bottom = int(match[2]), int(match[4])
                        if bottom > top:
                            found.append(_Merge(_column(match[1]), top, bottom))
                tail = (tail + chunk)[-_OVERLAP:]
    return found


def _part_of(archive: zipfile.ZipFile, index: int) -> str | None:
    """The part of the nth sheet, by the workbook's own relations."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    ids = re.findall(rb'<sheet\b[^>]*?\br:id="([^"]+)"', archive.read("xl/workbook.xml"))
    targets: dict[bytes, str] = {}
    for relation in re.findall(rb"<Relationship\b[^>]*>", archive.read("xl/_rels/workbook.xml.rels")):
        said = dict(re.findall(rb'(\w+)="([^"]*)"', relation))
        targets[said.get(b"Id", b"")] = said.get(b"Target", b"").decode()
    target = targets.get(ids[index]) if index < len(ids) else None
    if not target:
        return None
    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return part if part in names else None


def _column(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def cell_text(cell: object) -> str:
    """The text of an Excel cell: dates as ISO, whole numbers without .0, numbers Excel cannot hold as it shows them."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        if abs(cell) >= _EXACT_DIGITS:
            return f"{cell:.2E}"
        return str(int(cell)) if cell == int(cell) else repr(round(cell, 6))
    return str(cell).strip()
