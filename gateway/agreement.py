"""The interface document two departments sign: what is delivered, by what right, how, and what each promises.

Written as Word (python-docx) or Excel (openpyxl), both of the extra `office`, from the feed's model and the catalogue.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.reading import IDENTITY, column_of
from gateway.template import example_of, kind_of
from schemas.catalogue_words import LEVELS, cadence_text, watched_text
from schemas.errors import CallError
from schemas.feed import FeedSpec
from schemas.topics import Catalogue

Row = tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """The document as headings, tables and paragraphs."""

    title: str
    terms: tuple[Row, ...]
    fields: tuple[Row, ...]
    codes: tuple[Row, ...]
    rules: tuple[str, ...]
    signatures: tuple[Row, ...]


def agreement_of(spec: FeedSpec, catalogue: Catalogue) -> Agreement:
    """The agreement about one feed."""
    entry, cadence = catalogue.entries[spec.topic], catalogue.cadence(spec.kind)
    scope = entry.scope
    terms = (
        ("数据类", f"{spec.title}（{spec.kind}，第 {spec.version} 版）"),
        ("提供单位", entry.owner),
        ("接收单位", "民政部门（低收入人口动态监测）"),
        ("依据", scope.basis if scope else ""),
        ("用途", f"{scope.purpose if scope else ''}；不作他用，不得据此自动停发待遇"),
        ("人员范围", watched_text(scope) if scope else ""),
        ("频次与时限", cadence_text(cadence) + ("；当期没有业务也须声明" if cadence.closes else "")),
        ("敏感程度", LEVELS[entry.sensitivity]),
        ("留存", f"传输通道内 {entry.retention_days} 日" if entry.retention_days else "见归档制度"),
    )
    first = (IDENTITY, "identity", "18 位居民身份证号码", "是", "", LEVELS["restricted"], "只在民政区网关内出现", "")
    fields = [first]
    for of in spec.fields:
        need, key = "是" if of.required else "", "是" if of.key else ""
        level = LEVELS[of.sensitivity]
        note = (of.meaning or "", example_of(of))
        fields.append((column_of(of), of.name, kind_of(of), need, key, level, *note))
    codes = tuple((of.label, code, label) for of in spec.fields for code, label in of.labels.items())
    return Agreement(f"{spec.title}数据接口约定", terms, tuple(fields), codes, _rules(spec), _SIGNATURES)


def _rules(spec: FeedSpec) -> tuple[str, ...]:
    keys = "、".join(column_of(f) for f in spec.fields if f.key) or "业务流水号"
    return (
        f"业务主键：{keys}。同一主键再次报送即为更正，以记录时间最新者为准；重复报送不会重复计数。",
        "更正与冲销：在“操作”列写“更正”或“冲销”，并填“记录时间”。冲销只需证件号码和业务主键。",
        "金额以元计，最多两位小数；不是数字的内容（星号、横线、打码）一律视为缺失或退回，绝不当作 0。",
        "证件号码按文本填写。被表格软件改成科学计数或末尾成 000 的号码已经丢失，须重新导出。",
        "报送前自查：lidm feed check 文件 --feed " + f"{spec.kind}，有问题的行逐行列出原因和改法。",
        "批次：按月报送的文件写明所属月份和覆盖地区；整期重报用整期替换，文件里没有的即视为冲销。",
        "提供单位对数据的真实、准确负责；接收单位对用途、保密和知悉范围负责。",
        "质量：证件号码有效率、按时率、退回率每月通报提供单位；退回的数据在 5 个工作日内改正重报。",
    )


_SIGNATURES: tuple[Row, ...] = (
    ("", "提供单位", "接收单位"),
    ("单位（盖章）", "", ""),
    ("负责人", "", ""),
    ("技术联系人及电话", "", ""),
    ("日期", "    年  月  日", "    年  月  日"),
)
_FIELDS: Row = ("列名", "字段", "内容", "必填", "主键", "敏感程度", "说明", "示例")
_CODES: Row = ("列名", "代码", "含义")


def write_word(path: Path, said: Agreement) -> None:
    """The document as .docx. Raises CallError without python-docx."""
    try:
        from docx import Document
        from docx.enum.section import WD_ORIENT
        from docx.oxml.ns import qn
        from docx.shared import Pt
    except ModuleNotFoundError as error:
        raise CallError("Word 接口文档需要 lidm 的 office 扩展：pip install 'lidm[office]'") from error
    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    style: Any = document.styles["Normal"]
    style.font.name, style.font.size = "宋体", Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")
    document.add_heading(said.title, 0)
    document.add_heading("一、约定事项", 1)
    _word_table(document, None, said.terms)
    document.add_heading("二、字段", 1)
    _word_table(document, _FIELDS, said.fields)
    if said.codes:
        document.add_heading("三、代码", 1)
        _word_table(document, _CODES, said.codes)
    document.add_heading("四、报送规则" if said.codes else "三、报送规则", 1)
    for number, rule in enumerate(said.rules, 1):
        document.add_paragraph(f"{number}. {rule}")
    document.add_heading("五、签署" if said.codes else "四、签署", 1)
    _word_table(document, None, said.signatures)
    document.save(str(path))


def _word_table(document: Any, header: Row | None, rows: tuple[Row, ...]) -> None:
    lines = [header, *rows] if header else list(rows)
    table = document.add_table(rows=len(lines), cols=len(lines[0]), style="Table Grid")
    for at, line in enumerate(lines):
        for cell, text in zip(table.rows[at].cells, line, strict=True):
            cell.text = text
            if header and at == 0:
                cell.paragraphs[0].runs[0].bold = True


def write_excel(path: Path, said: Agreement) -> None:
    """The document as .xlsx. Raises CallError without openpyxl."""
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font
    except ModuleNotFoundError as error:
        raise CallError("Excel 接口文档需要 lidm 的 office 扩展：pip install 'lidm[office]'") from error
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "接口约定"
    blocks = (("一、约定事项", None, said.terms), ("二、字段", _FIELDS, said.fields), ("三、代码", _CODES, said.codes))
    sheet.append([said.title])
    sheet["A1"].font = Font(bold=True, size=16)
    for title, header, rows in blocks:
        if rows:
            _excel_block(sheet, title, header, rows, Font(bold=True))
    _excel_block(sheet, "四、报送规则", None, tuple((rule,) for rule in said.rules), Font(bold=True))
    _excel_block(sheet, "五、签署", None, said.signatures, Font(bold=True))
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(vertical="top")
    for letter, width in zip("ABCDEFGH", (26, 36, 44, 8, 8, 14, 44, 20), strict=True):
        sheet.column_dimensions[letter].width = width
    book.save(path)


def _excel_block(sheet: Any, title: str, header: Row | None, rows: tuple[Row, ...], bold: Any) -> None:
    sheet.append([])
    sheet.append([title])
    sheet.cell(sheet.max_row, 1).font = bold
    if header:
        sheet.append(list(header))
        for cell in sheet[sheet.max_row]:
            cell.font = bold
    for row in rows:
        sheet.append(list(row))
