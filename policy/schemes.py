"""The dated catalogue of assistance schemes 救助类别: label and rank. A person counts under the highest rank held."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

OTHER = "OTHER"


@dataclass(frozen=True)
class Ranked:
    """A scheme's rank on half-open day ordinals [since, until); a larger rank goes first."""

    since: int
    until: int
    rank: int

    @property
    def turns(self) -> tuple[int, ...]:
        """Days on which it begins and ends; nothing ends on the last day there is."""
        return (self.since,) if self.until == date.max.toordinal() else (self.since, self.until)


@dataclass(frozen=True)
class Local:
    """An area's own ranks: from `since` on they count there and below, before it those of the areas above."""

    area: str
    since: int
    ranks: tuple[Ranked, ...]

    @property
    def turns(self) -> tuple[int, ...]:
        """Its first day and those of its ranks."""
        return (self.since, *(day for each in self.ranks for day in each.turns))


@dataclass(frozen=True)
class Scheme:
    """One scheme with its Chinese label, its dated ranks, and where they differ."""

    code: str
    label: str
    ranks: tuple[Ranked, ...]
    places: tuple[Local, ...] = ()

    @property
    def turns(self) -> tuple[int, ...]:
        """Days on which it is ranked otherwise anywhere."""
        ends = (day for each in self.ranks for day in each.turns)
        return (*ends, *(day for each in self.places for day in each.turns))

    def within(self, chain: Sequence[str]) -> "Scheme":
        """The same with the ranks of the nearest area on top of those of the areas above it."""
        ranks = self.ranks
        for area in reversed(chain):
            for own in (each for each in self.places if each.area == area):
                earlier = (replace(each, until=min(each.until, own.since)) for each in ranks if each.since < own.since)
                ranks = (*earlier, *own.ranks)
        return self if ranks == self.ranks else Scheme(self.code, self.label, ranks)


class Schemes:
    """Schemes by code. Days are `date` or proleptic ordinals; an unknown or not yet valid scheme has rank 0."""

    def __init__(self, schemes: Mapping[str, Scheme]) -> None:
        self._schemes = dict(schemes)
        self._local = any(each.places for each in schemes.values())
        self._within: dict[tuple[str, ...], Schemes] = {}
        self._turns = sorted({day for each in schemes.values() for day in each.turns})

    def within(self, chain: tuple[str, ...]) -> "Schemes":
        """The catalogue as the first of these areas, each below the next, ranks it; where none differs the same one."""
        if not self._local:
            return self
        found = self._within.get(chain)
        if found is None:
            own = {code: each.within(chain) for code, each in self._schemes.items()}
            same = all(own[code] is each for code, each in self._schemes.items())
            found = self._within[chain] = self if same else Schemes(own)
        return found

    def codes(self) -> frozenset[str]:
        """Every known code."""
        return frozenset(self._schemes)

    def era(self, on: date | int) -> int:
        """Days of the same era rank every scheme alike, here and everywhere."""
        return bisect_right(self._turns, on if isinstance(on, int) else on.toordinal())

    def next_change(self, on: date) -> date | None:
        """The first day after `on` on which any scheme is ranked otherwise anywhere; None when none is planned."""
        era = self.era(on)
        return date.fromordinal(self._turns[era]) if era < len(self._turns) else None

    def label(self, code: str) -> str:
        """The Chinese label; a local code without entry is shown as it is."""
        scheme = self._schemes.get(code)
        return scheme.label if scheme else code

    def rank(self, code: str, on: date | int) -> int:
        """Rank of the scheme on that day, 0 when it does not count."""
        scheme = self._schemes.get(code)
        if scheme is None:
            return 0
        day = on if isinstance(on, int) else on.toordinal()
        return next((each.rank for each in scheme.ranks if each.since <= day < each.until), 0)

    def highest(self, codes: Iterable[str], on: date | int) -> str:
        """The code with the highest rank, `OTHER` when none counts."""
        best, best_rank = OTHER, 0
        for code in codes:
            rank = self.rank(code, on)
            if rank > best_rank:
                best, best_rank = code, rank
        return best
