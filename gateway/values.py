"""What departments write in a cell, read strictly: what is not clearly a value is refused, never guessed or zero."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from schemas.calendar import SHANGHAI

OPERATIONS = {
    "": "record",
    "登记": "record",
    "新增": "record",
    "更正": "correct",
    "冲销": "reverse",
    "撤销": "reverse",
    "record": "record",
    "correct": "correct",
    "reverse": "reverse",
}

_YUAN_DIGITS = 15
FILLERS = frozenset(
    {"-", "--", "—", "——", "/", "\\", "无", "空", "*", "**", "***", "#N/A", "#VALUE!", "#REF!", "NULL", "null"}
)
"""What people write where there is nothing to write."""

_EXCEL_DAY_0 = date(1899, 12, 30)
_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_SCIENCE = re.compile(r"-?\d(\.\d+)?[Ee][+-]?\d+")
_LETTERS = re.compile(r"\d[A-Za-z]|[A-Za-z]\d")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?")


class BadValue(ValueError):
    """A cell that does not say what its column needs. Its text is a Chinese reason without the value."""


LOST = "有字在转换编码时丢失（变成了“�”）"


def word(text: str) -> str:
    """Text as it stands, where no character of it was lost: two that were lost are no longer two names or keys."""
    if "�" in text:
        raise BadValue(LOST)
    return text.strip()


def fen(text: str) -> int:
    """元 in decimal as integer fen: `1,234.5` is 123450. At most two decimals that matter."""
    if text[-3:-2] == "." and 3 < len(text) <= _YUAN_DIGITS + 3:  # nearly every amount is written as 1234.50
        digits = text[:-3] + text[-2:]
        if digits.isdigit() and digits.isascii():
            return int(digits)
    return _fen(text)


@lru_cache(maxsize=100_000)
def _fen(text: str) -> int:
    """The same of any spelling."""
    text = _digits(text).replace(",", "")
    sign = -1 if text.startswith("-") else 1
    whole, _, cents = text.removeprefix("-").partition(".")
    cents = cents.rstrip("0")
    if not (whole + cents).isdigit() or len(cents) > 2 or len(whole) > _YUAN_DIGITS or not (whole + cents).isascii():
        raise BadValue(spoiled(text) or "应为以元计的金额，最多两位小数")
    return sign * (int(whole or "0") * 100 + int((cents + "00")[:2]))


@lru_cache(maxsize=50_000)
def money(text: str, fen_per_unit: int) -> int:
    """An amount in another unit (万元 1,000,000 fen, 分 1) as integer fen; what is no whole fen is refused."""
    folded = _digits(text).replace(",", "")
    try:
        exact = Decimal(folded) * fen_per_unit if _NUMBER.fullmatch(folded) else None
    except InvalidOperation:
        exact = None
    if exact is None or exact != int(exact):
        raise BadValue(spoiled(folded) or "应为金额，换算后最多到分")
    return int(exact)


def _digits(text: str) -> str:
    """Text in half-width forms. A raised or circled figure is a footnote, not a digit: 1286² is not 12,862."""
    if text.isascii():
        return text.strip()
    if any(unicodedata.category(char) == "No" for char in text):
        raise BadValue("数字里有上标、带圈或分数字符（多半是脚注），不能当作数字：请填写原数")
    return unicodedata.normalize("NFKC", text).strip()


def spoiled(text: str) -> str | None:
    """Why a text that should be a number is none, where a habit of departments explains it. It is never a zero."""
    if "*" in text or "＊" in text:
        return "数字被 * 遮盖，不能当作 0：请填写原数"
    if _SCIENCE.fullmatch(text):
        return "数字被表格软件改成科学计数：请把单元格设为数值后重填"
    if _LETTERS.search(text):
        return "数字中混有字母（请检查字母 O 与数字 0、字母 l 与数字 1）"
    return "是占位符，不是数字：确无此数请留空" if text in FILLERS else None


def serial(text: str) -> date:
    """The day an Excel serial number stands for, as workbooks of Windows count: 45292 is 2024-01-01."""
    folded = unicodedata.normalize("NFKC", text).strip().removesuffix(".0")
    if len(folded) != 5 or not folded.isdecimal() or not 20_000 <= int(folded) <= 73_050:
        raise BadValue("应为日期，如 2026-05-14")
    return _EXCEL_DAY_0 + timedelta(days=int(folded))


def day(text: str) -> date:
    """A date: 2026-05-14, 20260514, 2026/5/14 or 2026年5月14日."""
    folded = unicodedata.normalize("NFKC", text).strip().split(" ")[0].split("T")[0]
    try:
        if len(folded) == 8 and folded.isdecimal():
            return date(int(folded[:4]), int(folded[4:6]), int(folded[6:]))
        match = _DATE.fullmatch(folded)
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise BadValue("这一天不存在") from error
    if len(folded) == 5 and folded.isdecimal() and 20_000 <= int(folded) <= 73_050:
        raise BadValue("像是表格软件的日期序号：请把该列设为日期格式，或在映射文件中写明 date: [serial]")
    if _MONTH.fullmatch(folded) and not folded.isdecimal():
        raise BadValue("只有年月没有日：请写明日期，或在映射文件中写明 date: [month_first]")
    raise BadValue("应为日期，如 2026-05-14")


@lru_cache(maxsize=50_000)
def day_iso(text: str) -> str:
    """The same as YYYY-MM-DD."""
    return day(text).isoformat()


@lru_cache(maxsize=5_000)
def month(text: str) -> str:
    """A month as YYYY-MM, from 2026-05, 202605, 2026/5 or 2026年5月."""
    match = _MONTH.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not match or not 1 <= int(match[2]) <= 12:
        raise BadValue("应为月份，如 2026-05")
    return f"{match[1]}-{int(match[2]):02d}"


@lru_cache(maxsize=50_000)
def moment(text: str) -> datetime:
    """A point in time; without a zone it is Beijing time, a bare date is its midnight."""
    folded = unicodedata.normalize("NFKC", text).strip().replace("/", "-")
    try:
        when = datetime.fromisoformat(folded)
    except ValueError as error:
        raise BadValue("应为时间，如 2026-05-14 09:30:00") from error
    if not 1 < when.year < 9999:  # in another zone it may be a year that no calendar has
        raise BadValue("这一年不可能")
    return when if when.tzinfo else when.replace(tzinfo=SHANGHAI)


def whole(text: str) -> int:
    """A whole number."""
    folded = _digits(text)
    if not folded.isascii() or not folded.removeprefix("-").isdigit() or len(folded) > 18:
        raise BadValue(spoiled(folded) or "应为整数")
    return int(folded)


def month_first(text: str) -> date:
    """The first day of a month."""
    year, _, number = month(text).partition("-")
    return date(int(year), int(number), 1)


def month_last(text: str) -> date:
    """The last day of a month."""
    first = month_first(text)
    return date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(days=1)


@lru_cache(maxsize=100)
def operation(text: str) -> str:
    """登记, 更正 or 冲销 as the envelope writes them."""
    found = OPERATIONS.get(text.strip())
    if found is None:
        raise BadValue("操作应为 登记、更正 或 冲销")
    return found


DAYS: dict[str, Callable[[str], date]] = {
    "written": day,
    "serial": serial,
    "month_first": month_first,
    "month_last": month_last,
}
