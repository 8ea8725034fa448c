"""Mapping files: how a department's own columns become the fields of a feed, in YAML, without code.

A file is read strictly: an unknown feed, field, unit or item is refused with the file, the line and one sentence.
What the columns of a table are called is compared as headings are everywhere: full-width forms and blanks folded.
"""

import hashlib
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.tables import Layout, heading
from policy.marked import Marked, PolicyError, read_marked
from schemas.errors import CallError
from schemas.feed import FEEDS, FeedSpec, FieldSpec

UNITS: Final = {"分": 1, "角": 10, "元": 100, "百元": 10_000, "千元": 100_000, "万元": 1_000_000}
"""Fen per unit."""
DATES: Final = {
    "written": "写明的日期：2026-05-14、20260514、2026/5/14、2026年5月14日",
    "serial": "表格软件的日期序号：45292",
    "month_first": "只有年月，取当月第一天：2024年2月",
    "month_last": "只有年月，取当月最后一天：2024年2月",
    "of_day": "写的是日期，取其年月（只用于月份字段）",
}
ENVELOPE: Final = ("identity", "id_type", "id", "operation", "recordedtime", "sequence")
_TOP = frozenset({"feed", "table", "ignore", "missing", "columns", "split", "note"})
_TABLE = frozenset({"heading_row", "sheet", "encoding", "delimiter"})
_SOURCES = ("column", "constant", "join", "sum")
_ITEMS = frozenset({*_SOURCES, "with", "opaque", "unit", "codes", "otherwise", "date", "missing", "pad_left", "note"})
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}
_ENCODINGS = frozenset({"utf-8", "utf-8-sig", "gb18030", "utf-16"})


