"""Amounts by order of magnitude: enough to see that a file is in another unit, little enough to keep for every feed.

A histogram counts amounts other than 0 by the number of binary digits of their fen, so neighbours differ by a factor
of two and ten thousand is thirteen apart. No single amount can be told from it.
"""

from collections.abc import Iterable, Mapping

Histogram = dict[int, int]
Amounts = dict[str, Histogram]
"""By field of a feed."""
FIRST_ROWS = 1_000
EVERY = 16
"""Of a file: the first thousand rows, then every sixteenth."""


def note(amounts: Amounts, name: str, fen: int) -> None:
    """Counts one amount of a field; nothing for 0, which has no magnitude."""
    if fen:
        found = amounts.setdefault(name, {})
        size = abs(fen).bit_length()
        found[size] = found.get(size, 0) + 1


def merged(parts: Iterable[Mapping[int, int]]) -> Histogram:
    """One histogram of several."""
    total: Histogram = {}
    for part in parts:
        for size, count in part.items():
            total[size] = total.get(size, 0) + count
    return total


def middle(counts: Mapping[int, int]) -> int | None:
    """The magnitude of the median; None of nothing."""
    left = sum(counts.values()) // 2
    for size in sorted(counts):
        left -= counts[size]
        if left < 0:
            return size
    return None


def steps_of(factor: int) -> int:
    """How many magnitudes a factor is, rounded down: 13 for 10,000."""
    return factor.bit_length() - 1


def typical_fen(size: int) -> int:
    """An amount in the middle of a magnitude, for people to read."""
    return 3 << (size - 2) if size > 1 else 1
