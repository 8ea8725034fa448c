"""From CPU seconds to reference microseconds, medians over rounds, and whether a bench counts at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Generic, NamedTuple, TypeVar

REFERENCE_FLOOR_US = 1.7
MOST_SPREAD = 1.3
TRIES = 3
Found = TypeVar("Found")


def reference_us(cpu_seconds: float, events: int, floor_us: float) -> float:
    """CPU per event as it would be where one `getmany` message costs 1.7 microseconds."""
    return cpu_seconds / events * 1e6 * REFERENCE_FLOOR_US / floor_us


@dataclass
class Job:
    """Reference microseconds of one job's parts, round by round."""

    rounds: list[Mapping[str, float]] = field(default_factory=list)
    peaks_mib: dict[str, int] = field(default_factory=dict)
    walls: list[float] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, float]:
        """Median of each part."""
        return {name: round(median(each[name] for each in self.rounds), 2) for name in self.rounds[0]}

    @property
    def total(self) -> float:
        """Median over rounds of the parts' sum."""
        return round(median(sum(each.values()) for each in self.rounds), 2)


class Between(NamedTuple, Generic[Found]):
    """What was measured between two readings of the floor."""

    before: float
    found: Found
    after: float

    @property
    def floor(self) -> float:
        """The mean of both."""
        return (self.before + self.after) / 2

    @property
    def spread(self) -> float:
        """How far they lie apart."""
        return spread((self.before, self.after))


def between(
    before: float, measure: Callable[[], Found], floor: Callable[[], float], tries: int = TRIES
) -> list[Between[Found]]:
    """Measures until the floor before and after agree, so many times at most; every try, in order."""
    taken: list[Between[Found]] = []
    while not taken or (taken[-1].spread > MOST_SPREAD and len(taken) < tries):
        taken.append(Between(taken[-1].after if taken else before, measure(), floor()))
    return taken


def spread(floors: Sequence[float]) -> float:
    """The dearest floor over the cheapest."""
    return round(max(floors) / min(floors), 2)
