"""A department's files: tables and lines of JSON with edited cells and damaged bytes, checked and then published."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateway.check_report import CheckReport
from gateway.checking import check_file
from gateway.events import BatchPlan
from gateway.mapping import Mapping, load_mapping
from gateway.publish import Published, publish_file
from gateway.reading import column_of
from gateway.template import mapping_text
from schemas.errors import LidmError
from schemas.feed import FeedSpec
from schemas.generate import example_event
from tests.fuzz.edits import CELLS, NUMBERS, ODD_VALUES, PLANTED, Choices
from tests.fuzz.leaks import Said, listening, readable
from tests.fuzz.sealed import LINKAGE
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_every_feed import cell

RECORDED = datetime(2026, 6, 30, 4, tzinfo=UTC)
PLAN = BatchPlan("2026-05", ("339901000000",))
PEOPLE = tuple(number(n, "19700101") for n in range(1, 40))
EXTRAS = ("业务流水号", "操作", "记录时间", "序号", "证件类型")
BESIDE = ("id", "operation", "recordedtime", "sequence", "id_type", "identity", "extra")
ENCODINGS = ("gb18030", "utf-8", "utf-8-sig", "utf-16", "gbk")
Cells = list[str]


class Filed:
    """Files of one feed. `folder` is used again for every file."""

    def __init__(self, spec: FeedSpec, folder: Path) -> None:
        self.spec, self.counts = spec, Counter[str]()
        self.distinct = set[int]()
        self._folder = folder
        self._tabular = not any(field.parts for field in spec.fields)
        self._mapping = self._mapped(folder) if self._tabular else None

    def _mapped(self, folder: Path) -> Mapping:
        path = folder / "mapping.yaml"
        path.write_text(mapping_text(self.spec), encoding="utf-8")
        return load_mapping(path, self.spec.name)

    def take(self, scripts: Sequence[bytes]) -> None:
        """A table, or lines of JSON, of these rows; the first script also says how the file is written."""
        head = Choices(scripts[0])
        style = head.below(8)
        damaged = head.below(6) == 5
        mapping = self._mapping if style in {6, 7} else None
        if self._tabular and style % 2 == 0:
            path, rows = self._table(scripts, head, damaged)
        else:
            path, rows = self._lines(scripts, head, damaged, in_chinese=mapping is not None)
        with listening() as said:
            self._both(path, None if damaged else rows, mapping, said)

    def _table(self, scripts: Sequence[bytes], head: Choices, damaged: bool) -> tuple[Path, int]:
        header = ["证件号码", *map(column_of, self.spec.fields), *EXTRAS]
        rows = [_row(self.spec, script, n) for n, script in enumerate(scripts)]
        self.distinct |= {hash(tuple(row)) for row in rows}
        text = io.StringIO()
        csv.writer(text, delimiter=head.one((",", "\t", ";", ","))).writerows([header, *rows])
        raw = text.getvalue().encode(head.one(ENCODINGS), "replace")
        path = self._folder / "file.csv"
        path.write_bytes(_damage(head, raw) if damaged else raw)
        return path, sum(any(row) for row in rows)

    def _lines(self, scripts: Sequence[bytes], head: Choices, damaged: bool, *, in_chinese: bool) -> tuple[Path, int]:
        lines = [_line(self.spec, script, n, in_chinese) for n, script in enumerate(scripts)]
        self.distinct |= set(map(hash, lines))
        raw = b"\n".join(lines) + b"\n"
        path = self._folder / "file.jsonl"
        path.write_bytes(_damage(head, raw) if damaged else raw)
        return path, sum(not line.isspace() and line != b"" for line in lines)

    def _both(self, path: Path, rows: int | None, mapping: Mapping | None, said: Said) -> None:
        """Check and publish. Fails where they differ, a row is lost, or a number can be read."""
        outlet, bad = Outlet(), self._folder / "bad.csv"
        report, problem = _answer(
            lambda: check_file(path, self.spec, recorded=RECORDED, mapping=mapping, synthetic=True)
        )
        done, refusal = _answer(lambda: self._publish(path, outlet, bad, mapping))
        assert not readable(said.text), "a number can be read in what was logged or printed"
        assert not readable(f"{problem} {refusal}"), "a number can be read in an error"
        assert not readable(outlet.text()), "a number can be read in a message"
        self.counts["files"] += 1
        if report is None or done is None:
            assert (report is None) == (done is None) or _empty(report), f"check: {problem}; publish: {refusal}"
            assert not any(each.what == "end" for each in outlet.manifests()), "closed although not read to the end"
            self.counts["files refused whole"] += 1
            return
        _agree(report, done, outlet, rows)
        _nothing_readable(report, done)
        self.counts += Counter(rows=report.rows, good=report.good, bad=report.bad)
        self.counts += Counter({f"refused {code}": n for code, n in report.by_code.items()})

    def _publish(self, path: Path, outlet: Outlet, bad: Path, mapping: Mapping | None) -> Published:
        return publish_file(
            path, self.spec.name, publisher=outlet, linkage=LINKAGE, recorded=RECORDED, batch=PLAN, mapping=mapping,
            bad_rows=bad, array=7, source="urn:lidm:fuzz",
        )  # fmt: skip


def _answer(work: Any) -> tuple[Any, str]:
    """What it returns, or the planned refusal as text. Anything else that is raised is a crash."""
    try:
        return work(), ""
    except LidmError as error:
        return None, str(error)


def _empty(report: CheckReport | None) -> bool:
    """A check of a file without rows is a report; publishing it is refused."""
    return report is not None and report.rows == 0


def _agree(report: CheckReport, done: Published, outlet: Outlet, rows: int | None) -> None:
    receipt = done.receipt
    assert (report.good, report.bad) == (receipt.sent, receipt.bad), "check and publish differ"
    assert receipt.read == receipt.sent + receipt.bad + receipt.left_out, "a row is lost"
    assert len(outlet.deliveries()) == receipt.sent == sum(receipt.partitions)
    assert receipt.closed == (receipt.bad == 0)
    if rows is not None:
        seen = report.rows + len(report.totals)
        assert seen == rows, f"{seen} of {rows} rows were seen: {report.format} {report.encoding}"


def _nothing_readable(report: CheckReport, done: Published) -> None:
    for problem in (*report.problems, *done.problems):
        assert not readable(problem.text), f"a number can be read in a problem: {problem.text}"
    for name, said in {**report.as_json(), **done.receipt.as_json()}.items():
        assert not readable(json.dumps(said, ensure_ascii=False, default=str)), f"a number can be read in {name}"


@lru_cache(maxsize=100)
def _cells(spec: FeedSpec) -> tuple[str, ...]:
    data = example_event(spec)["data"]
    return tuple(
        NUMBERS[1] if field.kind == "person" and field.required else
        "" if field.kind == "person" else cell(field, data.get(field.name)) for field in spec.fields
    )  # fmt: skip


def _row(spec: FeedSpec, script: bytes, n: int) -> Cells:
    choices = Choices(script[8:])
    row = [PEOPLE[n % len(PEOPLE)], *_cells(spec), f"E-{script[:6].hex()}" if choices.below(16) else "", "", "", "", ""]
    for _ in range(choices.below(4)):
        at, way = choices.below(len(row)), choices.below(8)
        if way == 0:
            row[at] = ""
        elif way == 1 and at < len(row) - 1:
            row = row[: at + 1]
        elif way == 2:
            row.append(choices.one(CELLS))
        elif way < 6:
            row[at] = choices.one(CELLS)
        else:
            row[at] = row[choices.below(len(row))]
    return row


def _line(spec: FeedSpec, script: bytes, n: int, in_chinese: bool) -> bytes:
    """One line; with a mapping its names are the columns of a table."""
    choices = Choices(script[8:])
    said: dict[str, Any] = {**example_event(spec)["data"], "identity": PEOPLE[n % len(PEOPLE)]}
    if in_chinese:
        said = dict(zip(("证件号码", *map(column_of, spec.fields)), (said["identity"], *_cells(spec)), strict=True))
    if choices.below(16):
        said["业务流水号" if in_chinese else "id"] = f"E-{script[:6].hex()}"
    for _ in range(choices.below(4)):
        name, way = choices.one([*said, *BESIDE]), choices.below(8)
        if way == 0:
            said.pop(name, None)
        elif way == 1:
            said[choices.one((f"{name}x", *PLANTED[:4]))] = said.pop(name, 1)
        else:
            said[name] = choices.one(ODD_VALUES)
    text = json.dumps(said, ensure_ascii=choices.below(2) == 0).encode("utf-8", "surrogatepass")
    if choices.below(12) == 11:
        at = choices.below(len(text))
        return text[:at] + choices.one((b"", b"\x00", b"\xff", b"}", b'"')) + text[at + 1 :]
    return text


def _damage(head: Choices, raw: bytes) -> bytes:
    """Bytes anywhere in the file: in its headings as well."""
    for _ in range(1 + head.below(3)):
        at = head.below(len(raw)) if head.below(2) else head.below(200)
        some = head.one((b'"', b"\n", b"\r", b",", b"\x00", b"\xff\xfe", b"", NUMBERS[0].encode(), b",,,,\n"))
        raw = raw[:at] + some + raw[at + head.below(2) :]
    return raw
