"""Chinese working days: the State Council's holiday calendar with 调休, an override list for what is newer than it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar


@dataclass(frozen=True)
class WorkCalendar:
    """Answers whether a day is worked. Years without a published calendar count Monday to Friday (`known` is False)."""

    off: Collection[date] = field(default=frozenset())
    work: Collection[date] = field(default=frozenset())

    def known(self, day: date) -> bool:
        """Whether the holiday calendar of the day's year is published."""
        try:
            chinese_calendar.is_workday(day)
        except NotImplementedError:
            return day in self.off or day in self.work
        return True

    def is_workday(self, day: date) -> bool:
        """Whether people work on `day`: overrides first, then the calendar, then Monday to Friday."""
        if day in self.off or day in self.work:
            return day in self.work
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return day.weekday() < 5

    def after(self, day: date, days: int) -> date:
        """The `days`-th working day after `day` (0: the day itself)."""
        while days > 0:
            day += timedelta(days=1)
            days -= self.is_workday(day)
        return day

    def between(self, day: date, end: date) -> int:
        """Working days after `day` up to and including `end`."""
        return sum(self.is_workday(day + timedelta(days=n)) for n in range(1, (end - day).days + 1))
