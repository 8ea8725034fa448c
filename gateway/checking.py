"""Checks a department's file offline, row by row in bounded memory: what intake would take, what not, and why.

Nothing is sent and no key is needed: persons are told apart by a number that means nothing outside this run.
"""

import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from gateway.advice import advice
from gateway.identities import RESIDENT, SYNTHETIC_REGION, BadIdentity, Linkage
from gateway.json_rows import JsonLines
from gateway.judging import SOURCE, Judge, envelope_of
from gateway.mapping import Mapping
from gateway.problems import BadRows, RowProblem
from gateway.rows import FileProgress, Rows, open_rows
from schemas.envelope import Delivery
from schemas.feed import FeedSpec

KEPT: Final = 1_000
REMEMBERED: Final = 2_000_000
"""Rows compared for repetition; a longer file is compared up to here, and the report says so."""
_TELL_EVERY = 2_000
_CONTENT_BITS = 24
_CONTENT = (1 << _CONTENT_BITS) - 1
_MARK_BITS = _CONTENT_BITS + 1
_SAMPLE_EVERY = 37
_SAMPLES = 4_001
_LITTLE_FEN, _MUCH_FEN = 100, 50_000_000
_DAMAGED_SHARE = 0.01

class Unlinked(Linkage):
    """Checks numbers as a gateway does, without its key: equal numbers get equal names, only within this process."""

    def __init__(self, *, synthetic: bool = False) -> None:
        super().__init__(bytes(32), synthetic=synthetic)
        self.ends_in_zeros = 0
        self.numbers = 0
        self.invented = 0

    def person(self, raw: str, id_type: str = RESIDENT) -> str:
        """A name of the shape of a pseudonym. Raises BadIdentity."""
        known = self._seen.get(raw) if id_type == RESIDENT else None
        if known is not None:
            return known
        try:
            number = self.number(raw, id_type)
        except BadIdentity:
            self.invented += not self.synthetic and raw.startswith(SYNTHETIC_REGION)
            raise
        self.numbers += 1
        self.ends_in_zeros += number.endswith("000")
        name = f"p_{hash((id_type, number)) & 0xFFFF_FFFF_FFFF_FFFF:032x}"
        if id_type == RESIDENT:
            if len(self._seen) >= 400_000:
                self._seen.clear()
            self._seen[raw] = name
        return name