@dataclass(frozen=True)
class Source:
    """Where the value of a field stands and how it is read. Exactly one of column, constant, join, sum is given."""

    line: int
    column: str | None = None
    constant: str | None = None
    join: tuple[str, ...] = ()
    separator: str = ""
    opaque: bool = False
    sum: tuple[tuple[int, str], ...] = ()
    unit: int | None = None
    codes: Lookup[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    dates: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    pad_left: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Every heading it needs."""
        single = (self.column,) if self.column is not None else ()
        return (*single, *self.join, *(name for _, name in self.sum))


@dataclass(frozen=True)
class Split:
    """One of several events a row becomes: when `when` is filled, with these fields instead of the common ones."""

    line: int
    when: str | None
    columns: Lookup[str, Source]


@dataclass(frozen=True)
class Mapping:
    """A checked mapping file."""

    feed: str
    file: str
    digest: str
    layout: Layout
    ignore: frozenset[str]
    ignore_rest: bool
    columns: Lookup[str, Source]
    splits: tuple[Split, ...]

    def parts(self) -> tuple[tuple[str | None, Lookup[str, Source]], ...]:
        """(column that must be filled, fields) per event a row may become."""
        if not self.splits:
            return ((None, self.columns),)
        return tuple((split.when, {**self.columns, **split.columns}) for split in self.splits)

    def headings(self) -> frozenset[str]:
        """Every heading the mapping needs."""
        used = {c for _, fields in self.parts() for source in fields.values() for c in source.columns}
        return frozenset(used | {split.when for split in self.splits if split.when})


def load_mapping(path: Path, feed: str | None = None) -> Mapping:
    """The mapping of a file. Raises CallError when there is none, PolicyError with file, line and sentence if wrong."""
    if not path.is_file():
        raise CallError(f"没有这个映射文件：{path}")
    root = read_marked(path, path.name)
    said = root.mapping(_TOP, ("feed", "columns"))
    kind = said["feed"].text()
    if kind not in FEEDS:
        said["feed"].fail(f"没有数据类“{kind}”，有：{'、'.join(FEEDS)}")
    if feed is not None and FEEDS[kind] is not FEEDS.get(feed):
        said["feed"].fail(f"这个映射文件是给 {kind} 的，不是 {feed}")
    spec = FEEDS[kind]
    missing = _texts(said["missing"]) if "missing" in said else frozenset()
    reader = _Reader(spec, missing)
    columns = reader.columns(said["columns"])
    splits = tuple(reader.split(each) for each in said["split"].sequence()) if "split" in said else ()
    if "split" in said and not splits:
        said["split"].fail("split 是空的：不需要拆分就不要写这一项")
    ignore = _texts(said["ignore"]) if "ignore" in said else frozenset()
    return Mapping(
        feed=kind,
        file=path.name,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        layout=_layout(said["table"]) if "table" in said else Layout(),
        ignore=frozenset(heading(text) for text in ignore) - {""},
        ignore_rest="*" in ignore,
        columns=columns,
        splits=splits,
    )


def _layout(node: Marked) -> Layout:
    said = node.mapping(_TABLE)
    encoding, delimiter = said.get("encoding"), said.get("delimiter")
    if encoding is not None and encoding.text() not in _ENCODINGS:
        encoding.fail(f"编码应为 {'、'.join(sorted(_ENCODINGS))} 之一")
    if delimiter is not None and delimiter.text() not in _DELIMITERS:
        delimiter.fail(f"分隔符应为 {'、'.join(_DELIMITERS)} 之一")
    return Layout(
        heading_row=said["heading_row"].whole(1, 1000) if "heading_row" in said else None,
        sheet=said["sheet"].text() if "sheet" in said else None,
        encoding=encoding.text() if encoding else None,
        delimiter=_DELIMITERS[delimiter.text()] if delimiter else None,
    )


def _texts(node: Marked) -> frozenset[str]:
    return frozenset(each.text() for each in (node.sequence() if node.is_sequence else [node]))


@dataclass(frozen=True)
class _Reader:
    """Reads the sources of one feed's fields."""

    spec: FeedSpec
    missing: frozenset[str]

    def columns(self, node: Marked) -> dict[str, Source]:
        """The sources by field."""
        fields = {f.name: f for f in self.spec.fields}
        found: dict[str, Source] = {}
        for name, key, value in node.items():
            if name not in fields and name not in ENVELOPE:
                known = "、".join([*ENVELOPE, *fields])
                key.fail(f"{self.spec.title}没有字段“{name}”，可以写：{known}")
            of = fields.get(name)
            if of is not None and of.kind in {"part", "parts"}:
                key.fail(f"“{name}”是一组字段，不能用映射文件报送：请用 JSONL")
            found[name] = self.source(name, of, key, value)
        if not found:
            node.fail("columns 是空的")
        return found

    def split(self, node: Marked) -> Split:
        """One event of a split row."""
        said = node.mapping(frozenset({"when", "columns", "note"}), ("columns",))
        when = heading(said["when"].text()) if "when" in said else None
        return Split(node.line, when, self.columns(said["columns"]))

    def source(self, name: str, of: FieldSpec | None, key: Marked, node: Marked) -> Source:
        """A field's source: a heading alone, or items."""
        if not node.is_mapping:
            return Source(node.line, column=heading(node.text()), missing=self.missing)
        said = node.mapping(_ITEMS)
        given = [item for item in _SOURCES if item in said]
        if len(given) != 1:
            key.fail(f"“{name}”须写明 {'、'.join(_SOURCES)} 之中的一项" + ("，写了不止一项" if given else ""))
        kind = of.kind if of else ("time" if name == "recordedtime" else "count" if name == "sequence" else "text")
        self._fitting(name, kind, said)
        return Source(
            line=key.line,
            column=heading(said["column"].text()) if "column" in said else None,
            constant=said["constant"].text() if "constant" in said else None,
            join=tuple(heading(each.text()) for each in said["join"].sequence()) if "join" in said else (),
            separator=said["with"].text() if "with" in said else "",
            opaque=said["opaque"].flag() if "opaque" in said else False,
            sum=tuple(_signed(each) for each in said["sum"].sequence()) if "sum" in said else (),
            unit=_unit(said["unit"]) if "unit" in said else None,
            codes=_codes(said["codes"], of) if "codes" in said else {},
            otherwise=_code(said["otherwise"], of) if "otherwise" in said else None,
            dates=_dates(said["date"], kind) if "date" in said else (),
            missing=self.missing | (_texts(said["missing"]) if "missing" in said else frozenset()),
            pad_left=said["pad_left"].whole(1, 64) if "pad_left" in said else 0,
        )

    @staticmethod
    def _fitting(name: str, kind: str, said: dict[str, Marked]) -> None:
        """Refuses items that mean nothing for the kind of field."""
        fitting = {
            "unit": {"fen"},
            "sum": {"fen", "count"},
            "codes": {"code", "scheme", "text", "key", "area"},
            "otherwise": {"code", "scheme", "text", "key", "area"},
            "date": {"date", "month"},
            "pad_left": {"key", "text", "area", "code"},
            "join": {"key", "text", "area"},
        }
        for item, kinds in fitting.items():
            if item in said and kind not in kinds:
                said[item].fail(f"“{name}”不是能写 {item} 的字段")
        if "otherwise" in said and "codes" not in said:
            said["otherwise"].fail("otherwise 须与 codes 同写")
        for item in ("with", "opaque"):
            if item in said and "join" not in said:
                said[item].fail(f"{item} 须与 join 同写")


def _signed(node: Marked) -> tuple[int, str]:
    text = node.text().strip()
    return (-1, heading(text[1:])) if text.startswith("-") else (1, heading(text))


def _unit(node: Marked) -> int:
    unit = node.text().strip()
    if unit not in UNITS:
        node.fail(f"不认识的单位“{unit}”，可以写：{'、'.join(UNITS)}")
    return UNITS[unit]


def _codes(node: Marked, of: FieldSpec | None) -> dict[str, str]:
    return {name.strip(): _code(value, of) for name, _, value in node.items()}


def _code(node: Marked, of: FieldSpec | None) -> str:
    text = node.text().strip()
    if of is None or of.kind != "code":
        return text
    codes = {label: code for code, label in of.labels.items()} | {code: code for code in of.labels}
    if text not in codes:
        node.fail(f"“{of.label}”没有“{text}”，有：{'、'.join(f'{c}（{label}）' for c, label in of.labels.items())}")
    return codes[text]


def _dates(node: Marked, kind: str) -> tuple[str, ...]:
    found = tuple(each.text() for each in (node.sequence() if node.is_sequence else [node]))
    for name in found:
        if name not in DATES or (name == "of_day" and kind != "month") or (kind == "month" and "month_" in name):
            node.fail(f"不认识的日期写法“{name}”，可以写：{'、'.join(DATES)}")
    return found


__all__ = ["DATES", "ENVELOPE", "UNITS", "Mapping", "PolicyError", "Source", "Split", "load_mapping"]
