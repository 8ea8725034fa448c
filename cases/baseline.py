"""Baseline (存量): what was already there when a detector went live is released in daily portions, worst first."""

from collections import Counter
from collections.abc import Iterable, Iterator

from cases.view import Case


def quota(per_day: int | None, partitions: int) -> int:
    """Cases one partition may release a day: the daily number shared out, rounded up; at least one."""
    return max(1, -(-(per_day or 1) // partitions))


def due_for_release(held: Iterable[Case], released_today: Counter[str], partitions: int) -> Iterator[Case]:
    """Held cases to release now: by severity, then opening alert_id, within what is left of each detector's portion."""
    used = released_today.copy()
    for case in sorted(held, key=lambda case: (-case.severity, case.opening.alert_id)):
        detector = case.opening.detector
        if used[detector] < quota(case.per_day, partitions):
            used[detector] += 1
            yield case
