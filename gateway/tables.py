"""Rows of a department's file, whatever it was saved with: CSV or TSV in UTF-8 (with or without BOM), UTF-16 or
GB18030, or Excel.

Every cell becomes text; headings are compared after folding full-width forms, blanks and pinyin. Row numbers are those
the department sees. A title above the headings is skipped when the headings wanted are known. Bytes that are no
character stay in their cell and spoil only their row.
"""

import codecs
import csv
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from gateway.lines import Lines
from gateway.sheets import EXCEL_SUFFIXES, Merged, Sheet, cell_text, open_sheet
from schemas.errors import CallError, DataError

__all__ = ["Layout", "Merged", "Table", "cell_text", "encoding_of", "heading", "is_like_data", "open_table"]

_CHUNK = 1 << 16
_CHUNKS = 16
_ASCII = bytes(range(128))
_SPOILED = re.compile("[\udc80-\udcff]")
_WIDE = re.compile("[\u2000-\ud7ff\ue000-\U0010ffff]")
_TITLE_ROWS = 10
_DELIMITERS = ",\t;|"
_PINYIN = re.compile(r"\([a-züA-Z\u0300-\u036f]*[\u0300-\u036f][a-züA-Z\u0300-\u036f\s]*\)")
_OLE = b"\xd0\xcf\x11\xe0"

Row = tuple[int, Sequence[str]]


def heading(text: str) -> str:
    """A column heading without what typing and copying add to it."""
    return "".join(plain(text).split()).lstrip("\ufeff*")


def plain(text: str) -> str:
    """Text in half-width forms and without the pinyin some converters put after characters: 镇(zhèn) is 镇."""
    folded = unicodedata.normalize("NFKC", text)
    if "(" not in folded:
        return folded
    return unicodedata.normalize("NFC", _PINYIN.sub("", unicodedata.normalize("NFD", folded)))


@dataclass(frozen=True)
class Layout:
    """What is known of a file beforehand: the row of its headings, its sheet, its encoding, its delimiter."""

    heading_row: int | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True)
class Table:
    """Headings as compared, headings as written, and the rows still to come as (row number, cells)."""

    columns: tuple[str, ...]
    written: tuple[str, ...]
    rows: Iterator[Row]
    encoding: str
    format: str = "CSV"
    heading_row: int = 1
    sheet: str | None = None
    done: Callable[[], float] = field(default=lambda: 0.0, compare=False)

    @property
    def is_excel(self) -> bool:
        """Whether cells come out of a workbook, so that a bare five-digit number may be a date."""
        return self.format == "Excel"

    def index(self) -> dict[str, int]:
        """Column index per heading. Raises DataError for a heading that stands there twice."""
        found: dict[str, int] = {}
        for at, column in enumerate(self.columns):
            if column in found:
                shown = "（疑为数据行）" if any(map(is_like_data, self.columns)) else f"「{_heading_shown(column)}」"
                raise DataError(f"表头重复：{shown}")
            if column:
                found[column] = at
        return found

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
        refuse_headings(missing, unknown)
        return found


def refuse_headings(missing: Collection[str], unknown: Collection[str]) -> None:
    """Raises DataError that lists what is missing and what is unknown, if anything is.

    One column that looks like a value makes the row a row of data: then names and addresses stand beside it, and no
    unknown column is listed.
    """
    if missing or unknown:
        said = [f"缺少列：{'、'.join(missing)}"] if missing else []
        if any(map(is_like_data, unknown)):
            said.append(f"不认识的列：{len(unknown)} 列（疑为数据行，内容不列出；请确认表头在第一行）")
        elif unknown:
            said.append(f"不认识的列：{'、'.join(map(_heading_shown, unknown))}")
        raise DataError("表头有误。" + "；".join(said))


def is_like_data(column: str) -> bool:
    """Whether what should be a name looks like a value: then it is not shown."""
    return sum(c.isdigit() for c in column) > 3


def _heading_shown(column: str) -> str:
    return column[:20].encode("utf-8", "replace").decode()


