"""Checks a department's file offline, row by row in bounded memory: what intake would take, what not, and why.

Nothing is sent and no key is needed: persons are told apart by a number that means nothing outside this run.
"""

import time
from array import array
from collections import Counter
from contextlib import closing
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from gateway.check_report import CheckReport
from gateway.events import Envelope, Parsed
from gateway.identities import Linkage
from gateway.json_rows import JsonLines
from gateway.judging import Judge
from gateway.mapping import Mapping
from gateway.problems import BadRows, RowProblem
from gateway.rows import FileProgress, Found, Rows, open_rows
from gateway.sources import source_of
from gateway.unlinked import Unlinked
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
        judge = Judge(spec, Envelope(spec.kind, source_of(spec.kind), recorded), _ms(recorded), rows.columns)
        run = _Check(spec, judge, rows, report, good if good_rows else None, progress)
        run.all(linkage)
    run.finish(linkage)
    report.seconds = time.perf_counter() - began
    return report


def _ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)


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
        rows = self._rows
        if type(rows) is JsonLines:
            self._lines(rows, linkage)
        else:
            self._table(rows)
        self.report.totals = rows.totals

    def _table(self, rows: Rows) -> None:
        judge, good = self._judge, self._good_row
        for number, found in rows.by_row():
            if len(found) != 1:
                self._several(number, found)
                continue
            row = found[0]
            if isinstance(row, RowProblem):
                self._refuse([row])
                continue
            outcome = judge(row)
            if isinstance(outcome, RowProblem):
                self._refuse([outcome])
            else:
                good(number, outcome, row.data)

    def _several(self, number: int, found: list[Found]) -> None:
        """A row that becomes several events, or none."""
        outcomes = [each if isinstance(each, RowProblem) else self._judge(each) for each in found]
        problems = [each for each in outcomes if isinstance(each, RowProblem)]
        if problems:
            self._refuse(problems)
            return
        for row, outcome in zip(found, outcomes, strict=True):
            if isinstance(outcome, Delivery) and isinstance(row, Parsed):
                self.report.events += 1
                self._note(number, outcome, row.data)
        self._passed(empty=not found)

    def _lines(self, rows: JsonLines, linkage: Linkage) -> None:
        quick, judge, good = self._judge.line_reader(linkage), self._judge, self._good_row
        for number, line in rows.numbered():
            delivery = quick(line)
            if delivery is not None:
                good(number, delivery, line)
                continue
            found = rows.found(number, line)
            outcome = found if isinstance(found, RowProblem) else judge(found)
            if isinstance(outcome, Delivery):
                good(number, outcome, line)
            else:
                self._refuse([outcome])

    def _good_row(self, number: int, delivery: Delivery, data: bytes) -> None:
        self.report.events += 1
        self._note(number, delivery, data)
        self._passed()

    def _passed(self, *, empty: bool = False) -> None:
        report = self.report
        report.rows += 1
        report.empty += empty
        report.good += not empty
        if self._good is not None and not empty:
            self._rows.keep_good(self._good)
        if self._progress is not None and report.rows % _TELL_EVERY == 0:
            self._progress(report.rows, report.bad, self._rows.done())

    def _refuse(self, problems: list[RowProblem]) -> None:
        report = self.report
        report.rows += 1
        report.bad += 1
        report.bad_identity += any(problem.code == "BAD_IDENTITY" for problem in problems)
        for problem in self._rows.all_problems() or problems:
            report.by_code[problem.code] += 1
            report.by_column[problem.column] += 1
            if problem.flaw:
                report.by_flaw[problem.flaw] += 1
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
        if linkage.fifteen:
            report.by_flaw["fifteen"] = linkage.fifteen
        months: Counter[str] = Counter()
        for day, count in self._days.items():
            months[f"{date.fromordinal(day):%Y-%m}"] += count
        report.months = dict(sorted(months.items()))
        if self._progress is not None:
            self._progress(report.rows, report.bad, 1.0)
        if linkage.ends_in_zeros > max(3, linkage.numbers * _DAMAGED_SHARE):
            said = f"有 {linkage.ends_in_zeros:,} 个证件号码以 000 结尾，远多于常情"
            report.warnings.append(f"{said}：疑被表格软件只保留前 15 位，请核对原始数据")
        undone = sum(early and self._first.get(name, 0) >> _CONTENT_BITS & 1 for name, early in self._reversed.items())
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
