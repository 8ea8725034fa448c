"""Days and months of a feed in China, by when a month is due, and since when it is whole."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schemas.calendar import SHANGHAI
from schemas.feed_reports import HoldReport, ReadingReport, decode_report
from schemas.topics import Catalogue
from sinks.store import AlertStore

Name = tuple[str, str]
"""Source and number of a batch."""


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


def due_of(month: str, feed: str, catalogue: Catalogue) -> date | None:
    """By when the period is to be closed; None where the feed closes nothing."""
    cadence = catalogue.cadence(feed)
    if cadence.closes is None:
        return None
    due = following(month)
    last = (date.fromisoformat(f"{following(due)}-01") - timedelta(days=1)).day
    return date.fromisoformat(f"{due}-{min(cadence.by_day, last):02d}")


def closing_of(
    store: AlertStore, feed: str, month: str, catalogue: Catalogue, told: Iterable[HoldReport] = ()
) -> Closing:
    """When the month's first complete batch was known in every partition it has parts in, and what all of them hold.

    A batch is its number within its source. Rows of increments add up; of batches that stand for the whole month the
    newest counts, of a feed of several producers the newest of each. Of the batches that had to wait for a person
    (`told`) only released ones close anything.
    """
    states = {(each.source, each.batchid): each.state for each in told}
    begin, _ = bounds(month)
    rows = store.query(
        "SELECT DISTINCT json FROM feed_reading WHERE feed = %(feed)s AND known_at_ms >= %(begin)s "
        "AND position(json, %(period)s) > 0",
        {"feed": feed, "begin": begin, "period": json.dumps(month)},
    )
    parts: dict[Name, dict[int, tuple[int, int]]] = {}
    modes: dict[Name, str] = {}
    last = store.query("SELECT max(`partition`) FROM feed_reading WHERE feed = %(feed)s", {"feed": feed})
    partitions = int(str(last[0][0])) + 1  # manifests go to every partition, so every one has been read
    for (body,) in rows:
        found = decode_report(str(body).encode())
        if isinstance(found, ReadingReport):
            for part in found.closed:
                name = (part.source, part.batchid)
                if part.period == month and states.get(name, "released") == "released":
                    parts.setdefault(name, {})[found.partition] = (found.known_ms, part.rows)
                    modes[name] = part.mode
    ended = {name: max(ms for ms, _ in each.values()) for name, each in parts.items() if len(each) >= partitions}
    held = {name: sum(n for _, n in parts[name].values()) for name in ended}
    closed = day_of(min(ended.values())) if ended else None
    waits = "held" in states.values()
    several = catalogue.cadence(feed).several
    volume = sum(
        _volume([name for name in ended if name[0] == source or not several], ended, held, modes)
        for source in ({name[0] for name in ended} if several else {""})
    )
    return Closing(month, due_of(month, feed, catalogue), closed, volume, waits)


def _volume(
    names: Sequence[Name], ended: Mapping[Name, int], held: Mapping[Name, int], modes: Mapping[Name, str]
) -> int:
    """Rows of the newest batch that stands for the whole month, else of all increments."""
    newest = max((name for name in names if modes[name] != "delta"), key=lambda name: ended[name], default=None)
    return held[newest] if newest else sum(held[name] for name in names)


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


def before(month: str) -> str:
    """The month before."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04d}-{(number - 2) % 12 + 1:02d}"


def day_of(at_ms: int) -> date:
    """The day in China."""
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).date()
