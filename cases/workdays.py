"""Chinese working days: the State Council's holiday calendar with 调休, an override list for what is newer than it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar


@dataclass(frozen=True)
class WorkCalendar:
    """Answers whether a day is worked. Years without a published calendar count Monday to Friday (`known` is False)."""

    off: Collection[date] = field(default=frozenset())
    work: Collection[date] = field(default=frozenset())

    def known(self, day: date) -> bool:
        """Whether the holiday calendar of the day's year is published."""
        return _published(day) is not None or day in self.off or day in self.work

    def is_workday(self, day: date) -> bool:
        """Whether people work on `day`: overrides first, then the calendar, then Monday to Friday."""
        if day in self.off or day in self.work:
            return day in self.work
        published = _published(day)
        return day.weekday() < 5 if published is None else published

    def after(self, day: date, days: int) -> date:
        """The `days`-th working day after `day` (0: the day itself)."""
        while days > 0:
            day += timedelta(days=1)
            days -= self.is_workday(day)
        return day

    def between(self, day: date, end: date) -> int:
        """Working days after `day` up to and including `end`."""
        return sum(self.is_workday(day + timedelta(days=n)) for n in range(1, (end - day).days + 1))


@lru_cache(maxsize=8192)  # the library searches its whole calendar for every answer
def _published(day: date) -> bool | None:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None
