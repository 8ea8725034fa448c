"""A workbook has bounds: what would unpack without end is refused before it is read, a false width is not believed."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from gateway import sheets
from gateway.sheets import MAX_COLUMNS, open_sheet
from schemas.errors import DataError


def workbook(path: Path, rows: list[list[str]]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


def rewritten(old: Path, path: Path, before: bytes, after: bytes) -> Path:
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            said = source.read(name)
            if name.endswith("sheet1.xml"):
                assert before in said
                said = said.replace(before, after)
            target.writestr(name, said)
    return path


def test_a_workbook_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = workbook(tmp_path / "a.xlsx", [["a", "b"], ["1", "2"]])
    bomb = rewritten(plain, tmp_path / "b.xlsx", b"<sheetData>", b"<sheetData>" + b" " * 30_000_000)
    monkeypatch.setattr(sheets, "FREE_UNPACKED", 1 << 20)
    with pytest.raises(DataError, match="展开后过大"), open_sheet(bomb):
        pass
    with open_sheet(plain) as sheet:
        assert [list(cells) for _, cells in sheet.rows] == [["a", "b"], ["1", "2"]]
    monkeypatch.setattr(sheets, "MAX_UNPACKED", 1000)
    with pytest.raises(DataError, match="展开后过大"), open_sheet(plain):
        pass


def test_a_stated_width_beyond_any_table_is_not_believed(tmp_path: Path) -> None:
    plain = workbook(tmp_path / "a.xlsx", [["a", "b"], ["1", "2"]])
    wide = rewritten(plain, tmp_path / "w.xlsx", b'ref="A1:B2"', b'ref="A1:XFD2"')
    with open_sheet(wide) as sheet:
        rows = [cells for _, cells in sheet.rows]
    assert [len(cells) for cells in rows] == [MAX_COLUMNS, MAX_COLUMNS]
    assert list(rows[1][:3]) == ["1", "2", ""]


def test_a_row_beyond_any_table_is_refused(tmp_path: Path) -> None:
    plain = workbook(tmp_path / "a.xlsx", [["a"], ["1"]])
    far = rewritten(plain, tmp_path / "f.xlsx", b'r="A2"', b'r="XFD2"')
    bare = rewritten(far, tmp_path / "g.xlsx", b'<dimension ref="A1:A2"/>', b"")
    with open_sheet(bare) as sheet, pytest.raises(DataError, match="列"):
        list(sheet.rows)
