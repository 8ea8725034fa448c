"""Lines of JSON as rows of a feed: the feed's own field names, money in fen, and `identity`.

Optional beside the fields are `id_type`, `id`, `operation`, `recordedtime`, `sequence`. With a mapping the names of a
line are the columns it speaks of, and every value is read as if it stood in a table.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway import values
from gateway.events import Parsed
from gateway.identities import Linkage
from gateway.lines import MAX_ROW, too_long
from gateway.mapping import Mapping
from gateway.problems import BadRow, BadRows, RowProblem
from gateway.reading import ENVELOPE_COLUMNS, column_of
from gateway.rows import BROKEN, Found, Rows, TableRows, day_field, first_day
from gateway.sheets import cell_text
from gateway.tables import Table, encoding_of, heading, is_like_data
from gateway.who import Who
from schemas.envelope import LOST
from schemas.errors import CallError, DataError
from schemas.feed import FeedSpec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, object]).decode
_BOM = b"\xef\xbb\xbf"
_LOST_BYTES = LOST.encode()
_LOST_ESCAPED = re.compile(rb"\\u[Ff]{3}[Dd]")


def _lost(line: bytes) -> bool:
    """Whether some conversion before us could not read a character of the line, as it stands or escaped."""
    return _LOST_BYTES in line or _LOST_ESCAPED.search(line) is not None


@contextmanager
def open_json(
    path: Path, spec: FeedSpec, linkage: Linkage, bad: BadRows, mapping: Mapping | None = None
) -> Iterator[Rows]:
    """The rows of a file of JSON lines in UTF-8 or GB18030. Raises CallError, DataError."""
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    encoding = encoding_of(path)
    if encoding == "utf-16":
        raise DataError("JSON Lines 应为 UTF-8 编码（UTF-16 不支持）")
    with path.open("rb") as file:
        lines = JsonLines(file, spec, linkage, bad, encoding=encoding, size=max(1, path.stat().st_size))
        yield lines if mapping is None else _mapped(lines, spec, linkage, bad, mapping)


class RecordReader:
    """Reads one record of the feed's own field names, with `identity` and what may stand beside it."""

    def __init__(self, spec: FeedSpec, linkage: Linkage) -> None:
        self._who = Who(linkage)
        self._others = [f.name for f in spec.fields if f.kind == "person"]
        self._accounts = [f.name for f in spec.fields if f.kind == "opaque"]
        self._day = day_field(spec)
        self._keys = spec.key_fields

    def row(self, row: int, said: dict[str, object]) -> Parsed:
        """The row of a record, which is used up. Raises BadRow."""
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
        self._coded(row, said)
        named = _text(row, said, "id")
        data = _encode(said)
        if _LOST_BYTES in data or LOST in named:  # two names that lost a character are no longer two
            raise BadRow(RowProblem(row, "", values.LOST, code="BAD_ENCODING"))
        event_id = self._who.event_id(named, raw)
        return Parsed(
            row,
            person,
            data,
            first_day(said.get(self._day or "")),
            when,
            done,
            sequence,
            event_id,
            all(said.get(k) is not None for k in self._keys),
        )

    def _coded(self, row: int, said: dict[str, object]) -> None:
        """Puts codes in the place of other persons and of accounts."""
        for name in self._others:
            other = said.get(name)
            if isinstance(other, str) and not other.startswith("p_"):
                said[name] = self._who.other(row, name, other)
        for name in self._accounts:
            account = said.get(name)
            if isinstance(account, str) and not account.startswith("k_"):
                said[name] = self._who.account(row, name, account)


