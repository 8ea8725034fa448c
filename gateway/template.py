"""What a department gets to start with: a mapping file that works as it is, and a table to fill in (CSV, Excel)."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gateway.mapping import DATES, UNITS
from gateway.reading import ENVELOPE_COLUMNS, IDENTITY, column_of
from schemas.errors import CallError
from schemas.feed import FEEDS, FeedSpec, FieldSpec

EXAMPLE_NUMBER: Final = "999999196804010016"
"""An invented number: the region does not exist, the check digit is right."""
_OPTIONAL: Final = tuple(ENVELOPE_COLUMNS)[1:]
_KINDS: Final = {
    "fen": "金额，以元计，最多两位小数",
    "date": "日期，如 2026-05-14",
    "time": "时间，如 2026-05-14 09:30:00",
    "month": "月份，如 2026-05",
    "key": "编号，最长 64 字",
    "text": "文字，最长 200 字",
    "area": "12 位统计用区划代码",
    "scheme": "类别代码",
    "count": "整数",
    "code": "代码或名称",
}


def kind_of(of: FieldSpec) -> str:
    """What stands in a column, for people."""
    shown = _KINDS.get(of.kind, of.kind)
    return f"{shown}：{'、'.join(of.labels.values())}" if of.labels else shown


def example_of(of: FieldSpec) -> str:
    """The example of a field as a table has it."""
    if of.example is None:
        return ""
    if of.kind == "fen":
        return f"{int(of.example) / 100:.2f}"
    return of.labels.get(str(of.example), str(of.example))


def tabular(spec: FeedSpec) -> None:
    """Raises CallError for a feed that no table can hold."""
    nested = [f.label for f in spec.fields if f.parts]
    if nested:
        said = f"{spec.title}含分组字段（{'、'.join(nested)}），没有表格模板"
        raise CallError(f"{said}：名册用 lidm roster load，其他用 JSONL")


def _called(spec: FeedSpec) -> str:
    """The feed as a command takes it: a kind alone stands for its oldest version."""
    return spec.kind if FEEDS[spec.kind] is spec else spec.name


def mapping_text(spec: FeedSpec) -> str:
    """A mapping file that reads the template, with every way to change it said in comments."""
    return "\n".join(_mapping_lines(spec)) + "\n"


def _mapping_lines(spec: FeedSpec) -> Iterator[str]:
    yield f"# 映射文件：{spec.title}（{spec.kind}）。左边是约定的字段，右边是本单位文件里的列名；列名不同就改右边。"
    yield "# 检查：lidm feed check 文件 --feed " + f"{_called(spec)} --mapping 本文件"
    yield f"feed: {_called(spec)}"
    yield ""
    yield "# 文件的样子，一般不用写：表头会自动找到，编码会自动识别。"
    yield "# table: {heading_row: 3, sheet: 明细, encoding: gb18030, delimiter: tab}"
    yield '# 不报送的列；写 "*" 表示其余各列都不报送：'
    yield "# ignore: [备注, 联系电话]"
    yield "# 哪些写法等于没有填："
    yield "# missing: [不详]"
    yield ""
    yield "columns:"
    yield f"  identity: {IDENTITY}"
    for column, name in list(ENVELOPE_COLUMNS.items())[1:]:
        yield f"  # {name}: {column}"
    for of in spec.fields:
        yield f"  # {'必填' if of.required else '可不填'}{'，业务主键' if of.key else ''}。{kind_of(of)}" + (
            f"。{of.meaning}" if of.meaning else ""
        )
        yield from (f"  #   {line}" for line in _choices(of))
        yield f"  {'' if of.required or of.key else '# '}{of.name}: {_quoted(column_of(of))}"
    yield ""
    yield "# 一行要成为几条记录时（例如应缴、减免分列），逐条写明哪一列有数时生成、哪些字段不同："
    yield "# split:"
    yield "#   - when: 应缴金额"
    yield "#     columns: {字段: {column: 应缴金额, unit: 元}}"


def _choices(of: FieldSpec) -> Iterator[str]:
    """Other ways to write a field."""
    own = column_of(of)
    if of.kind == "fen":
        yield f"{of.name}: {{column: {_quoted(own)}, unit: 万元}}    # 单位：{'、'.join(UNITS)}"
        yield f"{of.name}: {{sum: [甲, 乙, -丙]}}    # 几列相加减"
    if of.kind in {"date", "month"}:
        ways = [way for way in DATES if (of.kind == "month") == (way == "of_day") or way in {"written", "serial"}]
        yield f"{of.name}: {{column: {_quoted(own)}, date: [{', '.join(ways)}]}}"
    if of.labels:
        code, label = next(iter(of.labels.items()))
        yield f'{of.name}: {{column: {_quoted(own)}, codes: {{"01": {code}}}}}    # 左边本单位代码，右边 {label} 等'
        yield f"{of.name}: {{constant: {code}}}    # 整个文件都一样"
    if of.kind == "key":
        yield f'{of.name}: {{join: [列一, 列二], with: "-"}}    # 几列拼成；含证件号码时加 opaque: true'


def _quoted(text: str) -> str:
    return f'"{text}"' if set(text) & set(":#[]{},&*!|>'%@`\"") else text


def write_csv(path: Path, spec: FeedSpec) -> None:
    """The headings, in UTF-8 with BOM, which Excel opens rightly."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerow([IDENTITY, *(column_of(f) for f in spec.fields), *_OPTIONAL])


