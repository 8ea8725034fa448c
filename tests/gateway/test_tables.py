from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from gateway import values
from gateway.lines import MAX_ROW
from gateway.tables import cell_text, encoding_of, heading, open_table, refuse_headings
from schemas.errors import CallError, DataError

TEXT = '结算单号,总费用（元）\r\nS1,"1,200.50"\r\n\r\nS2,3\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_in_any_of_their_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TEXT, encoding=encoding, newline="")
    with open_table(path) as table:
        assert table.columns == ("结算单号", "总费用(元)")
        assert list(table.rows) == [(2, ["S1", "1,200.50"]), (4, ["S2", "3"])]


def test_encoding_is_told_by_the_first_bytes_even_when_the_sample_cuts_a_character(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a" + "中".encode() * 30_000)
    assert encoding_of(path) == "utf-8"


def test_an_excel_sheet(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([" 户 号", "出生日期", "核定月收入（元）"])
    sheet.append(["H1", datetime(2026, 5, 14), 1200.5])
    sheet.append([None, None, None])
    book.save(tmp_path / "a.xlsx")
    with open_table(tmp_path / "a.xlsx") as table:
        assert table.columns == ("户号", "出生日期", "核定月收入(元)")
        assert list(table.rows) == [(2, ["H1", "2026-05-14", "1200.5"])]


def test_numbers_that_excel_lost_do_not_come_back_as_numbers() -> None:
    assert cell_text(110101199001011000) == "1.10E+17"
    assert cell_text(12.0) == "12"
    assert cell_text(True) == "是"


def test_headings_are_compared_folded() -> None:
    assert heading("\ufeff 核定月收入（元） ") == "核定月收入(元)"


def test_wrong_headings_are_all_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙,丁\n1,2,3\n")
    with open_table(path) as table, pytest.raises(DataError) as refusal:
        table.positions({"甲": "a", "丙": "c"}, ["丙"])
    assert "缺少列：丙" in str(refusal.value)
    assert "乙、丁" in str(refusal.value)


@pytest.mark.parametrize("heads", ["钱多多,星河市东街,999999196503120017,乙", "钱多多,钱多多,999999196503120017"])
def test_a_file_without_headings_says_nothing_of_its_first_row(tmp_path: Path, heads: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{heads}\n1,2,3\n")
    with open_table(path) as table, pytest.raises(DataError) as refusal:
        table.index()
        refuse_headings(["丙"], table.columns)
    assert "疑为数据行" in str(refusal.value)
    assert not any(part in str(refusal.value) for part in ("钱多多", "东街", "9999", "乙"))


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("none.csv", None, CallError),
        ("a.xls", b"x", CallError),
        ("a.xlsx", b"x", DataError),
        ("a.csv", b"", DataError),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, error: type[Exception]) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error), open_table(tmp_path / name):
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.50", 123450),
        ("0", 0),
        ("-3.5", -350),
        ("１２．５", 1250),
        ("12.340", 1234),
        (" 7 ", 700),
        (".5", 50),
    ],
)
def test_money(text: str, expected: int) -> None:
    assert values.fen(text) == expected


@pytest.mark.parametrize("text", ["", "*", "—", "1.234", "1e3", "十", "1.2.3", "--1", "nan", "1 000"])
def test_what_is_not_money_is_refused_and_never_zero(text: str) -> None:
    with pytest.raises(values.BadValue):
        values.fen(text)


@pytest.mark.parametrize("text", ["2026-05-14", "20260514", "2026/5/14", "2026年5月14日", "2026-05-14 00:00:00"])
def test_days(text: str) -> None:
    assert values.day(text) == date(2026, 5, 14)


@pytest.mark.parametrize("text", ["20240230", "44927", "2024", "14/05/2026", "今天"])
def test_days_that_are_none(text: str) -> None:
    with pytest.raises(values.BadValue):
        values.day(text)


def test_months_moments_and_words() -> None:
    assert {values.month(t) for t in ("2026-05", "202605", "2026/5", "2026年5月")} == {"2026-05"}
    assert values.moment("2026-05-14 09:30:00").isoformat() == "2026-05-14T09:30:00+08:00"
    assert values.moment("2026-05-14T01:30:00+00:00") == values.moment("2026/05/14 09:30")
    assert values.whole("１２") == 12
    assert [values.operation(t) for t in ("", "登记", "更正", " 冲销 ")] == ["record", "record", "correct", "reverse"]
    for read, text in ((values.month, "2026-13"), (values.moment, "x"), (values.whole, "1.5")):
        with pytest.raises(values.BadValue):
            read(text)


SPELLINGS = st.from_regex(r"-?[0-9,]{0,7}\.?[0-9]{0,3}", fullmatch=True) | st.text("0123456789.,- １２٣元", max_size=8)


@given(SPELLINGS)
def test_the_short_way_to_an_amount_says_what_the_long_one_says(text: str) -> None:
    def said(parse: Callable[[str], int]) -> int | str:
        try:
            return parse(text)
        except values.BadValue as error:
            return str(error)

    assert said(values.fen) == said(values._fen)  # noqa: SLF001 - the long way


@pytest.mark.parametrize("text", ["9" * 5_000, "9" * 5_000 + ".00", "1234567890123456.00"])
def test_a_number_nobody_pays_is_refused_as_a_row_not_as_a_program(text: str) -> None:
    with pytest.raises(values.BadValue, match="金额"):
        values.fen(text)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1," + "x" * (MAX_ROW + 1),
        "x" * (MAX_ROW + 1),
        "a,b\n1,2\n" + '"y","\n"' + ',"z\n"' * (MAX_ROW // 4),
    ],
    ids=["one line", "no line break at all", "a row that never ends"],
)
def test_a_row_longer_than_a_megabyte_is_refused_by_its_number(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, newline="")
    with pytest.raises(DataError, match=r"第 \d 行起的一行超过 1,048,576 个字符"), open_table(path) as table:
        list(table.rows)


def test_many_rows_may_be_longer_than_that_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + f"{'x' * 90_000},2\n" * 30)
    with open_table(path) as table:
        assert sum(1 for _ in table.rows) == 30


def test_one_cell_may_be_as_long_as_a_row(tmp_path: Path) -> None:
    path, long = tmp_path / "a.csv", "x" * (MAX_ROW - 10)
    path.write_text(f"a,b\n{long},2\n")
    with open_table(path) as table:
        assert list(table.rows) == [(2, [long, "2"])]