@contextmanager
def open_table(path: Path, wanted: Collection[str] = (), layout: Layout | None = None) -> Iterator[Table]:
    """The table of a file, closed afterwards. `wanted`: headings by which the row of headings is recognised.

    Raises CallError when the file cannot be opened, DataError when it is empty.
    """
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    layout = layout or Layout()
    with path.open("rb") as file:
        start = file.read(4)
    suffix = path.suffix.lower()
    if suffix in EXCEL_SUFFIXES and not start.startswith(_OLE):
        with open_sheet(path, layout.sheet) as sheet:
            yield _sheet_table(sheet, wanted, layout)
    elif suffix == ".xls" or start.startswith(_OLE):
        raise CallError("旧版 .xls 或加密的工作簿无法读取：请去掉密码，另存为 .xlsx 或 CSV")
    elif start.startswith(b"PK\x03\x04"):
        raise CallError("这是压缩包：请先解压，再给出里面的文件（带密码的压缩包同样要先解开）")
    else:
        yield from _csv(path, wanted, layout)


def encoding_of(path: Path) -> str:
    """UTF-8 when the file is, as far as the first bytes that are not ASCII tell, else GB18030."""
    with path.open("rb") as file:
        head = file.read(_CHUNK)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        while head.isascii():
            following = file.read(_CHUNK)
            if not following:
                return "utf-8"
            head = following
        return "utf-8" if _is_utf8(head, file) else "gb18030"


def _is_utf8(head: bytes, file: BinaryIO) -> bool:
    # Pairs of GB18030 bytes are often two-byte UTF-8 (住院 is), hardly ever three-byte, which Chinese is. One bad row
    # does not make a UTF-8 file another.
    good = bad = 0
    for _ in range(_CHUNKS):
        text = head.translate(None, _ASCII).decode("utf-8", errors="surrogateescape")
        bad += len(_SPOILED.findall(text[3:-3]))
        good += len(_WIDE.findall(text))
        head = file.read(_CHUNK)
        if not head:
            break
    return good >= max(1, 10 * bad)


def _csv(path: Path, wanted: Collection[str], layout: Layout) -> Iterator[Table]:
    encoding = layout.encoding or encoding_of(path)
    # UTF-16 has no bytes to keep aside; there a broken pair breaks the file.
    errors = "strict" if encoding == "utf-16" else "surrogateescape"
    size = max(1, path.stat().st_size)
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        source = Lines(file)
        try:
            source.read_ahead(_TITLE_ROWS)
        except UnicodeDecodeError as error:
            raise DataError("文件编码无法识别：请另存为 UTF-8 或 GB18030 的 CSV") from error
        counts = {sign: max((line.count(sign) for line in source.ahead), default=0) for sign in _DELIMITERS}
        delimiter = layout.delimiter or max(counts, key=lambda sign: counts[sign])
        rows = _csv_rows(csv.reader(source, delimiter=delimiter), source)
        yield _headed(
            rows,
            wanted,
            layout.heading_row,
            encoding=encoding,
            format="TSV" if delimiter == "\t" else "CSV",
            done=lambda: min(1.0, os.lseek(file.fileno(), 0, os.SEEK_CUR) / size),
        )


def _csv_rows(reader: Iterator[list[str]], source: Lines) -> Iterator[Row]:
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            source.begin(number + 1)
            if cells and any(cells):
                yield number, cells
    except UnicodeDecodeError as error:
        raise DataError(f"第 {number + 1} 行起编码不一致：请把整个文件另存为一种编码") from error
    except csv.Error as error:
        raise DataError(f"第 {number + 1} 行的引号或分隔符有误") from error


def _sheet_table(sheet: Sheet, wanted: Collection[str], layout: Layout) -> Table:
    return _headed(
        sheet.rows, wanted, layout.heading_row, encoding="xlsx", format="Excel", sheet=sheet.name, done=sheet.done
    )


def _headed(
    rows: Iterator[Row],
    wanted: Collection[str],
    heading_row: int | None,
    *,
    encoding: str,
    format: str,
    sheet: str | None = None,
    done: Callable[[], float],
) -> Table:
    first = list(islice(rows, _TITLE_ROWS if heading_row is None else max(1, heading_row)))
    if not first:
        raise DataError("文件是空的，或第一张表是空的")
    at = _heading_at(first, wanted, heading_row)
    number, written = first[at]
    return Table(
        tuple(map(heading, written)),
        tuple(written),
        chain(first[at + 1 :], rows),
        encoding,
        format,
        number,
        sheet,
        done,
    )


def _heading_at(first: Sequence[Row], wanted: Collection[str], heading_row: int | None) -> int:
    if heading_row is not None:
        for at, (number, _) in enumerate(first):
            if number == heading_row:
                return at
        raise DataError(f"第 {heading_row} 行是空的，不是表头")
    scores = [sum(heading(cell) in wanted for cell in set(cells)) for _, cells in first]
    best = max(range(len(first)), key=lambda at: scores[at])
    return best if scores[best] >= 2 else 0
