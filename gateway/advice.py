"""How to mend what a check found, by code: one sentence a clerk can follow."""

from typing import Final

from gateway.problems import RowProblem
from gateway.reading import IDENTITY

_BY_CODE: Final = {
    "BAD_IDENTITY": "向本人或户籍资料核对证件号码；表格里先把该列设为“文本”再粘贴，不要用数值格式",
    "MISSING_FIELD": "补上该列；确实没有此项时核对是否填错了列",
    "NO_KEY": "更正和冲销须写明业务主键，与原记录一致",
    "SUM_MISMATCH": "核对各支付部分与总费用；金额单位须一致",
    "FUTURE_DATE": "核对日期；还没有发生的业务发生后再报",
    "TOO_OLD": "核对日期的年份",
    "PLAIN_IDENTITY": "证件号码只能写在证件号码列；其他列请删去或改用业务编号",
    "BAD_ENCODING": "把整个文件另存为一种编码（UTF-8 或 GB18030）后重填这些单元格",
    "NOT_JSON": "检查引号、逗号和括号；每行一个完整的 JSON 对象",
    "UNKNOWN_FIELD": "删去约定之外的字段，或在映射文件的 ignore 中写明",
    "WRONG_TYPE": "JSON 中金额写整数分、文字加引号；单位或写法不同请用映射文件",
    "TOO_LARGE": "缩短过长的文字",
    "AMOUNT_UNIT": "核对金额单位；映射文件里 unit 写明元、万元或分；金额属实请告知数据专员放行",
}
_BY_WORD: Final = (
    ("科学计数", "原号码或原数已丢失：从业务系统重新导出，导出前把该列设为“文本”"),
    ("前 15 位", "原号码已丢失：从业务系统重新导出，导出前把该列设为“文本”"),
    ("遮盖", "从业务系统导出不打码的数据；不得用 0 或猜测代替"),
    ("日期序号", "把该列设为日期格式，或在映射文件中写 date: [serial]"),
    ("只有年月", "写明日期，或在映射文件中写 date: [month_first]"),
    ("不存在", "核对年月日，如 2 月没有 30 日"),
    ("转换编码", "原文字已丢失：从业务系统重新导出，存成 UTF-8 或 GB18030，不要经别的软件转存"),
    ("字母", "把字母 O、I、l 改回数字 0、1"),
    ("合并", "取消合并单元格，逐行填写"),
    ("占位符", "确无此数请留空，不要写横线、星号或“无”"),
    ("应为以元计", "只写数字，如 1286.00；单位不是元时在映射文件中写 unit"),
    ("应为 ", "改为列出的取值之一；本单位的代码请在映射文件中写 codes 对照"),
    ("应为日期", "写成 2026-05-14"),
    ("应为月份", "写成 2026-05"),
)


def advice(problem: RowProblem) -> str:
    """How to mend one finding."""
    if problem.code == "BAD_IDENTITY" or problem.column == IDENTITY:
        known = next((text for word, text in _BY_WORD[:4] if word in problem.reason), None)
        return known or _BY_CODE["BAD_IDENTITY"]
    by_word = next((text for word, text in _BY_WORD if word in problem.reason), None)
    return by_word or _BY_CODE.get(problem.code, "按数据类说明改正：lidm feed describe")
