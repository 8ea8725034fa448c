"""Which months of which feed are complete for which areas, by the source that closed them."""

from typing import NamedTuple

import msgspec

from households.holding import WHOLE
from households.volumes import Least, Volumes
from households.wholes import EVERYWHERE, by_month

STILL_SENDS = 12
"""A source is expected to close a month when it closed one of so many before it."""


class Closed(NamedTuple):
    """A batch whose parts are all there. `areas` empty: everywhere; `source` "": of an older log, of all."""

    feed: str
    batchid: str
    month: int
    areas: tuple[str, ...]
    mode: str
    begun_ms: int
    source: str = ""

    @property
    def replaces(self) -> bool:
        """Whether what the batch does not repeat has ended or counts as reversed."""
        return self.mode in WHOLE

    @property
    def snapshot(self) -> bool:
        """Whether it speaks of more than its month: of everything that began up to its end."""
        return self.mode == "full_snapshot" and not by_month(self.feed)

    @property
    def named(self) -> tuple[str, ...]:
        """The areas, `*` where none is named."""
        return self.areas or (EVERYWHERE,)

    def names(self, chain: tuple[str, ...]) -> bool:
        """Whether it speaks of an area, given it and everything above it."""
        return EVERYWHERE in self.named or not set(self.areas).isdisjoint(chain)


class Closings(msgspec.Struct, array_like=True):
    """Months closed, by feed, source and area; and how many rows they had."""

    months: dict[str, dict[str, dict[str, list[int]]]] = {}
    volumes: Volumes = msgspec.field(default_factory=Volumes)

    def note(self, closed: Closed, rows: int, least: Least | None) -> None:
        """A batch closed."""
        feed, source, named = closed.feed, closed.source, closed.named
        areas = self.months.setdefault(feed, {}).setdefault(source, {})
        for area in named:
            areas[area] = sorted({*areas.get(area, ()), closed.month})
        self.volumes.note(feed, source, named, closed.month, rows, closed.begun_ms, whole=closed.replaces)
        self.volumes.judge(feed, source, named, least)

    def closed(self, feed: str, month: int, chain: tuple[str, ...], *, several: bool) -> bool:
        """Whether the month is complete, and not too short to be, for an area, given it and everything above it.

        `several`: each source has to have closed it that closed any of the months before (`STILL_SENDS`).
        """
        sources, above = self.months.get(feed, {}), (*chain, EVERYWHERE)
        if not several:
            return any(self._closed_by(feed, source, month, above) for source in sources)
        since = month - STILL_SENDS
        expected = [
            source
            for source, areas in sources.items()
            if any(since <= each <= month for area in above for each in areas.get(area, ()))
        ]
        return bool(expected) and all(self._closed_by(feed, source, month, above) for source in expected)

    def last(self, feed: str, chain: tuple[str, ...], *, several: bool) -> int | None:
        """The newest month that is complete for an area."""
        sources, above = self.months.get(feed, {}), (*chain, EVERYWHERE)
        known = {month for areas in sources.values() for area in above for month in areas.get(area, ())}
        newest = (month for month in sorted(known, reverse=True) if self.closed(feed, month, chain, several=several))
        return next(newest, None)

    def _closed_by(self, feed: str, source: str, month: int, above: tuple[str, ...]) -> bool:
        areas, doubts = self.months[feed][source], self.volumes.doubts
        return any(month in areas.get(area, ()) and not doubts(feed, source, month, area) for area in above)
