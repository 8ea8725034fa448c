"""Days and months of a feed in China, by when a month is due, and since when it is whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from households.closings import STILL_SENDS
from schemas.calendar import SHANGHAI
from schemas.feed_reports import HoldReport, ReadingReport, decode_report
from schemas.topics import Catalogue
from sinks.store import AlertStore

Name = tuple[str, str]
"""Source and number of a batch."""
_CLOSED = '"closed":[['


@dataclass(frozen=True)
class Closing:
    """How a period was closed. `closed_on` None: not (wholly) closed; `due` None: this feed closes nothing.

    `waits`: it is delivered, but too much is missing from it, and nobody has said yet that this is right.
    """

    period: str
    due: date | None
    closed_on: date | None
    rows: int
    waits: bool = False

    def state(self, today: date) -> str:
        """按时, 迟报, 未到期, 未报, 待确认 or 不适用."""
        if self.due is None:
            return "不适用"
        if self.closed_on is None and self.waits:
            return "待确认"
        if self.closed_on is None:
            return "未到期" if today <= self.due else "未报"
        return "按时" if self.closed_on <= self.due else "迟报"


class _Ended(NamedTuple):
    """A batch all of whose ends were read: when the last was, how many rows all partitions hold."""

    name: Name
    period: str
    known_ms: int
    rows: int
    mode: str

    @property
    def source(self) -> str:
        return self.name[0]


def due_of(month: str, feed: str, catalogue: Catalogue) -> date | None:
    """By when the period is to be closed; None where the feed closes nothing."""
    cadence = catalogue.cadence(feed)
    if cadence.closes is None:
        return None
    due = following(month)
    last = (date.fromisoformat(f"{following(due)}-01") - timedelta(days=1)).day
    return date.fromisoformat(f"{due}-{min(cadence.by_day, last):02d}")


def closing_of(
    store: AlertStore, feed: str, month: str, catalogue: Catalogue, told: Sequence[HoldReport] = ()
) -> Closing:
    """When the month's first complete batch was known in every partition it has parts in, and what all of them hold.

    A batch is its number within its source. Rows of increments add up; of batches that stand for the whole month the
    newest counts. A feed of several producers is closed when the last of those that closed any month in the year before
    has closed it, and holds the rows of all. Of the batches that had to wait for a person (`told`) only released ones
    close anything; `told` is of every month.
    """
    states = {(each.source, each.batchid): each.state for each in told}
    several = catalogue.cadence(feed).several
    first = _back(month, STILL_SENDS) if several else month
    known = [each for each in _ended(store, feed, first) if states.get(each.name, "released") == "released"]
    ended = [each for each in known if each.period == month]
    sources = {each.source for each in known if each.period <= month} if several else {""}
    own = {source: [each for each in ended if each.source == source or not several] for source in sources}
    closed = None
    if ended and all(own.values()):
        closed = day_of(max(min(each.known_ms for each in batches) for batches in own.values()))
    waits = any(each.state == "held" for each in told if each.period == month)
    volume = sum(_volume(batches) for batches in own.values())
    return Closing(month, due_of(month, feed, catalogue), closed, volume, waits)


def _ended(store: AlertStore, feed: str, first: str) -> list[_Ended]:
    """Batches of this month and later ones whose ends were read in every partition."""
    rows = store.query(
        "SELECT DISTINCT json FROM feed_reading WHERE feed = %(feed)s AND known_at_ms >= %(begin)s "
        "AND position(json, %(some)s) > 0",
        {"feed": feed, "begin": bounds(first)[0], "some": _CLOSED},
    )
    last = store.query("SELECT max(`partition`) FROM feed_reading WHERE feed = %(feed)s", {"feed": feed})
    partitions = int(str(last[0][0])) + 1  # manifests go to every partition, so every one has been read
    parts: dict[tuple[Name, str], dict[int, tuple[int, int, str]]] = {}
    for (body,) in rows:
        found = decode_report(str(body).encode())
        if isinstance(found, ReadingReport):
            for part in found.closed:
                told = (found.known_ms, part.rows, part.mode)
                parts.setdefault(((part.source, part.batchid), part.period), {})[found.partition] = told
    whole = ((name, period, [*each.values()]) for (name, period), each in parts.items() if len(each) >= partitions)
    return [
        _Ended(name, period, max(ms for ms, _, _ in told), sum(rows for _, rows, _ in told), told[-1][2])
        for name, period, told in whole
        if period >= first
    ]


def _volume(batches: Sequence[_Ended]) -> int:
    """Rows of the newest batch that stands for the whole month, else of all increments."""
    whole = [each for each in batches if each.mode != "delta"]
    return max(whole, key=lambda each: each.known_ms).rows if whole else sum(each.rows for each in batches)


def bounds(month: str) -> tuple[int, int]:
    """The month in China as half-open milliseconds."""
    first, after = (datetime.fromisoformat(f"{each}-01T00:00:00+08:00") for each in (month, following(month)))
    return int(first.timestamp() * 1000), int(after.timestamp() * 1000)


def day_bounds(day: date) -> tuple[int, int]:
    """The day in China as half-open milliseconds."""
    begin = int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp() * 1000)
    return begin, begin + 86_400_000


def following(month: str) -> str:
    """The month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def _back(month: str, count: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def before(month: str) -> str:
    """The month before."""
    return _back(month, 1)


def day_of(at_ms: int) -> date:
    """The day in China."""
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).date()