@dataclass
class CheckReport:
    """What a check found. Counts are of rows unless said otherwise."""

    feed: str
    title: str
    file: str
    format: str
    encoding: str
    heading_row: int | None
    mapping: str | None
    rows: int = 0
    good: int = 0
    bad: int = 0
    events: int = 0
    empty: int = 0
    bad_identity: int = 0
    repeated: int = 0
    identical: int = 0
    seconds: float = 0.0
    compared: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    by_column: Counter[str] = field(default_factory=Counter)
    months: dict[str, int] = field(default_factory=dict)
    medians: dict[str, int] = field(default_factory=dict)
    totals: list[int] = field(default_factory=list)
    repeats: list[tuple[int, int]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def identity_share(self) -> float:
        """Share of rows whose identity number is valid."""
        return 1 - self.bad_identity / self.rows if self.rows else 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values; findings with how to mend them."""
        said = {name: value for name, value in self.__dict__.items() if name != "problems"}
        said["identity_share"] = round(self.identity_share, 4)
        said["problems"] = [{**problem.as_json(), "advice": advice(problem)} for problem in self.problems]
        return said


def check_file(
    path: Path,
    spec: FeedSpec,
    *,
    recorded: datetime,
    mapping: Mapping | None = None,
    synthetic: bool = False,
    bad_rows: Path | None = None,
    good_rows: Path | None = None,
    progress: FileProgress | None = None,
) -> CheckReport:
    """Reads the whole file. Raises CallError and DataError where it cannot be read at all."""
    began = time.perf_counter()
    linkage = Unlinked(synthetic=synthetic)
    with (
        closing(BadRows(bad_rows)) as bad,
        closing(BadRows(good_rows)) as good,
        open_rows(path, spec, linkage, bad, mapping) as rows,
    ):
        report = CheckReport(
            spec.kind, spec.title, path.name, rows.format, rows.encoding, rows.heading_row,
            mapping.file if mapping else None,
        )  # fmt: skip
        judge = Judge(spec, envelope_of(spec, SOURCE + spec.kind, recorded), _ms(recorded), rows.columns)
        run = _Check(spec, judge, rows, report, good if good_rows else None, progress)
        run.all(linkage)
    run.finish(linkage)
    report.seconds = time.perf_counter() - began
    return report


def _ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)


Judged = tuple[int, list[Delivery | RowProblem], list[bytes]]


class _Check:
    """The rows of one file on their way through."""

    def __init__(
        self,
        spec: FeedSpec,
        judge: Judge,
        rows: Rows,
        report: CheckReport,
        good: BadRows | None,
        progress: FileProgress | None,
    ) -> None:
        self._spec, self._judge, self._rows, self.report = spec, judge, rows, report
        self._good, self._progress = good, progress
        self._days: dict[int, int] = {}
        self._first: dict[int, int] = {}
        self._reversed: dict[int, bool] = {}
        self._known_at_ms = judge.known_at_ms
        self._samples: dict[str, array[int]] = {f.name: array("q") for f in spec.fields if f.kind == "fen"}

    def all(self, linkage: Linkage) -> None:
        """Every row, in order."""
        report, rows = self.report, self._rows
        judged = self._lines(rows, linkage) if type(rows) is JsonLines else self._table(rows)
        for number, found, data in judged:
            report.rows += 1
            problems = [each for each in found if isinstance(each, RowProblem)]
            if problems:
                self._refuse(problems)
            elif not found:
                report.empty += 1
            else:
                report.good += 1
                report.events += len(found)
                for each, raw in zip(found, data, strict=True):
                    self._note(number, each, raw)  # type: ignore[arg-type]
                if self._good is not None:
                    rows.keep_good(self._good)
            if self._progress is not None and report.rows % _TELL_EVERY == 0:
                self._progress(report.rows, report.bad, rows.done())
        report.totals = rows.totals

    def _table(self, rows: Rows) -> Iterator[Judged]:
        judge = self._judge
        for number, found in rows.by_row():
            data = [b"" if isinstance(each, RowProblem) else each.data for each in found]
            yield number, [each if isinstance(each, RowProblem) else judge(each) for each in found], data

    def _lines(self, rows: JsonLines, linkage: Linkage) -> Iterator[Judged]:
        quick, judge = self._judge.line_reader(linkage), self._judge
        for number, line in rows.numbered():
            delivery = quick(line)
            if delivery is not None:
                yield number, [delivery], [line]
                continue
            found = rows.found(number, line)
            yield number, [found if isinstance(found, RowProblem) else judge(found)], [line]

    def _refuse(self, problems: list[RowProblem]) -> None:
        report = self.report
        report.bad += 1
        report.bad_identity += any(problem.code == "BAD_IDENTITY" for problem in problems)
        for problem in self._rows.all_problems() or problems:
            report.by_code[problem.code] += 1
            report.by_column[problem.column] += 1
            if len(report.problems) < KEPT:
                report.problems.append(problem)
        self._rows.keep(problems[0])

    def _note(self, number: int, delivery: Delivery, data: bytes) -> None:
        fact = delivery.fact
        self._days[fact.day] = self._days.get(fact.day, 0) + 1
        if fact.gone:
            self._reversed[hash((delivery.person, fact.key))] = fact.recorded_ms < self._known_at_ms
        elif self.report.compared < REMEMBERED:
            self.report.compared += 1
            late = (fact.recorded_ms == self._known_at_ms) << _CONTENT_BITS
            self._compare(number, hash((delivery.person, fact.key)), hash(data) & _CONTENT | late)
        if self.report.good % _SAMPLE_EVERY == 1:
            self._sample(data)

    def _compare(self, number: int, name: int, content: int) -> None:
        marked = number << _MARK_BITS | content
        earlier = self._first.setdefault(name, marked)
        if earlier != marked:
            self.report.repeated += 1
            self.report.identical += earlier & _CONTENT == content & _CONTENT
            if len(self.report.repeats) < 20:
                self.report.repeats.append((number, earlier >> _MARK_BITS))

    def _sample(self, data: bytes) -> None:
        said = msgspec.json.decode(data)
        for name, values in self._samples.items():
            amount = said.get(name)
            if type(amount) is int and amount and len(values) < _SAMPLES:
                values.append(amount)

    def finish(self, linkage: Unlinked) -> None:
        """What can be said only at the end."""
        report = self.report
        months: Counter[str] = Counter()
        for day, count in self._days.items():
            months[f"{date.fromordinal(day):%Y-%m}"] += count
        report.months = dict(sorted(months.items()))
        if self._progress is not None:
            self._progress(report.rows, report.bad, 1.0)
        if linkage.ends_in_zeros > max(3, linkage.numbers * _DAMAGED_SHARE):
            said = f"有 {linkage.ends_in_zeros:,} 个证件号码以 000 结尾，远多于常情"
            report.warnings.append(f"{said}：疑被表格软件只保留前 15 位，请核对原始数据")
        undone = sum(
            early and self._first.get(name, 0) >> _CONTENT_BITS & 1 for name, early in self._reversed.items()
        )
        if undone:
            said = f"有 {undone:,} 条冲销的原记录也在文件里且没有写记录时间"
            report.warnings.append(f"{said}：原记录按现在计，会晚于冲销而重新生效，请补写原记录的记录时间或删去原记录")
        if linkage.invented > report.rows // 2:
            report.warnings.append("多数证件号码是虚构的（地区 999999）：检查练习用的文件请加 --synthetic")
        labels = {f.name: f.label for f in self._spec.fields}
        for name, values in self._samples.items():
            if len(values) >= 5:
                middle = report.medians[labels[name]] = int(median(map(abs, values)))
                if not _LITTLE_FEN <= middle <= _MUCH_FEN:
                    said = f"「{labels[name]}」的中位数是 {middle / 100:,.2f} 元"
                    report.warnings.append(f"{said}：请核对单位（元、万元、分）")
        if report.rows - report.bad - report.empty > REMEMBERED:
            report.warnings.append(f"重复只比对了前 {REMEMBERED:,} 行")
        if report.totals:
            shown = "、".join(str(row) for row in islice(report.totals, 5))
            report.warnings.append(f"第 {shown} 行等 {len(report.totals)} 行是合计或落款，没有当作数据")
