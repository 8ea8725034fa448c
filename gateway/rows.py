"""Rows of a department's file as pseudonymous rows of a feed: tables with Chinese headings, or lines of JSON.

A table has the Chinese labels of the feed as headings, money in 元 (`总费用(元)`), and 证件号码; optional are 证件类型,
业务流水号, 操作, 记录时间, 序号. A JSON line has the feed's own field names, money in fen, and `identity`; optional are
`id_type`, `id`, `operation`, `recordedtime`, `sequence`. The number never leaves this module except as a pseudonym.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from gateway import values
from gateway.events import Parsed
from gateway.identities import ID_TYPES, BadIdentity, Linkage, mask, normalise, shape
from gateway.problems import REASONS, BadRow, BadRows, RowProblem
from gateway.tables import Table, heading, open_table
from schemas.errors import CallError, DataError
from schemas.feed import FeedSpec, FieldSpec

IDENTITY = "证件号码"
_ENVELOPE = {
    IDENTITY: "#identity",
    "证件类型": "#id_type",
    "业务流水号": "#id",
    "操作": "#operation",
    "记录时间": "#recorded",
    "序号": "#sequence",
    **{column: f"#{column}" for column in REASONS},  # a mended file of bad rows is sent as it is
}
_IGNORED = frozenset(f"#{column}" for column in REASONS)
_EVENT_ID_LIMIT = 64
_TAIL = 12
_encode = msgspec.json.Encoder().encode

Parser = Callable[[str], object]
T = TypeVar("T")


class Rows(Protocol):
    """The rows of one opened file."""

    def __iter__(self) -> Iterator[Parsed | RowProblem]: ...
    def keep(self, problem: RowProblem) -> None:
        """Copies the row just read, which `problem` is about, to the file of bad rows."""
        ...


@contextmanager
def open_rows(path: Path, spec: FeedSpec, linkage: Linkage, bad: BadRows) -> Iterator[Rows]:
    """The rows of a file by its suffix: .jsonl, .ndjson, else a table. Raises CallError and DataError as tables do."""
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        if not path.is_file():
            raise CallError(f"没有这个文件：{path}")
        with path.open(encoding="utf-8-sig") as file:
            yield JsonLines(file, spec, linkage, bad)
        return
    with open_table(path) as table:
        yield TableRows(table, spec, linkage, bad)


def column_of(field: FieldSpec) -> str:
    """The heading of a field in tables: its label, money with (元)."""
    return f"{field.label}(元)" if field.kind == "fen" else field.label


def day_field(spec: FeedSpec) -> str | None:
    """The field that places the fact in time: the first day or month that is required or part of the key."""
    fields = (f for f in spec.fields if f.kind in {"date", "month"} and (f.required or f.key))
    return next((f.name for f in fields), None)


@dataclass(frozen=True)
class Who:
    """Turns what a row says about its person into a pseudonym, or into a problem that does not repeat it."""

    linkage: Linkage

    def person(self, row: int, raw: str, type_label: str) -> str:
        """The pseudonym. Raises BadRow."""
        id_type = ID_TYPES.get(type_label or "居民身份证")
        if id_type is None:
            raise BadRow(RowProblem(row, "证件类型", f"应为 {'、'.join(ID_TYPES)}", shape(type_label)))
        try:
            return self.linkage.person(raw, id_type)
        except BadIdentity as error:
            raise BadRow(RowProblem(row, IDENTITY, str(error), mask(raw), "BAD_IDENTITY")) from None

    def event_id(self, raw_id: str, raw_number: str) -> str | None:
        """The department's id of the row; a keyed digest where it contains the identity number or is too long."""
        if not raw_id:
            return None
        if _tail(raw_number) in raw_id or len(raw_id) > _EVENT_ID_LIMIT or not raw_id.isprintable():
            return self.linkage.opaque(raw_id)
        return raw_id


@lru_cache(maxsize=50_000)
def _tail(raw_number: str) -> str:
    return normalise(raw_number)[-_TAIL:]


