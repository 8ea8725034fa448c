"""Common mistakes: a table with one wrong cell each goes through the check that departments use, and its words stand.

What is tried follows the kinds of mess that real files hold: damaged numbers, masked amounts, impossible dates, codes
of one's own, amounts that do not add up, corrections without time or key.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.advice import advice
from gateway.checking import check_file
from gateway.reading import IDENTITY, column_of
from gateway.template import EXAMPLE_NUMBER, example_of
from schemas.calendar import SHANGHAI
from schemas.errors import LidmError
from schemas.examples_of import KNOWN_AT_MS
from schemas.feed import FEEDS, FeedSpec, FieldSpec

AT: Final = datetime.fromtimestamp(KNOWN_AT_MS / 1000, SHANGHAI)
_OPERATION, _RECORDED = "操作", "记录时间"
Row = dict[str, str]


@dataclass(frozen=True)
class Mistake:
    """What was done wrong, what the check says, how to mend it; `wrote` unless it is a number of a person."""

    what: str
    column: str
    wrote: str
    said: str
    mend: str


@dataclass(frozen=True)
class _Try:
    what: str
    changes: Row
    codes: tuple[str, ...] = ()


_N: Final = EXAMPLE_NUMBER
_NUMBERS: Final = (
    ("号码被表格软件改成科学计数", "9.99999E+17"),
    ("号码末三位成了 000", _N[:15] + "000"),
    ("号码打了码", f"{_N[:6]}********{_N[14:]}"),
    ("字母 O 当作 0", _N[:14] + "O" + _N[15:]),
    ("号码少一位", _N[:17]),
    ("号码抄错一位", _N[:17] + ("0" if _N[17] != "0" else "1")),
)
_CELLS: Final = {
    "fen": (
        ("金额打了码", "1*.00"),
        ("金额夹文字", "约500"),
        ("金额多于两位小数", "12.345"),
        ("金额用科学计数", "1.2E+04"),
    ),
    "date": (("日期不存在", "2026-02-30"), ("日期是表格软件的序号", "46156"), ("日期只有年月", "2026年5月")),
    "month": (("月份不存在", "2026-13"), ("月份写成整日", "2026-05-14")),
    "code": (("本单位自己的代码", "9901"),),
    "area": (("区划代码不足 12 位", "339901"),),
    "count": (("数量带单位", "3个"),),
}


def mistakes(spec: FeedSpec) -> list[Mistake]:
    """What the check says of a table with these mistakes; empty for a feed that no table can hold."""
    if any(each.parts for each in spec.fields):
        return []
    good = {IDENTITY: EXAMPLE_NUMBER} | {column_of(each): example_of(each) for each in spec.fields}
    good |= {_OPERATION: "", _RECORDED: ""}
    tried = list(_tries(spec, good))
    with TemporaryDirectory(prefix="lidm-pages-") as folder:
        path = Path(folder) / "table.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(list(good))
            writer.writerows([{**good, **each.changes}[column] for column in good] for each in tried)
        report = check_file(path, spec, recorded=AT, synthetic=True)
    found = {problem.row: problem for problem in reversed(report.problems)}
    said = []
    for row, each in enumerate(tried, 2):
        problem = found.get(row)
        if problem is None or (each.codes and problem.code not in each.codes):
            continue
        column, wrote = next(iter(each.changes.items()))
        wrote = "" if wrote == _N or column == IDENTITY else wrote or "（空）"
        shown = f"{problem.reason}（{problem.shown}）" if problem.shown else problem.reason
        said.append(Mistake(each.what, column, wrote, f"{shown} [{problem.code}]", advice(problem)))
    return said


def _tries(spec: FeedSpec, good: Row) -> Iterator[_Try]:
    for what, number in _NUMBERS:
        yield _Try(what, {IDENTITY: number}, ("BAD_IDENTITY",))
    met: set[str] = set()
    for each in spec.fields:
        if each.kind in met or (not each.required and each.kind != "code"):
            continue
        met.add(each.kind)
        for what, wrote in _CELLS.get(each.kind, ()):
            yield _Try(what, {column_of(each): wrote})
    yield from _about_whole_rows(spec, good)


def _about_whole_rows(spec: FeedSpec, good: Row) -> Iterator[_Try]:
    required = next((each for each in spec.fields if each.required), None)
    if required is not None:
        yield _Try("必填的列空着", {column_of(required): ""}, ("MISSING_FIELD",))
    for each in _of_kind(spec, "fen"):
        if example_of(each):
            more = f"{float(good[column_of(each)]) + 100:.2f}"
            yield _Try("分项之和与总额不符", {column_of(each): more}, ("SUM_MISMATCH",))
            break
    for each in _of_kind(spec, "date"):
        yield _Try("日期在未来", {column_of(each): "2029-01-01"}, ("FUTURE_DATE",))
    for each in [*_of_kind(spec, "text"), *_of_kind(spec, "key")][:1]:
        yield _Try("证件号码写在别的列", {column_of(each): EXAMPLE_NUMBER}, ("PLAIN_IDENTITY",))
    yield _Try("更正没有写记录时间", {_OPERATION: "更正"}, ("MISSING_FIELD", "BAD_FIELD"))
    key = next((each for each in spec.fields if each.key), None)
    if key is not None:
        reversal = {column_of(key): "", _OPERATION: "冲销", _RECORDED: "2026-06-20 08:00:00"}
        yield _Try("冲销没有写业务主键", reversal, ("NO_KEY",))


def _of_kind(spec: FeedSpec, kind: str) -> list[FieldSpec]:
    return [each for each in spec.fields if each.kind == kind]


def file_mistakes() -> list[tuple[str, str]]:
    """What the check says of whole files that cannot be read, tried with one feed."""
    spec = FEEDS["housing.security"]
    good = {IDENTITY: EXAMPLE_NUMBER} | {column_of(each): example_of(each) for each in spec.fields}
    heading, cells = ",".join(good), ",".join(good.values())
    renamed = heading.replace(",金额(元),", ",应交(元),")
    old_workbook = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
    tried: Sequence[tuple[str, str, bytes]] = (
        ("列名与约定不同，又没有映射文件", "a.csv", f"{renamed}\n{cells}\n".encode()),
        ("文件是空的", "b.csv", b""),
        ("旧格式的 Excel（.xls）", "c.xls", old_workbook),
        ("加了密码的 Excel", "d.xlsx", old_workbook),
        ("压缩包改了名字", "e.csv", b"PK\x03\x04" + bytes(64)),
    )
    with TemporaryDirectory(prefix="lidm-pages-") as folder:
        return [(what, _refusal(Path(folder) / name, content, spec)) for what, name, content in tried]


def _refusal(path: Path, content: bytes, spec: FeedSpec) -> str:
    """Raises ValueError where the file is taken after all."""
    path.write_bytes(content)
    try:
        check_file(path, spec, recorded=AT, synthetic=True)
    except LidmError as refused:
        return refused.message_zh.replace(str(path), path.name)
    raise ValueError(f"{path.name} is taken")
