"""Rows of a department's file, whatever it was saved with: CSV in UTF-8 (with or without BOM) or GB18030, or Excel.

Every cell becomes text; headings are compared after folding full-width forms and blanks. Row numbers are those the
department sees: the heading is row 1.
"""

import codecs
import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from schemas.errors import CallError, DataError

_SAMPLE = 65_536
_EXACT_DIGITS = 10**15


def heading(text: str) -> str:
    """A column heading without what typing and copying add to it."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lstrip("\ufeff*")


@dataclass(frozen=True)
class Table:
    """Headings as compared, headings as written, and the rows still to come as (row number, cells)."""

    columns: tuple[str, ...]
    written: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[str]]]
    encoding: str

    def positions(self, known: Mapping[str, str], required: Sequence[str]) -> dict[str, int]:
        """Column index per known name. Raises DataError that lists missing, unknown and repeated headings."""
        found: dict[str, int] = {}
        unknown: list[str] = []
        for index, column in enumerate(self.columns):
            name = known.get(column)
            if name is None:
                if column:
                    unknown.append(column)
            elif name in found:
                raise DataError(f"表头重复：「{column}」")
            else:
                found[name] = index
        missing = [column for column in required if known[column] not in found]
        if missing or unknown:
            said = [f"缺少列：{'、'.join(missing)}"] if missing else []
            said += [f"不认识的列：{'、'.join(map(_heading_shown, unknown))}"] if unknown else []
            raise DataError("表头有误。" + "；".join(said))
        return found


def _heading_shown(column: str) -> str:
    return "（疑为数据行）" if sum(c.isdigit() for c in column) > 3 else column[:20]


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """The table of a file, closed afterwards. Raises CallError when the file cannot be opened, DataError when empty."""
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        yield from _excel(path)
    elif path.suffix.lower() == ".xls":
        raise CallError("旧版 .xls 无法读取：请另存为 .xlsx 或 CSV")
    else:
        yield from _csv(path)


def encoding_of(path: Path) -> str:
    """UTF-8 when the beginning of the file is, else GB18030."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _SAMPLE)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _csv(path: Path) -> Iterator[Table]:
    encoding = encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        try:
            first = file.readline()
            delimiter = "\t" if "\t" in first and "," not in first else ","
            written = next(csv.reader([first], delimiter=delimiter), [])
        except UnicodeDecodeError as error:
            raise DataError("文件编码无法识别：请另存为 UTF-8 或 GB18030 的 CSV") from error
        if not written:
            raise DataError("文件是空的")
        reader = csv.reader(file, delimiter=delimiter)
        yield Table(tuple(map(heading, written)), tuple(written), _csv_rows(reader), encoding)


def _csv_rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, Sequence[str]]]:
    number = 1
    try:
        for number, cells in enumerate(reader, 2):
            if cells and any(cells):
                yield number, cells
    except UnicodeDecodeError as error:
        raise DataError(f"第 {number + 1} 行起编码不一致：请把整个文件另存为一种编码") from error
    except csv.Error as error:
        raise DataError(f"第 {number + 1} 行的引号或分隔符有误") from error


def _excel(path: Path) -> Iterator[Table]:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError as error:
        raise CallError("读 Excel 需要 lidm 的 gateway 扩展：pip install 'lidm[gateway]'") from error
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever zip, xml and its own checks raise
        raise DataError("Excel 文件打不开：可能加密、损坏或并非 .xlsx") from error
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        written = [cell_text(cell) for cell in next(iter(rows), ())]
        if not any(written):
            raise DataError("第一张表是空的，或表头不在第一行")
        texts = ((n, [cell_text(cell) for cell in row]) for n, row in enumerate(rows, 2))
        yield Table(
            tuple(map(heading, written)), tuple(written), ((n, cells) for n, cells in texts if any(cells)), "xlsx"
        )
    finally:
        book.close()


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
        return str(int(cell)) if cell == int(cell) else repr(cell)
    return str(cell).strip()