class TableRows:
    """Rows of a table; each cell is read by the kind of its field."""

    def __init__(self, table: Table, spec: FeedSpec, linkage: Linkage, bad: BadRows) -> None:
        """Raises DataError when the headings are not those of the feed."""
        nested = [f.label for f in spec.fields if f.kind in {"part", "parts"}]
        if nested:
            said = f"{spec.title}含分组字段（{'、'.join(nested)}），不能用表格报送"
            raise CallError(f"{said}：请用 lidm roster load 或 JSONL")
        known = {heading(column_of(f)): f.name for f in spec.fields} | _ENVELOPE
        required = [heading(column_of(f)) for f in spec.fields if f.required]
        self._at = table.positions(known, [IDENTITY, *required])
        self._table, self._bad, self._who = table, bad, Who(linkage)
        self._cells: Sequence[str] = ()
        self._fields = [
            (self._at[f.name], f.name, _parser(f), f.required, column_of(f)) for f in spec.fields if f.name in self._at
        ]
        self._extras = [(at, name) for name, at in self._at.items() if name.startswith("#") and name not in _IGNORED]
        self._day = day_field(spec) or ""
        self._keys = frozenset(spec.key_fields)

    def __iter__(self) -> Iterator[Parsed | RowProblem]:
        read = self._read
        for number, cells in self._table.rows:
            self._cells = cells
            try:
                yield read(number, cells)
            except BadRow as bad:
                yield bad.problem

    def keep(self, problem: RowProblem) -> None:
        """Copies the row just read to the file of bad rows."""
        self._bad.csv(self._table.written, self._cells, problem)

    def _read(self, row: int, cells: Sequence[str]) -> Parsed:
        width = len(cells)
        said = {name: text for at, name in self._extras if at < width and (text := cells[at].strip())}
        raw = said.get("#identity", "")
        person = self._who.person(row, raw, said.get("#id_type", ""))
        recorded = sequence = event_id = None
        operation = "record"
        if len(said) > 1:
            operation = self._value(row, "操作", values.operation, said.get("#operation", ""))
            event_id = self._who.event_id(said.get("#id", ""), raw)
            if "#recorded" in said:
                recorded = self._value(row, "记录时间", values.moment, said["#recorded"])
            if "#sequence" in said:
                sequence = self._value(row, "序号", values.whole, said["#sequence"])
        data = self._data(row, cells, required=operation != "reverse")
        keyed = self._keys <= data.keys()
        day = _first_day(data.get(self._day))
        return Parsed(row, person, _encode(data), day, recorded, operation, sequence, event_id, keyed)

    def _data(self, row: int, cells: Sequence[str], *, required: bool) -> dict[str, object]:
        data: dict[str, object] = {}
        width = len(cells)
        for at, name, parse, needed, column in self._fields:
            text = cells[at] if at < width else ""
            if not text or text.isspace():
                if needed and required:
                    raise BadRow(RowProblem(row, column, "必填", code="MISSING_FIELD"))
                continue
            try:
                data[name] = parse(text)
            except values.BadValue as error:
                raise BadRow(RowProblem(row, column, str(error), shape(text))) from None
        return data

    @staticmethod
    def _value(row: int, column: str, parse: Callable[[str], T], text: str) -> T:
        try:
            return parse(text)
        except values.BadValue as error:
            raise BadRow(RowProblem(row, column, str(error), shape(text))) from None


class JsonLines:
    """Lines of JSON; what the feed's decoder checks is not checked twice here."""

    def __init__(self, lines: Iterable[str], spec: FeedSpec, linkage: Linkage, bad: BadRows) -> None:
        self._lines, self._bad, self._who = lines, bad, Who(linkage)
        self._day = day_field(spec)
        self._keys = spec.key_fields
        self._line = ""

    def __iter__(self) -> Iterator[Parsed | RowProblem]:
        number = 0
        try:
            for number, line in enumerate(self._lines, 1):
                if line.strip():
                    self._line = line
                    yield self._found(number, line)
        except UnicodeDecodeError as error:
            raise DataError(f"第 {number + 1} 行起不是 UTF-8 编码") from error

    def _found(self, number: int, line: str) -> Parsed | RowProblem:
        try:
            return self._read(number, line)
        except BadRow as bad:
            return bad.problem

    def keep(self, problem: RowProblem) -> None:
        """Copies the line just read to the file of bad rows."""
        self._bad.line(self._line)

    def _read(self, row: int, line: str) -> Parsed:
        try:
            said = msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise BadRow(RowProblem(row, "", "不是一行有效的 JSON 对象", code="NOT_JSON")) from None
        raw = _text(row, said, "identity")
        person = self._who.person(row, raw, _text(row, said, "id_type"))
        operation = _text(row, said, "operation") or "record"
        recorded = _text(row, said, "recordedtime")
        sequence = said.pop("sequence", None)
        if sequence is not None and type(sequence) is not int:
            raise BadRow(RowProblem(row, "sequence", "应为整数"))
        try:
            when = values.moment(recorded) if recorded else None
            done = values.operation(operation)
        except values.BadValue as error:
            raise BadRow(RowProblem(row, "recordedtime/operation", str(error))) from None
        event_id = self._who.event_id(_text(row, said, "id"), raw)
        return Parsed(
            row,
            person,
            _encode(said),
            _first_day(said.get(self._day or "")),
            when,
            done,
            sequence,
            event_id,
            all(said.get(k) is not None for k in self._keys),
        )


def _text(row: int, said: dict[str, object], name: str) -> str:
    value = said.pop(name, None)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(RowProblem(row, name, "应为文字"))
    return value


def _first_day(value: object) -> str | None:
    """A day as given, the first of a month; None where the row gives neither (or something the decoder refuses)."""
    if not isinstance(value, str) or len(value) not in {7, 10}:
        return None
    return value if len(value) == 10 else f"{value}-01"


def _parser(field: FieldSpec) -> Parser:
    if field.kind == "code":
        codes = {label: code for code, label in field.labels.items()} | {code: code for code in field.labels}
        return partial(_code, codes, f"应为 {'、'.join(field.labels.values())}")
    return _PARSERS.get(field.kind, str.strip)


def _code(codes: dict[str, str], expected: str, text: str) -> str:
    found = codes.get(text) or codes.get(text.strip())
    if found is None:
        raise values.BadValue(expected)
    return found


_PARSERS: dict[str, Parser] = {
    "fen": values.fen,
    "date": values.day_iso,
    "month": values.month,
    "count": values.whole,
    "time": lambda text: values.moment(text).isoformat(),
}
