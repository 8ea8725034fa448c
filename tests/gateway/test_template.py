"""What `lidm feed template` writes can be used as it is: filled in, mapped, checked, signed."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook

from gateway.agreement import agreement_of
from gateway.mapping import load_mapping
from gateway.reading import column_of
from gateway.template import EXAMPLE_NUMBER, example_of, mapping_text
from schemas.feed import FEEDS, FeedSpec
from schemas.topics import Catalogue
from tests.gateway.test_check import check
from tests.gateway.test_commands import Run, data, run

__all__ = ["data", "run"]

TABLES = [spec.name for spec in FEEDS.every if not any(f.parts for f in spec.fields)]


def filled(spec: FeedSpec) -> dict[str, str]:
    return {column_of(f): example_of(f) for f in spec.fields} | {"证件号码": EXAMPLE_NUMBER}


@pytest.mark.parametrize("feed", TABLES)
def test_the_mapping_of_every_feed_is_accepted_and_reads_the_template(feed: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(mapping_text(FEEDS[feed]), encoding="utf-8")
    mapping = load_mapping(path, feed)
    row = filled(FEEDS[feed])
    table = tmp_path / "a.csv"
    with table.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([list(row), list(row.values())])
    report = check(table, feed, mapping=mapping)
    assert (report.good, [p.text for p in report.problems]) == (1, [])


def test_the_choices_in_the_comments_are_accepted_when_taken(tmp_path: Path) -> None:
    text = mapping_text(FEEDS["housing.security"])
    path = tmp_path / "m.yaml"
    plain = "  amount: 金额(元)"
    assert plain in text
    path.write_text(text.replace(plain, '  amount: {column: "金额(元)", unit: 万元}'), encoding="utf-8")
    assert load_mapping(path).columns["amount"].unit == 1_000_000


def test_files_for_a_department(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("feed", "template", "housing.security", "--out", out).code == 0
    assert run("feed", "template", "housing.security", "--out", out).code == 2
    book = load_workbook(out / "housing.security.模板.xlsx")
    sheet = book["数据"]
    headings = [cell.value for cell in sheet[1]]
    assert headings[:2] == ["证件号码", "合同编号"]
    assert sheet.cell(2, 1).number_format == "@"
    assert any("应缴" in str(rule.formula1) for rule in sheet.data_validations.dataValidation)
    row = filled(FEEDS["housing.security"])
    for at, name in enumerate(headings, 1):
        sheet.cell(2, at, row.get(str(name)) or None)
    book.save(out / "填好.xlsx")
    report = check(out / "填好.xlsx", "housing.security")
    assert (report.good, report.format, [p.text for p in report.problems]) == (1, "Excel", [])
    empty = run("feed", "check", out / "housing.security.模板.xlsx", "--feed", "housing.security")
    assert (empty.code, "没有数据行" in empty.err) == (1, True)


def test_the_word_document_says_what_is_signed(run: Run, tmp_path: Path) -> None:
    run("feed", "template", "housing.security", "--out", tmp_path)
    document = Document(str(tmp_path / "housing.security.接口文档.docx"))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    entry = Catalogue.load().entries["feeds.housing.security.v1"]
    assert entry.scope is not None
    for text in (entry.owner, entry.scope.basis, "合同编号", "应缴", "单位（盖章）"):
        assert any(text in cell for cell in cells), text
    assert any("绝不当作 0" in paragraph.text for paragraph in document.paragraphs)
    run("feed", "template", "housing.security", "--out", tmp_path, "--document", "excel", "--force")
    book = load_workbook(tmp_path / "housing.security.接口文档.xlsx")
    assert any("单位（盖章）" in str(cell.value) for row in book.active.iter_rows() for cell in row)  # type: ignore[union-attr]


@pytest.mark.parametrize("feed", sorted(FEEDS))
def test_every_feed_has_an_agreement(feed: str) -> None:
    said = agreement_of(FEEDS[feed], Catalogue.load())
    assert all(text for _, text in said.terms)
    assert len(said.fields) == len(FEEDS[feed].fields) + 1


def test_without_the_office_extra_the_rest_is_written_and_the_missing_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules.update(openpyxl=None, docx=None)\n"
        f"sys.argv = ['lidm', 'feed', 'template', 'vital.death', '--out', {str(tmp_path)!r}]\n"
        "from lidm.main import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("lidm[office]") == 2
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".csv", ".yaml"]
