"""How the rows of one table become data of a feed: which cell is which field, read how, and what is put together.

Made once per file from the feed, the headings and, where given, a mapping; then used row by row.
"""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Lookup
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from gateway import values
from gateway.identities import BadIdentity, Linkage
from gateway.mapping import ENVELOPE, Mapping, Source
from gateway.problems import REASONS
from gateway.tables import Merged, Table, heading, plain, refuse_headings
from policy.marked import PolicyError
from schemas.feed import FeedSpec, FieldSpec

IDENTITY = "证件号码"
ENVELOPE_COLUMNS = {
    IDENTITY: "identity",
    "证件类型": "id_type",
    "业务流水号": "id",
    "操作": "operation",
    "记录时间": "recordedtime",
    "序号": "sequence",
}

Cells = Sequence[str]
Parser = Callable[[str], object]
Derive = Callable[[Cells], object]


class Cell(NamedTuple):
    """A field that stands in one column."""

    at: int
    name: str
    parse: Parser
    required: bool
    column: str
    missing: frozenset[str]


@dataclass(frozen=True)
class Derived:
    """A field put together from several columns; None where nothing stands in any of them."""

    name: str
    derive: Derive
    required: bool
    column: str


class Part(NamedTuple):
    """One event a row may become."""

    when: int | None
    envelope: dict[str, int]
    fixed: dict[str, str]
    cells: tuple[Cell, ...]
    derived: tuple[Derived, ...]
    constants: dict[str, object]


def column_of(of: FieldSpec) -> str:
    """The heading of a field in tables: its label, money with (元)."""
    return f"{of.label}(元)" if of.kind == "fen" else of.label


def wanted_headings(spec: FeedSpec, mapping: Mapping | None) -> frozenset[str]:
    """The headings by which the row of headings is told from titles above it."""
    standard = {heading(column_of(f)) for f in spec.fields} | set(ENVELOPE_COLUMNS)
    return frozenset(standard | (mapping.headings() if mapping else frozenset()))


def parts_of(table: Table, spec: FeedSpec, mapping: Mapping | None, linkage: Linkage) -> tuple[Part, ...]:
    """Raises DataError when the headings are not those the feed or the mapping needs."""
    index = table.index()
    standard = {heading(column_of(f)): f.name for f in spec.fields} | ENVELOPE_COLUMNS
    known = set(standard) | set(REASONS)
    if mapping is None:
        required = [IDENTITY, *(heading(column_of(f)) for f in spec.fields if f.required)]
        unknown = [column for column in table.columns if column and column not in known]
        refuse_headings([column for column in required if column not in index], unknown)
        return (_part(table, spec, {}, None, index, linkage),)
    parts = tuple(
        _part(table, spec, _present(columns, index, mapping), _when(when, index, mapping), index, linkage)
        for when, columns in mapping.parts()
    )
    used = known | mapping.headings() | mapping.ignore
    if not mapping.ignore_rest:
        refuse_headings((), [column for column in table.columns if column and column not in used])
    return parts


def _present(sources: Lookup[str, Source], index: dict[str, int], mapping: Mapping) -> Lookup[str, Source]:
    for source in sources.values():
        for column in source.columns:
            if column not in index:
                raise PolicyError(mapping.file, source.line, f"表里没有“{column}”这一列")
    return sources


def _when(when: str | None, index: dict[str, int], mapping: Mapping) -> int | None:
    if when is not None and when not in index:
        line = next(split.line for split in mapping.splits if split.when == when)
        raise PolicyError(mapping.file, line, f"表里没有“{when}”这一列")
    return None if when is None else index[when]


def _part(
    table: Table,
    spec: FeedSpec,
    sources: Lookup[str, Source],
    when: int | None,
    index: dict[str, int],
    linkage: Linkage,
) -> Part:
    cells: list[Cell] = []
    derived: list[Derived] = []
    constants: dict[str, object] = {}
    missing: list[str] = []
    for of in spec.fields:
        own, source = column_of(of), sources.get(of.name)
        if source is None and heading(own) in index:
            source = Source(0, column=heading(own))
        if source is None:
            if of.required:
                missing.append(own)
            continue
        parse = _parser(of, source, table, linkage)
        shown = table.written[index[source.column]].strip() if source.column else own
        if source.column is not None:
            cells.append(Cell(index[source.column], of.name, parse, of.required, shown, _missing(of, source)))
        elif source.constant is not None:
            constants[of.name] = _constant(of, source, parse)
        else:
            derived.append(Derived(of.name, _derive(source, index, parse, linkage), of.required, own))
    envelope, fixed = _envelope(sources, index)
    if "identity" not in envelope:
        missing.insert(0, IDENTITY)
    refuse_headings(missing, ())
    return Part(when, envelope, fixed, tuple(cells), tuple(derived), constants)


def _envelope(sources: Lookup[str, Source], index: dict[str, int]) -> tuple[dict[str, int], dict[str, str]]:
    at = {name: index[column] for column, name in ENVELOPE_COLUMNS.items() if column in index}
    fixed: dict[str, str] = {}
    for name in ENVELOPE:
        source = sources.get(name)
        if source is not None and source.column is not None:
            at[name] = index[source.column]
        elif source is not None and source.constant is not None:
            fixed[name] = source.constant
            at.pop(name, None)
    return at, fixed


