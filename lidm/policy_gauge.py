"""Stale and missing parameters of the policy in force, as a gauge: somebody is to look before a rule falls silent."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from detectors.registry import load_detectors, needed_by
from policy.bundle import Bundle
from policy.readiness import CODES, findings
from streams.control import date_of
from streams.metrics import METRICS
from streams.watch import Watch


class InForce(NamedTuple):
    """A policy and the partition's day."""

    bundle: Bundle
    on: date


def in_force(parts: Iterable[object]) -> InForce | None:
    """What the partition furthest in time goes by; None before there is a policy or a day."""
    known = [part.known for part in parts if isinstance(part, Watch)]
    told = [InForce(each.bundle, date_of(each.on)) for each in known if each.bundle is not None and each.on is not None]
    return max(told, key=lambda each: each.on, default=None)


class PolicyGauge:
    """Counts findings once per policy and day. Asks a bundle of its own, because it may run beside the fold."""

    def __init__(self, needed: Mapping[str, Sequence[str]] | None = None) -> None:
        self._needed = needed
        self._seen: tuple[str, date] | None = None
        self._own: Bundle | None = None

    def set(self, now: InForce | None) -> None:
        """Sets `lidm_policy_findings` for what is in force now; nothing while nothing is known."""
        if now is None or self._seen == (now.bundle.hash, now.on):
            return
        if self._own is None or self._own.hash != now.bundle.hash:
            self._own = Bundle.from_canonical(now.bundle.canonical())
        if self._needed is None:
            self._needed = needed_by(load_detectors())
        counts = Counter(each.code for each in findings(self._own, now.on, self._needed))
        for code in CODES:
            METRICS.set("lidm_policy_findings", counts[code], code=code)
        self._seen = (now.bundle.hash, now.on)
