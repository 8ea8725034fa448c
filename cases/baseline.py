"""Baseline (存量): what was already there when a detector went live is released in daily portions, worst first.

Each golive has its own portion: of its detector, in its area. What one area lets go takes nothing from another's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cases.view import Case


class Portion(NamedTuple):
    """What a daily number is about; `area` "" where the golive is older than its being told."""

    detector: str
    area: str


def quota(per_day: int | None, partitions: int) -> int:
    """Cases one partition may release a day: the daily number shared out, rounded up; at least one."""
    return max(1, -(-(per_day or 1) // partitions))


def portion_of(case: Case) -> Portion:
    """The portion a held case belongs to."""
    return Portion(case.opening.detector, case.quota_area or "")


def due_for_release(held: Iterable[Case], released_today: Counter[Portion], partitions: int) -> Iterator[Case]:
    """Held cases to release now: by severity, then opening alert_id, within what is left of each portion."""
    used = released_today.copy()
    for case in sorted(held, key=lambda case: (-case.severity, case.opening.alert_id)):
        portion = portion_of(case)
        if used[portion] < quota(case.per_day, partitions):
            used[portion] += 1
            yield case
