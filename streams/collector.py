"""Python's cycle collector, tuned for millions of small objects that live long and form no cycles."""

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 50
"""Allocations before a look at the young, looks at the young before one at the middle, and of these before the old."""


def calm_collector() -> None:
    """What is loaded now is never looked at again, and the rest seldom: with the default the collector walks every
    ledger again and again, an eighth of the monitor's time. Cycles are still found, later."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
