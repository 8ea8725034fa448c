"""Things that count for some time, and since when enough of them count together. Days are ordinals, half-open."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Span(NamedTuple, Generic[Item]):
    """Something that counts on [first, after)."""

    first: int
    after: int
    item: Item


def holding(spans: Iterable[Span[Item]], day: int) -> list[Item]:
    """What counts on a day, in the order given."""
    return [each.item for each in spans if each.first <= day < each.after]


def unbroken_since(spans: Sequence[Span[Item]], today: int, enough: Callable[[list[Item]], bool]) -> int | None:
    """The first day of the unbroken stretch, up to today, on which enough counts; None when it does not today."""
    since = None
    for day in sorted({edge for each in spans for edge in (each.first, each.after) if edge <= today}):
        since = (day if since is None else since) if enough(holding(spans, day)) else None
    return since


def next_edge(spans: Iterable[Span[Item]], today: int) -> date | None:
    """The first later day on which something begins or ceases to count."""
    days = (edge for each in spans for edge in (each.first, each.after) if edge > today)
    day = min(days, default=None)
    return date.fromordinal(day) if day is not None else None
