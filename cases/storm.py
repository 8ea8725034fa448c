"""Whether a rule suddenly opens far more cases than it did with the same files of earlier months. Pure.

A department's file comes once a month and what follows from it opens within a day: so a day is compared with the
fullest days of the months before. Cases beyond the limit wait for a person; those before it are worked.
"""

from collections.abc import Mapping
from datetime import date
from statistics import median_high

from cases.grouping import Grouping, StormLine
from schemas.case_words import Lane
from schemas.cases import AlertNote


def storm_name(detector: str, on: date) -> str:
    """What a storm is called: rule and day."""
    return f"{detector}/{on.isoformat()}"


def limit(opened: Mapping[date, int], on: date, line: StormLine, partitions: int) -> int | None:
    """Cases of one rule that one partition opens on a day; None in the rule's first month, which nothing compares with.

    `opened`: cases of the rule by day in this partition. The least number counts for all partitions together.
    """
    first = min(opened, default=on)
    months = [month for month in _before(on, line.months) if month >= (first.year, first.month)]
    if not months:
        return None
    fullest = [max((n for day, n in opened.items() if (day.year, day.month) == month), default=0) for month in months]
    return max(-(-line.least // partitions), line.times * median_high(fullest))


def storm_of(
    note: AlertNote, lane: Lane, on: date, opened: Mapping[date, int], rules: Grouping, partitions: int
) -> str | None:
    """The storm a new case belongs to; None where its rule opens no more cases that day than its files usually bring.

    The stock at golive has portions of its own; what is urgent never waits.
    """
    today = opened.get(on, 0)
    if note.baseline or rules.is_urgent(note, lane) or today * partitions < rules.storm.least:
        return None
    most = limit(opened, on, rules.storm, partitions)
    return storm_name(note.detector, on) if most is not None and today >= most else None


def _before(on: date, count: int) -> list[tuple[int, int]]:
    """The months before a day's, the newest first."""
    numbers = [on.year * 12 + on.month - 1 - back for back in range(1, count + 1)]
    return [(number // 12, number % 12 + 1) for number in numbers]
