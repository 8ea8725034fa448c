"""The simulated time of the city: months, weeks and the moments files arrive, all in Asia/Shanghai."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schemas.calendar import SHANGHAI

TAIL_WEEKS = 3  # after the last month: its files arrive by day 12, and their alerts must settle


def month_start(first: date, offset: int) -> date:
    """First day of the month `offset` months after the one `first` lies in."""
    number = first.year * 12 + first.month - 1 + offset
    return date(number // 12, number % 12 + 1, 1)


def month_name(day: date) -> str:
    """`2025-01`, as periods are written."""
    return f"{day.year:04d}-{day.month:02d}"


def years_before(day: date, years: int, days: int = 0) -> date:
    """A date `years` years and `days` days before `day`; 29 February becomes 28."""
    earlier = day.year - years
    return date(earlier, day.month, min(day.day, 28)) - timedelta(days=days)


def years_after(day: date, years: int) -> date:
    """The same day some years later; 29 February becomes 28."""
    return date(day.year + years, day.month, day.day if (day.month, day.day) != (2, 29) else 28)


def months_after(day: date, months: int) -> date:
    """The same day of the month some months later; planted days are never after the 28th."""
    return month_start(day, months) + timedelta(days=day.day - 1)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of the simulated city's wall clock."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def millis(moment: datetime) -> int:
    """Milliseconds since 1970, as brokers count."""
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Span:
    """The simulated period: `months` whole months from `first`, cut into weeks that end with a tick."""

    first: date
    months: int

    def month(self, offset: int) -> date:
        """First day of month number `offset` (0 is the first simulated month; negative lies before)."""
        return month_start(self.first, offset)

    @property
    def end(self) -> date:
        """The day after the last simulated month."""
        return self.month(self.months)

    def weeks(self) -> Iterator[tuple[int, date, date]]:
        """(number, first day, day after) of every simulated week, with the tail in which last files arrive."""
        number, day = 0, self.first
        last = self.end + timedelta(weeks=TAIL_WEEKS)
        while day < last:
            yield number, day, day + timedelta(days=7)
            number, day = number + 1, day + timedelta(days=7)

    @property
    def last_tick(self) -> date:
        """The date of the last tick: what is in force then is what the truth compares."""
        return max(after for _, _, after in self.weeks())
