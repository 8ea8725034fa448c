"""Limits that settings and the catalogue give to intake."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BreakerLimits:
    """More than `share` refused of at least `rows` recent elements parks a feed, for `minutes` (0: until told)."""

    share: float = 0.5
    rows: int = 1000
    minutes: int = 60
