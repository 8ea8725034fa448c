"""A breaker per feed: when too large a share of a feed is refused, it is parked and its owner is told; others flow.

Parked means: intake reads no further in that feed, from the offset it has committed. It flows again when an operator
says so, or after a set time. What is parked is a record of `intake.control.v1` under the feed's kind; the last one
holds, for every worker and after every restart.
"""

import time
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog

from schemas.partition import partition_of
from schemas.topics import INTAKE_CONTROL, Catalogue
from streams.delivery import Letter
from streams.limits import BreakerLimits
from streams.metrics import METRICS

log = structlog.get_logger("lidm.intake")
SLICE = 256
"""Messages of one partition between two looks at the share."""


class FeedControl(msgspec.Struct, frozen=True):
    """Value of a record in `intake.control.v1`. `ends`: before these offsets by partition, refusals do not count."""

    state: Literal["parked", "flowing"]
    at_ms: int
    actor: str
    reason: str
    until_ms: int | None = None
    rows: int = 0
    refused: int = 0
    owner: str = ""
    ends: dict[str, int] = {}

    def parked(self, now_ms: int) -> bool:
        """Whether the feed stands still now."""
        return self.state == "parked" and (self.until_ms is None or now_ms < self.until_ms)


def control_letter(feed: str, control: FeedControl, partitions: int) -> Letter:
    """The record that tells every worker."""
    key = feed.encode()
    return Letter(INTAKE_CONTROL, partition_of(key, partitions), key, msgspec.json.encode(control))


def decode_control(value: bytes) -> FeedControl:
    """Reads such a record. Raises msgspec.DecodeError."""
    return msgspec.json.decode(value, type=FeedControl)


class Breaker:
    """The feeds of one worker. Counts fade: what was seen long ago weighs half as much with every `rows` elements."""

    def __init__(
        self,
        limits: BreakerLimits,
        catalogue: Catalogue,
        partitions: int,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._limits = limits
        self._catalogue = catalogue
        self._partitions = partitions
        self._now_ms = now_ms
        self._counts: dict[str, tuple[int, int]] = {}
        self._controls: dict[str, FeedControl] = {}
        self._letters: list[Letter] = []
        self._shown: set[str] = set()

    def parked(self) -> set[str]:
        """Feeds that stand still now."""
        now = self._now_ms()
        found = {feed for feed, control in self._controls.items() if control.parked(now)}
        for feed in found ^ self._shown:
            METRICS.set("lidm_feed_parked", float(feed in found), feed=feed)
            if feed not in found:
                log.warning("feed_flows_again", feed=feed)
        self._shown = found
        return found

    def learn(self, feed: str, control: FeedControl) -> None:
        """What the topic says last holds."""
        self._controls[feed] = control
        if control.state == "flowing":
            self._counts.pop(feed, None)

    def count(self, feed: str, partition: int, following: int, rows: int, refused: int) -> bool:
        """Counts elements read up to offset `following` of a partition; True when that parks the feed."""
        known = self._controls.get(feed)
        if known is not None and following <= known.ends.get(str(partition), 0):
            return False
        limits = self.limits(feed)
        seen, bad = self._counts.get(feed, (0, 0))
        seen, bad = seen + rows, bad + refused
        if seen < limits.rows or bad <= limits.share * seen:
            self._counts[feed] = (seen // 2, bad // 2) if seen >= 2 * limits.rows else (seen, bad)
            return False
        self._park(feed, limits, seen, bad)
        return True

    def limits(self, feed: str) -> BreakerLimits:
        """The catalogue's word for this feed, else the setting."""
        said = self._catalogue.breaker(feed)
        return BreakerLimits(said.share, said.rows, said.minutes) if said else self._limits

    def letters(self) -> list[Letter]:
        """Records to deliver; once."""
        letters, self._letters = self._letters, []
        return letters

    def _park(self, feed: str, limits: BreakerLimits, rows: int, refused: int) -> None:
        now = self._now_ms()
        owner = self._catalogue.owner(feed)
        control = FeedControl(
            state="parked",
            at_ms=now,
            actor="intake",
            reason=f"近{rows}条中有{refused}条不能受理，超过{limits.share:.0%}",
            until_ms=now + limits.minutes * 60_000 if limits.minutes else None,
            rows=rows,
            refused=refused,
            owner=owner,
        )
        self._counts.pop(feed, None)
        self._controls[feed] = control
        self._letters.append(control_letter(feed, control, self._partitions))
        log.error("feed_parked", feed=feed, owner=owner, rows=rows, refused=refused, until_ms=control.until_ms)
