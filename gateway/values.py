"""What departments write in a cell, read strictly: what is not clearly a value is refused, never guessed or zero."""

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

SHANGHAI = timezone(timedelta(hours=8))
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
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?")


class BadValue(ValueError):
    """A cell that does not say what its column needs. Its text is a Chinese reason without the value."""


def fen(text: str) -> int:
    """元 in decimal as integer fen: `1,234.5` is 123450. At most two decimals that matter."""
    if text[-3:-2] == "." and len(text) <= _YUAN_DIGITS + 3:  # nearly every amount is written as 1234.50
        digits = text[:-3] + text[-2:]
        if digits.isdigit() and digits.isascii():
            return int(digits)
    return _fen(text)


@lru_cache(maxsize=100_000)
def _fen(text: str) -> int:
    """The same of any spelling."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.strip().replace(",", "")
    sign = -1 if text.startswith("-") else 1
    whole, _, cents = text.removeprefix("-").partition(".")
    cents = cents.rstrip("0")
    if not (whole + cents).isdigit() or len(cents) > 2 or len(whole) > _YUAN_DIGITS or not (whole + cents).isascii():
        raise BadValue("应为以元计的金额，最多两位小数")
    return sign * (int(whole or "0") * 100 + int((cents + "00")[:2]))


def day(text: str) -> date:
    """A date: 2026-05-14, 20260514, 2026/5/14 or 2026年5月14日."""
    folded = unicodedata.normalize("NFKC", text).strip().split(" ")[0].split("T")[0]
    try:
        if len(folded) == 8 and folded.isdigit():
            return date(int(folded[:4]), int(folded[4:6]), int(folded[6:]))
        match = _DATE.fullmatch(folded)
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise BadValue("这一天不存在") from error
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
    return when if when.tzinfo else when.replace(tzinfo=SHANGHAI)


def whole(text: str) -> int:
    """A whole number."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if not folded.isascii() or not folded.removeprefix("-").isdigit() or len(folded) > 18:
        raise BadValue("应为整数")
    return int(folded)


def truth(text: str) -> bool:
    """是 or 否."""
    folded = text.strip()
    if folded in {"是", "有", "1", "true"}:
        return True
    if folded in {"否", "无", "0", "false"}:
        return False
    raise BadValue("应填 是 或 否")


@lru_cache(maxsize=100)
def operation(text: str) -> str:
    """登记, 更正 or 冲销 as the envelope writes them."""
    found = OPERATIONS.get(text.strip())
    if found is None:
        raise BadValue("操作应为 登记、更正 或 冲销")
    return found
