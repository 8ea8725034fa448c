"""ClickHouse's RowBinary, as far as our tables and queries need it: rows to bytes, result bytes to rows."""

import re
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from sinks.tables import FIRST_DAY, Row, Table, Value

Cell = str | int | float | date | datetime | list["Cell"] | None
Writer = Callable[[Value], bytes]
Reader = Callable[["Cursor"], Cell]

_NUMBERS = {
    "UInt8": "<B", "UInt16": "<H", "UInt32": "<I", "UInt64": "<Q", "Int8": "<b", "Int16": "<h", "Int32": "<i",
    "Int64": "<q", "Float32": "<f", "Float64": "<d",
}  # fmt: skip
_FAR = FIRST_DAY.toordinal()


class Cursor:
    """A place in result bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise ValueError("result ends in the middle of a row")
        self.at += size
        return piece

    def varint(self) -> int:
        """An unsigned LEB128 number."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self) -> str:
        """A length-prefixed string; bytes that are no UTF-8 are replaced (read them through `hex()`)."""
        return self.take(self.varint()).decode("utf-8", "replace")


def varint(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(table: Table, rows: Sequence[Row]) -> bytes:
    """The rows as RowBinary in the table's column order. Raises ValueError on a value of the wrong kind."""
    writers = [_writer(kind) for _, kind in table.columns]
    return b"".join(write(value) for row in rows for write, value in zip(writers, row, strict=True))


def decode(data: bytes) -> list[tuple[Cell, ...]]:
    """The rows of a `RowBinaryWithNamesAndTypes` result."""
    if not data:
        return []
    cursor = Cursor(data)
    width = cursor.varint()
    for _ in range(width):
        cursor.text()
    readers = [_reader(cursor.text()) for _ in range(width)]
    rows: list[tuple[Cell, ...]] = []
    while cursor.at < len(data):
        rows.append(tuple(read(cursor) for read in readers))
    return rows


def _writer(kind: str) -> Writer:
    if kind == "String":
        return _text
    if kind == "Date":
        return lambda value: struct.pack("<H", _date(value).toordinal() - _FAR)
    pack = struct.Struct(_NUMBERS[kind]).pack
    return lambda value: pack(value)


def _text(value: Value) -> bytes:
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        raise ValueError(f"a String column got {type(value).__name__}")
    return varint(len(value)) + value


def _date(value: Value) -> date:
    if not isinstance(value, date):
        raise ValueError(f"a Date column got {type(value).__name__}")
    return value


def _reader(kind: str) -> Reader:
    if kind in _NUMBERS:
        number = struct.Struct(_NUMBERS[kind])
        return lambda cursor: number.unpack(cursor.take(number.size))[0]
    if kind == "String":
        return Cursor.text
    if kind == "Bool":
        return lambda cursor: cursor.take(1)[0]
    if kind == "Date":
        return lambda cursor: FIRST_DAY + timedelta(days=struct.unpack("<H", cursor.take(2))[0])
    if kind.startswith("DateTime") and not kind.startswith("DateTime64"):
        return lambda cursor: datetime.fromtimestamp(struct.unpack("<I", cursor.take(4))[0], UTC)
    return _wrapped(kind)


def _wrapped(kind: str) -> Reader:
    match = re.fullmatch(r"(Nullable|LowCardinality|Array)\((.*)\)", kind)
    if not match:
        raise ValueError(f"no reader for column type {kind}")
    inner = _reader(match[2]) if match[2] != "Nothing" else _nothing
    if match[1] == "LowCardinality":
        return inner
    if match[1] == "Nullable":
        return lambda cursor: None if cursor.take(1) == b"\1" else inner(cursor)
    return lambda cursor: [inner(cursor) for _ in range(cursor.varint())]


def _nothing(cursor: Cursor) -> Cell:
    return None
