"""Writes the messy files: tables in any encoding, workbooks with titles and merged cells, lines of JSON."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from load_tests.city.people import check_digit

Row = Sequence[object]


@dataclass(frozen=True)
class Mess:
    """One messy file: what a check must find in it. `codes` counts findings, `good` rows."""

    kind: int
    name: str
    path: Path
    feed: str
    good: int
    codes: Mapping[str, int] = field(default_factory=dict)
    mapping: Path | None = None
    refused: str | None = None
    repeated: int = 0
    warned: str | None = None


def number(order: int, born: date = date(1965, 3, 12)) -> str:
    """An invented identity number."""
    first17 = f"999999{born:%Y%m%d}{order:03d}"
    return first17 + check_digit(first17)


def inhabitants(count: int) -> list[str]:
    """So many invented numbers, all different: 998 of each birthday."""
    return [number(n % 998 + 1, date(1965, 3, 12) + timedelta(n // 998)) for n in range(count)]


def ending(last: str) -> str:
    """An invented identity number that ends so."""
    return next(found for found in map(number, range(1, 999)) if found.endswith(last))


BILL_HEADINGS = (
    "证件号码", "结算单号", "结算日期", "就诊类型", "医疗机构编码", "总费用(元)", "基本医保统筹支付(元)",
    "大病保险支付(元)", "医疗救助支付(元)", "个人账户支付(元)", "目录内个人自付(元)", "目录外自费(元)",
)  # fmt: skip


NONE: Mapping[str, str] = MappingProxyType({})


def bill(who: str, no: str, on: str = "2026-05-14", yuan: int = 1000, changes: Mapping[str, str] = NONE) -> list[str]:
    """A bill of that many yuan: six tenths pooled, three in-catalogue, one outside. `changes`: cells by heading."""
    cells = dict(zip(BILL_HEADINGS, (
        who, no, on, "住院", "H33990100001", f"{yuan}.00", f"{yuan * 6 // 10}.00", "0", "0", "0",
        f"{yuan * 3 // 10}.00", f"{yuan // 10}.00",
    ), strict=True))  # fmt: skip
    return list({**cells, **changes}.values())


def write_csv(
    path: Path, headings: Row, rows: Sequence[Row], *, encoding: str = "gb18030", delimiter: str = ",", title: str = ""
) -> Path:
    """A table, under a title if one is given."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([*([[title]] if title else []), headings, *rows])
    return path


def write_excel(path: Path, rows: Sequence[Row], merges: Sequence[str] = ()) -> Path:
    """A workbook with one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(list(row))
    for cells in merges:
        sheet.merge_cells(cells)
    book.save(path)
    return path


def write_lines(path: Path, records: Sequence[Mapping[str, object]], encoding: str = "utf-8") -> Path:
    """JSON, one record a line."""
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    path.write_text(text, encoding=encoding)
    return path


def write_mapping(path: Path, text: str) -> Path:
    """A mapping file."""
    path.write_text(text, encoding="utf-8")
    return path