def write_excel(path: Path, spec: FeedSpec) -> None:
    """A sheet to fill in: text cells where digits must stay, lists where codes are chosen; a sheet that explains."""
    book = _workbook()
    sheet = book.active
    sheet.title = "数据"
    columns: list[FieldSpec | str] = [IDENTITY, *spec.fields, *_OPTIONAL]
    for at, column in enumerate(columns, 1):
        _column(sheet, at, column)
    sheet.freeze_panes = "B2"
    _explanation(book.create_sheet("填写说明"), spec)
    book.save(path)


def _workbook() -> Any:
    try:
        from openpyxl import Workbook
    except ModuleNotFoundError as error:
        raise CallError("Excel 模板需要 lidm 的 office 扩展：pip install 'lidm[office]'") from error
    return Workbook()


def _column(sheet: Any, at: int, column: FieldSpec | str) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    letter = get_column_letter(at)
    text = column if isinstance(column, str) else column_of(column)
    required = column == IDENTITY or (not isinstance(column, str) and column.required)
    cell = sheet.cell(1, at, text)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="FCE4D6" if required else "EDEDED")
    sheet.column_dimensions[letter].width = max(14, len(text) * 2 + 2)
    if isinstance(column, str) or column.kind in {"key", "text", "area", "month", "date", "time"}:
        for row in range(2, 501):  # a number typed into a text cell keeps all its digits
            sheet.cell(row, at).number_format = "@"
    elif column.kind == "fen":
        for row in range(2, 501):
            sheet.cell(row, at).number_format = "0.00"
    if not isinstance(column, str) and 0 < len("".join(column.labels.values())) < 200:
        choice = DataValidation("list", formula1=f'"{",".join(column.labels.values())}"', allow_blank=not required)
        sheet.add_data_validation(choice)
        choice.add(f"{letter}2:{letter}20000")


def _explanation(sheet: Any, spec: FeedSpec) -> None:
    from openpyxl.styles import Font

    sheet.append(["列", "必填", "填什么", "说明", "示例"])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.append([IDENTITY, "是", "18 位居民身份证号码，按文本填写", "其他证件另填证件类型", EXAMPLE_NUMBER])
    for of in spec.fields:
        sheet.append([column_of(of), "是" if of.required else "", kind_of(of), of.meaning or "", example_of(of)])
    for column, said in zip(
        _OPTIONAL,
        (
            "居民身份证可不填；护照、港澳台通行证、其他",
            "本单位业务系统里这一行的唯一编号",
            "登记（可不填）、更正、冲销",
            "更正、冲销必填：何时改的",
            "同一时间改了几次时，大者有效",
        ),
        strict=True,
    ):
        sheet.append([column, "", said, "", ""])
    for letter, width in zip("ABCDE", (26, 6, 44, 50, 24), strict=True):
        sheet.column_dimensions[letter].width = width
