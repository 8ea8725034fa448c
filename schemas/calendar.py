"""Days and months as feeds write them, in the numbers facts carry."""

from datetime import date, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def ordinal(day: date | None) -> int | None:
    """Ordinal of a day; None stays None."""
    return None if day is None else day.toordinal()


def first_of(month: str) -> int:
    """Ordinal of the first day of `2026-05`."""
    return date(int(month[:4]), int(month[5:]), 1).toordinal()


def month_number(month: str) -> int:
    """`2026-05` as year * 12 + month - 1."""
    return int(month[:4]) * 12 + int(month[5:]) - 1
