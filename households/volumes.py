"""How many rows closed months had, and which of them are too short to be whole: their absences are no answer.

A batch whose manifest counts what was sent closes its month even where the department's own export broke off half way.
Everybody whose row is missing would then count as absent. So a month delivered as an increment that brings far less
than the four before it stays in doubt until more of it comes, or until a batch replaces the month, which is counted
against what is there and held for a person where too much is gone (`households.holding`). A month declared empty is
told on purpose and never doubted.
"""

from statistics import median
from typing import NamedTuple

import msgspec

_BEFORE = 4
_KEPT_MONTHS = 24


class Least(NamedTuple):
    """Below which percentage of the median of the months before a month is in doubt, where that median is `rows`."""

    percent: int
    rows: int


class Month(msgspec.Struct, array_like=True):
    """Rows of the increments of a month, and of the newest batch that stood for the whole of it, if any did."""

    added: int = 0
    whole: int | None = None
    begun_ms: int = 0

    @property
    def rows(self) -> int:
        """What the month is taken to have."""
        return self.added if self.whole is None else self.whole


class Volumes(msgspec.Struct, array_like=True):
    """Months by feed, source and the areas a batch names (`a+b`); `short`: those in doubt."""

    months: dict[str, dict[str, dict[str, dict[int, Month]]]] = {}
    short: dict[str, dict[str, dict[str, list[int]]]] = {}

    def note(
        self, feed: str, source: str, areas: tuple[str, ...], month: int, rows: int, begun_ms: int, *, whole: bool
    ) -> None:
        """A batch closed; the order in which batches close decides nothing."""
        months = self.months.setdefault(feed, {}).setdefault(source, {}).setdefault(_key(areas), {})
        known = months.setdefault(month, Month())
        if not whole:
            known.added += rows
        elif known.whole is None or begun_ms >= known.begun_ms:
            known.whole, known.begun_ms = rows, begun_ms
        for old in sorted(months)[:-_KEPT_MONTHS]:
            del months[old]

    def judge(self, feed: str, source: str, areas: tuple[str, ...], least: Least | None) -> None:
        """Which months of a source are in doubt now where a batch of these areas closed; None: none is.

        What other batches name keeps what its own line said of it when it closed last.
        """
        key, short = _key(areas), self.short.setdefault(feed, {}).setdefault(source, {})
        months = self.months.get(feed, {}).get(source, {}).get(key, {})
        short[key] = [month for month in sorted(months) if least is not None and _too_few(months, month, least)]

    def doubts(self, feed: str, source: str, month: int, area: str) -> bool:
        """Whether every batch of a source that spoke of the month for an area leaves it in doubt."""
        short = self.short.get(feed, {}).get(source, {})
        if not any(short.values()):
            return False
        spoken = self.months[feed][source].items()
        told = [areas for areas, months in spoken if month in months and area in areas.split("+")]
        return bool(told) and all(month in short.get(areas, ()) for areas in told)


def _key(areas: tuple[str, ...]) -> str:
    return "+".join(sorted(areas))


def _too_few(months: dict[int, Month], month: int, least: Least) -> bool:
    known = months[month]
    before = [months[each].rows for each in sorted(months) if each < month][-_BEFORE:]
    if known.whole is not None or not known.added or len(before) < _BEFORE:
        return False
    usual = int(median(before))
    return usual >= max(1, least.rows) and known.added * 100 < least.percent * usual
