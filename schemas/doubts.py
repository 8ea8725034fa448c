"""Amounts that lie ten thousand times off what a feed is used to are not folded: they wait among the dead letters.

The limits come from the feed's own report cards (`schemas.amount_limits`). A feed without limits, or whose limits
somebody has lifted, is decoded as the contract says and pays nothing for this.
"""

import time
from collections.abc import Callable
from operator import attrgetter

from schemas.amount_limits import AmountLimits, LimitsLifted
from schemas.compiled import Event
from schemas.envelope import Decoder, Delivery, Outcome
from schemas.feed import FeedData, FeedSpec, Flaw
from schemas.labels import ProblemCode

DOUBTED = ProblemCode.AMOUNT_UNIT.value
Decode = Callable[[bytes | None, int], list[Outcome]]


class DoubtingDecoder(Decoder):
    """Decodes as the contract says, and refuses a row of which an amount is out of line. A reversal tells none."""

    def __init__(self, spec: FeedSpec, limits: dict[str, tuple[int, int]]) -> None:
        super().__init__(spec)
        names = [each.name for each in spec.fields if each.kind == "fen" and each.name in limits]
        self._limits = [(name, attrgetter(name), *limits[name]) for name in names]

    def deliver(self, event: Event[FeedData], known_at_ms: int) -> Delivery | Flaw:
        """As the contract says; what it takes is held against the limits."""
        outcome = super().deliver(event, known_at_ms)
        if type(outcome) is Delivery and event.operation != "reverse":
            for name, of, least, below in self._limits:
                amount = of(event.data)
                if amount and not least <= abs(amount) < below:
                    return Flaw(DOUBTED, f"/data/{name}", ProblemCode.AMOUNT_UNIT.label)
        return outcome


class Doubts:
    """What one intake knows of the limits of all feeds."""

    def __init__(self, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)) -> None:
        self._now_ms = now_ms
        self._limits: dict[str, AmountLimits] = {}
        self._lifted: dict[str, int] = {}
        self._decoders: dict[str, DoubtingDecoder] = {}

    def learn(self, feed: str, said: AmountLimits | LimitsLifted) -> None:
        """What the topic says last holds; limits that were worked out for an earlier moment do not."""
        known = self._limits.get(feed)
        if isinstance(said, LimitsLifted):
            self._lifted[feed] = said.until_ms
        elif known is None or (said.at_ms >= known.at_ms and said.limits != known.limits):
            self._limits[feed] = said
            self._decoders.clear()

    def decode(self, spec: FeedSpec) -> Decode:
        """How messages of a feed's topic are read now."""
        known = self._limits.get(spec.kind)
        if known is None or not known.limits or self._now_ms() < self._lifted.get(spec.kind, 0):
            return spec.decode
        found = self._decoders.get(spec.name)
        if found is None:
            found = self._decoders[spec.name] = DoubtingDecoder(spec, known.limits)
        return found.decode
