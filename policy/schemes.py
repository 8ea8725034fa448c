"""The dated catalogue of assistance schemes 救助类别: label and rank. A person counts under the highest rank held."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

OTHER = "OTHER"


@dataclass(frozen=True)
class Ranked:
    """A scheme's rank on half-open day ordinals [since, until); a larger rank goes first."""

    since: int
    until: int
    rank: int


@dataclass(frozen=True)
class Scheme:
    """One scheme with its Chinese label and its dated ranks."""

    code: str
    label: str
    ranks: tuple[Ranked, ...]


class Schemes:
    """Schemes by code. Days are `date` or proleptic ordinals; an unknown or not yet valid scheme has rank 0."""

    def __init__(self, schemes: Mapping[str, Scheme]) -> None:
        self._schemes = dict(schemes)

    def codes(self) -> frozenset[str]:
        """Every known code."""
        return frozenset(self._schemes)

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
