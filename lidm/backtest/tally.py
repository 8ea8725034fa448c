"""Counts of households over both outcomes, partition by partition: a household lies in one, so counts add up. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from households.ledger import HOUSEHOLD, Household
from households.state import Episode
from lidm.backtest.spells import Outcome, Spell, days, monday, outcomes, spells
from policy.schemes import Schemes
from streams.backtest import Span

ANY = ""
"""In place of a detector: any of them."""


class Cell(NamedTuple):
    """What is counted together: a detector (`ANY`: whichever), the highest scheme then held, the responsible area."""

    detector: str
    scheme: str
    area: str


class Named(NamedTuple):
    """One household's difference under one detector. `day`: the first day of it."""

    household: str
    detector: str
    outcome: Outcome
    scheme: str
    area: str
    day: int


@dataclass
class Count:
    """Households: in force before and after, and those that differ."""

    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    longer: int = 0
    shorter: int = 0

    def add(self, other: "Count") -> None:
        """Puts another count on top."""
        self.before += other.before
        self.after += other.after
        self.gained += other.gained
        self.lost += other.lost
        self.longer += other.longer
        self.shorter += other.shorter


@dataclass
class Both:
    """Households to visit: as it was, and with the draft."""

    before: int = 0
    after: int = 0

    def add(self, other: "Both") -> None:
        """Puts another pair on top."""
        self.before += other.before
        self.after += other.after


@dataclass
class Tally:
    """Everything counted. `work`: by area and week, households of which something new was found; `standing`: by area,
    households of which something was in force when the window began."""

    households: Counter[str] = field(default_factory=Counter)
    cells: dict[Cell, Count] = field(default_factory=dict)
    work: dict[tuple[str, int], Both] = field(default_factory=dict)
    standing: dict[str, Both] = field(default_factory=dict)
    named: list[Named] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Puts the counts of other households on top."""
        self.households.update(other.households)
        for cell, count in other.cells.items():
            self.cells.setdefault(cell, Count()).add(count)
        for key, both in other.work.items():
            self.work.setdefault(key, Both()).add(both)
        for area, both in other.standing.items():
            self.standing.setdefault(area, Both()).add(both)
        self.named += other.named

    def by(self, key: Callable[[Cell], str], among: Callable[[Cell], bool]) -> dict[str, Count]:
        """Counts of some cells put together."""
        found: dict[str, Count] = {}
        for cell, count in self.cells.items():
            if among(cell):
                found.setdefault(key(cell), Count()).add(count)
        return found


def tally_household(
    into: Tally,
    household: Household,
    before: Sequence[Episode],
    after: Sequence[Episode],
    span: Span,
    schemes: Schemes,
) -> None:
    """Counts one household: its episodes as it was, and with the draft. The ledger is the same."""
    area = household.responsible_area
    if household.members_on(span.last):
        into.households[area] += 1
    if not before and not after:
        return
    theirs, ours = (spells(each, span.first, span.last) for each in (before, after))
    for detector in (ANY, *sorted({each.detector for each in (*theirs, *ours)})):
        one, other = (_days(found, detector, span.parts) for found in (theirs, ours))
        if one or other:
            scheme = household.tier_of(HOUSEHOLD, min(one | other), schemes)
            told = outcomes(one, other)
            into.cells.setdefault(Cell(detector, scheme, area), Count()).add(_count(one, other, told))
            if detector != ANY:
                into.named += [Named(household.id, detector, each, scheme, area, min(one ^ other)) for each in told]
    _work(into, area, theirs, ours, span.first)


def _days(found: Iterable[Spell], detector: str, since: int) -> set[int]:
    return days((each for each in found if detector in (ANY, each.detector)), since)


def _count(before: set[int], after: set[int], told: tuple[Outcome, ...]) -> Count:
    said = {"gained": 0, "lost": 0, "longer": 0, "shorter": 0} | dict.fromkeys(told, 1)
    return Count(int(bool(before)), int(bool(after)), **said)


def _work(into: Tally, area: str, before: list[Spell], after: list[Spell], first: int) -> None:
    """A household is visited once a week however much is found; what was found earlier stands when the span begins."""
    then, now = ({monday(each.opened) for each in found if each.opened >= first} for found in (before, after))
    for week in then | now:
        into.work.setdefault((area, week), Both()).add(Both(int(week in then), int(week in now)))
    stood, stands = (int(any(each.opened < first == each.begin for each in found)) for found in (before, after))
    if stood or stands:
        into.standing.setdefault(area, Both()).add(Both(stood, stands))
