"""Department files as they really arrive: GB18030 CSV in yuan with Chinese headings, JSONL in fen with field names.

Headings and labels come from the feed's published model, as a department copies them from its template. A file is
written row by row; its rows are never held together.
"""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from load_tests.city.rows import Row, Value
from schemas.feed import FEEDS, FieldSpec
from schemas.labels import Operation

IDENTITY = "证件号码"
EVENT = "业务流水号"
OPERATION = "操作"
RECORDED = "记录时间"
_OPERATIONS = {operation.value: operation.label for operation in Operation}
_NOT_SENT = frozenset({"disease", "cert_no"})  # restricted fields that a department need not send


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a CSV layout."""

    name: str
    heading: str
    write: Callable[[Value], str]


@cache
def columns(feed: str) -> tuple[Column, ...]:
    """The columns after identity, event number and operation, in the order of the model."""
    return tuple(
        Column(spec.name, f"{spec.label}(元)" if spec.kind == "fen" else spec.label, _writer(spec))
        for spec in FEEDS[feed].fields
        if spec.name not in _NOT_SENT
    )


def _writer(spec: FieldSpec) -> Callable[[Value], str]:
    if spec.kind == "fen":
        return _yuan
    if spec.labels:
        return lambda value: "" if value is None else spec.labels[str(value)]
    return lambda value: "" if value is None else str(value)


def _yuan(value: Value) -> str:
    if not isinstance(value, int):
        return ""
    sign, fen = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def write_csv(path: Path, feed: str, batchid: str, rows: Iterable[Row]) -> int:
    """A GB18030 file with one heading line. Returns the number of rows."""
    layout = columns(feed)
    count = 0
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([IDENTITY, EVENT, OPERATION, RECORDED, *(column.heading for column in layout)])
        for row in rows:
            values = row.values
            cells = [column.write(values.get(column.name)) for column in layout]
            count += 1
            recorded = row.recorded.isoformat() if row.recorded is not None else ""
            writer.writerow(
                [row.identity, f"{batchid}-{count:06d}", _OPERATIONS[row.operation], recorded, *cells]
            )
    return count


def write_jsonl(path: Path, batchid: str, rows: Iterable[Row]) -> int:
    """One JSON object a line, absent fields left out. Returns the number of rows."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            count += 1
            line: dict[str, Value] = {"identity": row.identity, "id": f"{batchid}-{count:06d}"}
            if row.operation != "record":
                line["operation"] = row.operation
            if row.recorded is not None:
                line["recordedtime"] = row.recorded.isoformat()
            line |= {name: value for name, value in row.values.items() if value is not None}
            file.write(json.dumps(line, ensure_ascii=False, default=_iso) + "\n")
    return count


def _iso(value: object) -> str:
    if not isinstance(value, date):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return value.isoformat()


def write_rows(folder: Path, batchid: str, layout: str, feed: str, rows: Iterable[Row]) -> tuple[Path, int]:
    """A file in the department's layout (`csv` or `jsonl`); its path and the number of rows."""
    path = folder / f"{batchid}.{layout}"
    path.parent.mkdir(parents=True, exist_ok=True)
    count = write_csv(path, feed, batchid, rows) if layout == "csv" else write_jsonl(path, batchid, rows)
    return path, count
