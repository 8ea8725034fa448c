"""Things that are so for some time, and since when without a break. Days are ordinals, spans half-open."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Generic, NamedTuple, Protocol, TypeVar

from households.queries import FOREVER

Item = TypeVar("Item")


class Stretch(NamedTuple):
    """Days [first, after)."""

    first: int
    after: int


class Span(NamedTuple, Generic[Item]):
    """Something that counts on [first, after)."""

    first: int
    after: int
    item: Item


class _Bounded(Protocol):
    @property
    def first(self) -> int: ...
    @property
    def after(self) -> int: ...


def inside(stretches: Iterable[_Bounded], day: int) -> bool:
    """Whether any of them has the day."""
    return any(each.first <= day < each.after for each in stretches)


def ends(stretches: Iterable[_Bounded]) -> set[int]:
    """Days on which one of them begins or has ended."""
    return {day for each in stretches for day in (each.first, each.after) if day < FOREVER}


def holding(spans: Iterable[Span[Item]], day: int) -> list[Item]:
    """What counts on a day, in the order given."""
    return [each.item for each in spans if each.first <= day < each.after]


def unbroken(edges: Iterable[int], true_on: Callable[[int], bool], today: int) -> int | None:
    """The first day from which something has been true up to today; None when it is not.

    `edges`: every day on which the answer may differ from the day before.
    """
    if not true_on(today):
        return None
    began = today
    for day in sorted({each for each in edges if each <= today}, reverse=True):
        if not true_on(day):
            break
        began = day
    return began


def unbroken_since(spans: Sequence[Span[Item]], today: int, enough: Callable[[list[Item]], bool]) -> int | None:
    """The first day of the unbroken stretch, up to today, on which enough counts; None when it does not today."""
    return unbroken(ends(spans), lambda day: enough(holding(spans, day)), today)


def answered_since(edges: Iterable[int], ask: Callable[[int], object | None], today: int) -> int | None:
    """The first day from which a question has had an answer up to today; None when it has none."""
    return unbroken(edges, lambda day: ask(day) is not None, today)


def next_edge(edges: Iterable[int], today: int) -> date | None:
    """The first of these days after today."""
    day = min((each for each in edges if each > today), default=None)
    return None if day is None else date.fromordinal(day)
