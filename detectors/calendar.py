"""Day arithmetic on ordinals: years and months as people count them, ages, and the dates they fall on."""

from datetime import date
from functools import lru_cache

from schemas.facts import first_day, month_of


@lru_cache(maxsize=4096)
def year_ago(day: int) -> int:
    """The same date a year earlier; 29 February becomes 28 February."""
    when = date.fromordinal(day)
    try:
        return when.replace(year=when.year - 1).toordinal()
    except ValueError:
        return when.replace(year=when.year - 1, day=28).toordinal()


@lru_cache(maxsize=4096)
def anniversary(day: int) -> int:
    """The first day whose `year_ago` is not before `day`: a bill of `day` is out of the rolling year from then on."""
    when = date.fromordinal(day)
    try:
        return when.replace(year=when.year + 1).toordinal()
    except ValueError:
        return date(when.year + 1, 3, 1).toordinal()


def months_later(day: int, months: int) -> int:
    """The same date some months later; where the month is shorter, its last day."""
    when = date.fromordinal(day)
    month = month_of(day) + months
    last = first_day(month + 1) - first_day(month)
    return first_day(month) + min(when.day, last) - 1


def birthday(born: int, age: int) -> int:
    """The day somebody turns `age`; born on 29 February: 1 March in other years."""
    when = date.fromordinal(born)
    try:
        return when.replace(year=when.year + age).toordinal()
    except ValueError:
        return date(when.year + age, 3, 1).toordinal()


def school_year(day: int) -> int:
    """The year in which the school year of a day began, on 1 September."""
    when = date.fromordinal(day)
    return when.year if when.month >= 9 else when.year - 1


def month_text(month: int) -> str:
    """A month number as people write it: `2026年5月`."""
    return f"{month // 12}年{month % 12 + 1}月"


def day_text(day: int) -> str:
    """A day ordinal as people write it: `2026年5月14日`."""
    when = date.fromordinal(day)
    return f"{when.year}年{when.month}月{when.day}日"
