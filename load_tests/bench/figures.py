"""From CPU seconds to reference microseconds, medians over rounds, and whether a bench counts at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

REFERENCE_FLOOR_US = 1.7
MOST_SPREAD = 1.3


def reference_us(cpu_seconds: float, events: int, floor_us: float) -> float:
    """CPU per event as it would be where one `getmany` message costs 1.7 microseconds."""
    return cpu_seconds / events * 1e6 * REFERENCE_FLOOR_US / floor_us


@dataclass
class Job:
    """Reference microseconds of one job's parts, round by round."""

    rounds: list[Mapping[str, float]] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
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


def spread(floors: Sequence[float]) -> float:
    """The dearest floor over the cheapest."""
    return round(max(floors) / min(floors), 2)
