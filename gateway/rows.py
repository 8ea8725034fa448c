"""Rows of a department's file as pseudonymous rows of a feed: tables with headings, or lines of JSON.

A table has the Chinese labels of the feed as headings, money in 元 (`总费用(元)`), and 证件号码; optional are 证件类型,
业务流水号, 操作, 记录时间, 序号. A mapping file replaces any of this by the department's own columns, units and codes.
The number never leaves this module except as a pseudonym.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from gateway import values
from gateway.events import Parsed
from gateway.identities import Linkage, shape
from gateway.mapping import Mapping
from gateway.problems import BadRow, BadRows, RowProblem
from gateway.reading import IDENTITY, Part, column_of, parts_of, wanted_headings
from gateway.tables import Table, open_table
from gateway.who import Who
from schemas.errors import CallError
from schemas.examples_of import example_event
from schemas.feed import FeedSpec

__all__ = ["IDENTITY", "Rows", "TableRows", "Who", "column_of", "day_field", "first_day", "open_rows"]

JSON_SUFFIXES = frozenset({".jsonl", ".ndjson"})
BROKEN = "含有无法识别的字节：编码与文件其余部分不一致"
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNFILLED = values.FILLERS | {"", "0", "0.0", "0.00"}
_TOTALS = ("合计", "总计", "小计", "累计", "制表", "填表", "填报", "审核", "注：", "备注：", "说明：")
_encode = msgspec.json.Encoder().encode

Found = Parsed | RowProblem
FileProgress = Callable[[int, int, float], None]
"""Rows read, rows refused, share of the file."""
T = TypeVar("T")


class Rows(Protocol):
    """The rows of one opened file."""

    format: str
    encoding: str
    heading_row: int | None
    totals: list[int]
    columns: dict[str, str]

    def __iter__(self) -> Iterator[Found]: ...
    def by_row(self) -> Iterator[tuple[int, list[Found]]]:
        """(row number, the events it becomes or what is wrong with them)."""
        ...

    def all_problems(self) -> list[RowProblem]:
        """Everything wrong with the cells of the row just read, where more than the first can be told."""
        ...

    def skip_to(self, row: int) -> None:
        """Leaves out everything up to this row."""
        ...

    def done(self) -> float:
        """How much of the file is read, 0 to 1; 0 where that cannot be told."""
        ...

    def keep(self, problem: RowProblem) -> None:
        """Copies the row just read, which `problem` is about, to the file of bad rows."""
        ...

    def keep_good(self, good: BadRows) -> None:
        """Copies the row just read to a file of good rows."""
        ...


@contextmanager
def open_rows(
    path: Path, spec: FeedSpec, linkage: Linkage, bad: BadRows, mapping: Mapping | None = None
) -> Iterator[Rows]:
    """The rows of a file by its suffix: .jsonl, .ndjson, else a table. Raises CallError and DataError as tables do."""
    if path.suffix.lower() in JSON_SUFFIXES:
        from gateway.json_rows import open_json

        with open_json(path, spec, linkage, bad, mapping) as rows:
            yield rows
        return
    layout = mapping.layout if mapping else None
    with open_table(path, wanted_headings(spec, mapping), layout) as table:
        yield TableRows(table, spec, linkage, bad, mapping)


@lru_cache(maxsize=200)
def day_field(spec: FeedSpec) -> str | None:
    """The field that places the fact in time, as the feed's own example tells; None where none does by itself."""
    data = example_event(spec)["data"]
    day = spec.model.model_validate_json(_encode(data)).day()
    fields = [f.name for f in spec.fields if f.kind in {"date", "month"} and (f.required or f.key)]
    days = {name: first_day(data.get(name)) for name in fields}
    return next((name for name, text in days.items() if text and date.fromisoformat(text).toordinal() == day), None)