def _missing(of: FieldSpec, source: Source) -> frozenset[str]:
    """Texts that stand for nothing given. A filler counts so only where the field may be left out."""
    plain_text = of.required or of.kind in {"text", "key"}
    return source.missing | {""} | (frozenset() if plain_text else values.FILLERS)


def _constant(of: FieldSpec, source: Source, parse: Parser) -> object:
    try:
        return parse(source.constant or "")
    except values.BadValue as error:
        raise PolicyError("映射文件", source.line, f"“{of.name}”的固定值：{error}") from None


def _derive(source: Source, index: dict[str, int], parse: Parser, linkage: Linkage) -> Derive:
    if source.join:
        return partial(_joined, tuple(index[c] for c in source.join), source.separator, parse,
                       linkage if source.opaque else None)  # fmt: skip
    return partial(_summed, tuple((sign, index[c]) for sign, c in source.sum), parse, source.missing | values.FILLERS)


def _joined(at: tuple[int, ...], separator: str, parse: Parser, linkage: Linkage | None, cells: Cells) -> object:
    found = [cells[i].strip() if i < len(cells) else "" for i in at]
    if not all(found):
        return None
    text = values.word(separator.join(found))
    return linkage.opaque(text) if linkage is not None else parse(text)


def _summed(at: tuple[tuple[int, int], ...], parse: Parser, missing: frozenset[str], cells: Cells) -> object:
    total = 0
    given = False
    for sign, i in at:
        text = cells[i].strip() if i < len(cells) else ""
        if text and text not in missing:
            given = True
            amount = parse(text)
            if not isinstance(amount, int):
                raise values.BadValue("应为金额或整数")
            total += sign * amount
    return total if given else None


def _parser(of: FieldSpec, source: Source, table: Table, linkage: Linkage) -> Parser:
    if of.kind in {"person", "opaque"}:
        return partial(_coded, linkage, of.kind)
    parse = _plain_parser(of, source, table)
    if table.is_excel and of.kind in {"fen", "count"}:
        return partial(_unmerged, parse)
    return parse


def _coded(linkage: Linkage, kind: str, text: str) -> str:
    """Another person or an account a row speaks of: by number, as departments know them, or already by its code."""
    known, code = ("p_", linkage.person) if kind == "person" else ("k_", linkage.account)
    try:
        return text.strip() if text.startswith(known) else code(text)
    except BadIdentity as error:
        raise values.BadValue(str(error)) from None


def _unmerged(parse: Parser, text: str) -> object:
    if type(text) is Merged:
        raise values.BadValue("金额写在合并的单元格里，无法确定各行金额：请取消合并，逐行填写")
    return parse(text)


def _plain_parser(of: FieldSpec, source: Source, table: Table) -> Parser:
    if of.kind == "fen":
        return values.fen if source.unit in {None, 100} else partial(_money, source.unit or 100)
    if of.kind == "date":
        return _dated(source.dates or (("written", "serial") if table.is_excel else ("written",)))
    if of.kind == "month":
        return _monthly(source.dates)
    if of.kind == "code" or source.codes:
        standard = {label: code for code, label in of.labels.items()} | {code: code for code in of.labels}
        labels = "、".join(of.labels.values())
        return partial(_code, standard | dict(source.codes), source.otherwise, source.pad_left, labels)
    if of.kind == "count":
        return values.whole
    if of.kind == "time":
        return lambda text: values.moment(text).isoformat()
    return partial(_padded, source.pad_left) if source.pad_left else values.word


def _money(unit: int, text: str) -> int:
    return values.money(text, unit)


def _padded(width: int, text: str) -> str:
    given = values.word(text)
    return given.rjust(width, "0") if given else ""


def _code(codes: dict[str, str], otherwise: str | None, width: int, labels: str, text: str) -> str:
    found = codes.get(text)
    if found is not None:
        return found
    given = text.strip()
    if not given:
        return ""
    found = codes.get(given.rjust(width, "0")) or codes.get(plain(given).strip()) or otherwise
    if found is None:
        raise values.BadValue(f"应为 {labels}" if labels else "映射文件的 codes 里没有这个取值")
    return found


def _dated(ways: tuple[str, ...]) -> Parser:
    if ways == ("written",):
        return values.day_iso
    readers = [values.DAYS[way] for way in ways]

    def read(text: str) -> str:
        first: values.BadValue | None = None
        for reader in readers:
            try:
                return reader(text).isoformat()
            except values.BadValue as error:
                first = first or error
        raise first or values.BadValue("应为日期")

    return read


def _monthly(ways: tuple[str, ...]) -> Parser:
    days = [values.DAYS["serial"]] if "serial" in ways else []
    days += [values.DAYS["written"]] if "of_day" in ways else []
    if not days:
        return values.month

    def read(text: str) -> str:
        for reader in days:
            try:
                return f"{reader(text):%Y-%m}"
            except values.BadValue:
                continue
        return values.month(text)

    return read