class JsonLines:
    """Lines of JSON; what the feed's decoder checks is not checked twice here."""

    def __init__(
        self, lines: BinaryIO, spec: FeedSpec, linkage: Linkage, bad: BadRows, *, encoding: str = "utf-8", size: int = 1
    ) -> None:
        self._lines, self._bad = lines, bad
        self._reader = RecordReader(spec, linkage)
        self._size, self._after = size, 0
        self.format, self.encoding = "JSON Lines", encoding
        self.heading_row: int | None = None
        self.totals: list[int] = []
        self.columns: dict[str, str] = {f.name: f.name for f in spec.fields}
        self.line = b""

    def __iter__(self) -> Iterator[Found]:
        return chain.from_iterable(found for _, found in self.by_row())

    def by_row(self) -> Iterator[tuple[int, list[Found]]]:
        """(line number, its event or what is wrong with it)."""
        for number, line in self.numbered():
            yield number, [self.found(number, line)]

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, in UTF-8, with their numbers."""
        other = self.encoding not in {"utf-8", "utf-8-sig"}
        for number, line in enumerate(iter(partial(self._lines.readline, MAX_ROW + 1), b""), 1):
            if len(line) > MAX_ROW:
                raise too_long(number)
            text = line.removeprefix(_BOM) if number == 1 else line
            if number > self._after and not text.isspace():
                self.line = line
                yield number, self._recoded(text) if other else text

    def _recoded(self, line: bytes) -> bytes:
        try:
            return line.decode(self.encoding).encode()
        except UnicodeDecodeError:
            return line  # no UTF-8 either, so it is refused as what it is

    def all_problems(self) -> list[RowProblem]:
        """Nothing beyond the first, which the decoder tells."""
        return []

    def skip_to(self, row: int) -> None:
        """Leaves out everything up to this line."""
        self._after = row

    def done(self) -> float:
        """How much of the file is read."""
        return min(1.0, self._lines.tell() / self._size)

    def found(self, number: int, line: bytes) -> Found:
        """The event of a line, or what is wrong with it."""
        try:
            return self._read(number, line)
        except BadRow as bad:
            return bad.problem

    def keep(self, problem: RowProblem) -> None:
        """Copies the line just read to the file of bad rows."""
        self._bad.line(self.line.removeprefix(_BOM).decode(self.encoding, "replace"))

    def keep_good(self, good: BadRows) -> None:
        """Copies the line just read to a file of good rows."""
        good.line(self.line.removeprefix(_BOM).decode(self.encoding, "replace"))

    def said(self, row: int, line: bytes) -> dict[str, object]:
        """The object of a line. Raises BadRow."""
        if _lost(line):
            raise BadRow(RowProblem(row, "", values.LOST, code="BAD_ENCODING"))
        try:
            return _decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            try:
                line.decode()
            except UnicodeDecodeError:
                raise BadRow(RowProblem(row, "", BROKEN, code="BAD_ENCODING")) from None
            raise BadRow(RowProblem(row, "", "不是一行有效的 JSON 对象", code="NOT_JSON")) from None

    def _read(self, row: int, line: bytes) -> Parsed:
        return self._reader.row(row, self.said(row, line))


class _Mapped(TableRows):
    """Lines of JSON read as a table whose columns are the names a mapping speaks of."""

    def __init__(
        self, lines: JsonLines, table: Table, spec: FeedSpec, linkage: Linkage, bad: BadRows, mapping: Mapping
    ) -> None:
        super().__init__(table, spec, linkage, bad, mapping)
        self._source = lines

    def by_row(self) -> Iterator[tuple[int, list[Found]]]:
        """A line that is no JSON is a problem of its own."""
        for number, found in super().by_row():
            problem = self._source_problem
            yield number, [problem] if problem is not None and problem.row == number else found

    _source_problem: RowProblem | None = None

    def all_problems(self) -> list[RowProblem]:
        """Everything wrong with the values of the line; nothing more of a line that is no JSON."""
        problem = self._source_problem
        return [] if problem is not None and problem.row == self._row else super().all_problems()

    def note(self, problem: RowProblem) -> None:
        """Remembers what is wrong with the line just read."""
        self._source_problem = problem

    def keep(self, problem: RowProblem) -> None:
        """Copies the line just read to the file of bad rows."""
        self._source.keep(problem)

    def keep_good(self, good: BadRows) -> None:
        """Copies the line just read to a file of good rows."""
        self._source.keep_good(good)


def _mapped(lines: JsonLines, spec: FeedSpec, linkage: Linkage, bad: BadRows, mapping: Mapping) -> Rows:
    standard = [*ENVELOPE_COLUMNS, *(heading(column_of(f)) for f in spec.fields)]
    columns = sorted(mapping.headings())
    columns += [name for name in standard if name not in columns and name in ENVELOPE_COLUMNS]
    known = frozenset(columns) | mapping.ignore
    holder: list[_Mapped] = []

    def rows() -> Iterator[tuple[int, list[str]]]:
        for number, line in lines.numbered():
            try:
                said = {heading(name): value for name, value in lines.said(number, line).items()}
                unknown = [] if mapping.ignore_rest else sorted(said.keys() - known)
                if unknown:
                    shown = "" if is_like_data(unknown[0]) else unknown[0][:20]
                    raise BadRow(RowProblem(number, shown, "映射文件没有提到这一项", code="UNKNOWN_FIELD"))
                yield number, [_cell(said.get(name)) for name in columns]
            except BadRow as bad_row:
                holder[0].note(bad_row.problem)
                yield number, [""] * len(columns)

    table = Table(tuple(columns), tuple(columns), rows(), lines.encoding, lines.format, 0, None, lines.done)
    holder.append(_Mapped(lines, table, spec, linkage, bad, mapping))
    return holder[0]


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        return _encode(value).decode()
    return cell_text(value)


def _text(row: int, said: dict[str, object], name: str) -> str:
    value = said.pop(name, None)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(RowProblem(row, name, "应为文字"))
    return value
