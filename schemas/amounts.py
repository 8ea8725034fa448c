"""Amounts by order of magnitude: enough to see that a file is in another unit, little enough to keep for every feed.

A histogram counts amounts other than 0 by the number of binary digits of their fen, so neighbours differ by a factor
of two and ten thousand is thirteen apart. No single amount can be told from it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Histogram = dict[int, int]
Amounts = dict[str, Histogram]
"""By field of a feed."""
FIRST_ROWS = 1_000
EVERY = 16
"""Of a file: the first thousand rows, then every sixteenth."""


class Terms(NamedTuple):
    """When amounts are out of line: `steps` magnitudes from the median of `least_before` and more amounts of the
    `window` days before, on a day with `least`; a day is where `percent` of its amounts are.
    """

    steps: int
    percent: int
    least: int
    least_before: int
    window: int


class Judged(NamedTuple):
    """A day: how many percent lie so far away, which way ("" below the line), and the running median before it."""

    day: int
    percent: int
    way: str
    usual: int


Days = list[tuple[int, Mapping[int, int]]]


def judge(days: Iterable[tuple[int, Mapping[int, int]]], terms: Terms) -> tuple[list[Judged], Days]:
    """Days of one field, in order, against the running median of the ordinary days before them; and these days.

    When the window holds no ordinary day any more, the new order becomes the usual one.
    """
    usual: Days = []
    found: list[Judged] = []
    for day, counts in days:
        if sum(counts.values()) < max(1, terms.least):
            continue
        usual = [each for each in usual if each[0] >= day - terms.window]
        centre = _centre(usual, terms)
        percent, way = (0, "") if centre is None else _away(counts, centre, terms.steps)
        if percent < terms.percent:
            way = ""
            usual.append((day, counts))
        if centre is not None:
            found.append(Judged(day, percent, way, centre))
    return found, usual


def limits(usual: Days, terms: Terms) -> tuple[int, int] | None:
    """From how many fen to below how many an amount is in line; None while too little is known.

    What half of the ordinary days held is in line however far it lies: a feed may have amounts of a few fen.
    """
    centre = _centre(usual, terms)
    if centre is None:
        return None
    half = (len(usual) + 1) // 2 - 1
    least = min(centre - terms.steps + 1, sorted(min(counts) for _, counts in usual)[half])
    most = max(centre + terms.steps - 1, sorted((max(counts) for _, counts in usual), reverse=True)[half])
    return (1 << (least - 1) if least > 1 else 0), 1 << most


def _centre(usual: Days, terms: Terms) -> int | None:
    reference = merged(counts for _, counts in usual)
    return middle(reference) if sum(reference.values()) >= max(1, terms.least_before) else None


def _away(counts: Mapping[int, int], centre: int, steps: int) -> tuple[int, str]:
    """Percent of amounts so many magnitudes above or below the median, and which is more."""
    total = sum(counts.values())
    high = sum(count for size, count in counts.items() if size >= centre + steps)
    low = sum(count for size, count in counts.items() if size <= centre - steps)
    return max(high, low) * 100 // total, "high" if high >= low else "low"


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