class TableRows:
    """Rows of a table; each cell is read by the kind of its field."""

    def __init__(
        self, table: Table, spec: FeedSpec, linkage: Linkage, bad: BadRows, mapping: Mapping | None = None
    ) -> None:
        """Raises DataError when the headings are not those of the feed or the mapping."""
        nested = [f.label for f in spec.fields if f.kind in {"part", "parts"}]
        if nested:
            said = f"{spec.title}含分组字段（{'、'.join(nested)}），不能用表格报送"
            raise CallError(f"{said}：请用 lidm roster load 或 JSONL")
        self._parts = parts_of(table, spec, mapping, linkage)
        self._table, self._bad, self._who = table, bad, Who(linkage)
        self._row = self._kept = self._after = 0
        self._cells: Sequence[str] = ()
        self._day = day_field(spec) or ""
        self._keys = frozenset(spec.key_fields)
        self.format, self.encoding = table.format, table.encoding
        self.heading_row: int | None = table.heading_row or None
        self.totals: list[int] = []
        self.columns = {cell.name: cell.column for part in self._parts for cell in part.cells}

    def __iter__(self) -> Iterator[Found]:
        return chain.from_iterable(found for _, found in self.by_row())

    def by_row(self) -> Iterator[tuple[int, list[Found]]]:
        """(row number, the events it becomes or what is wrong with them); rows of totals are noted and left out."""
        single = self._parts[0] if len(self._parts) == 1 and self._parts[0].when is None else None
        for number, cells in self._table.rows:
            if number <= self._after:
                continue
            self._row, self._cells = number, cells
            if single is not None:
                found = [self._found(number, cells, single, "")]
            else:
                found = [
                    self._found(number, cells, part, f"-{n}")
                    for n, part in enumerate(self._parts, 1)
                    if part.when is None or _filled(cells, part.when)
                ]
            if isinstance(found[0] if found else None, RowProblem) and self._is_total(cells):
                self.totals.append(number)
                continue
            yield number, found

    def all_problems(self) -> list[RowProblem]:
        """Everything wrong with the cells of the row just read, each told once."""
        found: dict[tuple[str, str], RowProblem] = {}
        broken = self._broken()
        if broken is not None:
            return [broken]
        for part in self._parts:
            if part.when is not None and not _filled(self._cells, part.when):
                continue
            nothing = part._replace(cells=(), derived=())
            alone = [nothing._replace(cells=(cell,)) for cell in part.cells]
            alone += [nothing._replace(derived=(derived,)) for derived in part.derived]
            for each in [self._found(self._row, self._cells, nothing, ""), *map(self._problem_in, alone)]:
                if isinstance(each, RowProblem):
                    found.setdefault((each.column, each.reason), each)
        return list(found.values())

    def skip_to(self, row: int) -> None:
        """Leaves out everything up to this row."""
        self._after = row

    def done(self) -> float:
        """How much of the file is read."""
        return self._table.done()

    def keep(self, problem: RowProblem) -> None:
        """Copies the row just read to the file of bad rows, once."""
        if self._kept != self._row:
            self._kept = self._row
            self._bad.csv(self._table.written, self._cells, problem)

    def keep_good(self, good: BadRows) -> None:
        """Copies the row just read to a file of good rows."""
        good.plain_csv(self._table.written, self._cells)

    def _is_total(self, cells: Sequence[str]) -> bool:
        """A sum, signature or remark under the table: no identity number and the words to say so."""
        at = self._parts[0].envelope.get("identity", -1)
        if not 0 <= at < len(cells) or cells[at].strip()[:1].isdigit():
            return False
        first = next(("".join(cell.split()) for cell in cells if cell.strip()), "")
        return first.startswith(_TOTALS)

    def _found(self, number: int, cells: Sequence[str], part: Part, suffix: str) -> Found:
        try:
            return self._read(number, cells, part, suffix)
        except (BadRow, UnicodeEncodeError) as bad:
            return self._broken() or (
                self._shown(bad.problem, part) if isinstance(bad, BadRow) else RowProblem(number, "", BROKEN)
            )

    def _shown(self, problem: RowProblem, part: Part) -> RowProblem:
        """The problem under the heading the department's own file has."""
        at = part.envelope.get("identity", -1)
        if problem.column != IDENTITY or not 0 <= at < len(self._table.written):
            return problem
        return replace(problem, column=self._table.written[at].strip())

    def _problem_in(self, part: Part) -> RowProblem | None:
        at = part.envelope.get("operation", len(self._cells))
        said = self._cells[at].strip() if at < len(self._cells) else part.fixed.get("operation", "")
        try:
            self._data(self._row, self._cells, part, required=values.OPERATIONS.get(said) != "reverse")
        except BadRow as bad:
            return bad.problem
        return None

    def _broken(self) -> RowProblem | None:
        """The first cell of the row that holds bytes which are no character."""
        at = next((i for i, cell in enumerate(self._cells) if _SURROGATE.search(cell)), None)
        if at is None:
            return None
        column = self._table.written[at] if at < len(self._table.written) else ""
        return RowProblem(self._row, column, BROKEN, code="BAD_ENCODING")

    def _read(self, row: int, cells: Sequence[str], part: Part, suffix: str) -> Parsed:
        width = len(cells)
        said = dict(part.fixed) if part.fixed else {}
        for name, at in part.envelope.items():
            if at < width and (text := cells[at].strip()):
                said[name] = text
        raw = said.get("identity", "")
        person = self._who.person(row, raw, said.get("id_type", ""))
        recorded = sequence = event_id = None
        operation = "record"
        if len(said) > 1:
            operation = _value(row, "操作", values.operation, said.get("operation", ""))
            event_id = self._who.event_id(_value(row, "业务流水号", values.word, said.get("id", "")), raw)
            if event_id is not None:
                event_id += suffix
            if "recordedtime" in said:
                recorded = _value(row, "记录时间", values.moment, said["recordedtime"])
            if "sequence" in said:
                sequence = _value(row, "序号", values.whole, said["sequence"])
        data = self._data(row, cells, part, required=operation != "reverse")
        keyed = self._keys <= data.keys()
        day = first_day(data.get(self._day))
        return Parsed(row, person, _encode(data), day, recorded, operation, sequence, event_id, keyed)

    def _data(self, row: int, cells: Sequence[str], part: Part, *, required: bool) -> dict[str, object]:
        data = part.constants.copy()
        width = len(cells)
        for at, name, parse, needed, column, missing in part.cells:
            text = cells[at] if at < width else ""
            if text not in missing:
                try:
                    value = parse(text)
                    if value != "":
                        data[name] = value
                        continue
                except values.BadValue as error:
                    if text.strip() not in missing:
                        raise BadRow(RowProblem(row, column, str(error), shape(text))) from None
            if needed and required:
                raise BadRow(RowProblem(row, column, "必填", code="MISSING_FIELD"))
        for derived in part.derived:
            try:
                value = derived.derive(cells)
            except values.BadValue as error:
                raise BadRow(RowProblem(row, derived.column, str(error))) from None
            if value is not None:
                data[derived.name] = value
            elif derived.required and required:
                raise BadRow(RowProblem(row, derived.column, "必填，而组成它的各列没有填", code="MISSING_FIELD"))
        return data


def _filled(cells: Sequence[str], at: int) -> bool:
    return at < len(cells) and cells[at].strip() not in _UNFILLED


def _value(row: int, column: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except values.BadValue as error:
        raise BadRow(RowProblem(row, column, str(error), shape(text))) from None


def first_day(value: object) -> str | None:
    """A day as given, the first of a month; None where the row gives neither (or something the decoder refuses)."""
    if not isinstance(value, str) or len(value) not in {7, 10}:
        return None
    return value if len(value) == 10 else f"{value}-01"
