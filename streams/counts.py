"""What intake counts: for metrics, and per slice of a feed partition for breaker and report card."""

from collections import Counter
from typing import NamedTuple

import msgspec

from schemas.feed_reports import ClosedPart
from streams.metrics import METRICS


class Counts(NamedTuple):
    """What happened since the last drain, by feed (and code). `ages`: seconds from the newest fact to its reading."""

    events: Counter[str]
    routed: Counter[str]
    rejected: Counter[tuple[str, str]]
    out_of_scope: Counter[str]
    ages: dict[str, float]


class SliceCounts(msgspec.Struct):
    """What was made of the messages given to `take` last: of one feed partition. `closed`: batches that ended there.

    `refused_at`: offsets of messages of which something was refused; `doubted_at`: of those, where only amounts were.
    """

    rows: int = 0
    out_of_scope: int = 0
    corrected: int = 0
    reversed: int = 0
    refused: dict[str, int] = {}
    closed: list[ClosedPart] = []
    refused_at: set[int] = set()
    doubted_at: set[int] = set()

    @property
    def bad(self) -> int:
        """Elements refused."""
        return sum(self.refused.values())


def measure(counts: Counts) -> None:
    """Adds what happened to the metrics."""
    for feed, n in counts.events.items():
        METRICS.count("lidm_events_in_total", n, feed=feed)
    for feed, n in counts.routed.items():
        METRICS.count("lidm_events_out_total", n, feed=feed)
    for (feed, code), n in counts.rejected.items():
        METRICS.count("lidm_events_rejected_total", n, feed=feed, code=code)
    for feed, seconds in counts.ages.items():
        METRICS.time("lidm_event_age_seconds", seconds, feed=feed)
    for feed, n in counts.out_of_scope.items():
        METRICS.count("lidm_events_out_of_scope_total", n, feed=feed)
