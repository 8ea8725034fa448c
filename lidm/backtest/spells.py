"""What a household's episodes come to inside a window, and how two outcomes for one household differ. Pure.

A day counts by its end: what was found and was over again on the same day was never in force.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from households.state import Episode

Outcome = Literal["gained", "lost", "longer", "shorter"]


class Spell(NamedTuple):
    """Days [begin, after) of a window on which an episode was in force; `opened`: the day it was found. Ordinals."""

    detector: str
    opened: int
    begin: int
    after: int


def spells(episodes: Iterable[Episode], first: int, last: int) -> list[Spell]:
    """What was in force at the end of some day of the window, both its ends included.

    An episode keeps its first opening and its newest end: an interruption in between counts as in force.
    """
    found = []
    for each in episodes:
        begin = max(each.opened_on, first)
        after = min(last + 1, each.ended_on) if each.ended_on is not None else last + 1
        if begin < after:
            found.append(Spell(each.detector, each.opened_on, begin, after))
    return found


def days(found: Iterable[Spell], since: int) -> set[int]:
    """Days from `since` on that any of these covers."""
    covered: set[int] = set()
    for each in found:
        covered.update(range(max(each.begin, since), each.after))
    return covered


def outcomes(before: set[int], after: set[int]) -> tuple[Outcome, ...]:
    """How days in force differ. Gained and lost stand alone; longer and shorter may both be true of one household."""
    if not before or not after:
        return ("gained",) if after else ("lost",) if before else ()
    said: tuple[Outcome, ...] = ("longer",) if after - before else ()
    return (*said, "shorter") if before - after else said


def monday(day: int) -> int:
    """The first day of a day's week: ordinal 1 was a Monday."""
    return day - (day - 1) % 7
