"""When intake opens, extends and ends provisional households; the memberships it writes for them."""

from datetime import date
from functools import cache

import msgspec

from schemas.facts import AnyFact, Declared, Membership
from schemas.provisional import provisional_of, silent_until
from schemas.topics import Catalogue, Over
from streams.registry import Stay

_NOT_ASSESSED = "未核定"


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load()


class Lines:
    """Which facts are over their department's line."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self._given = catalogue
        self._rules: dict[str, tuple[bool, Over | None]] = {}

    def crossed(self, feed: str, fact: AnyFact) -> bool:
        """Whether a fact opens a household for somebody unwatched."""
        rule = self._rules.get(feed)
        if rule is None:
            catalogue = self._given or _catalogue()
            rule = self._rules[feed] = (catalogue.scope(feed) == "over_line", catalogue.over(feed))
        applies, over = rule
        if not applies or fact.gone:
            return False
        return over is None or sum(getattr(fact, f"{name}_fen", 0) or 0 for name in over.sum) >= over.at_least


def opening(person: str, fact: AnyFact, since: int, area: str) -> Membership:
    """The person alone in a provisional household from `since`, until long after this fact.

    The fact's own area answers for it, else `area`; nobody does where neither is known.
    """
    household = provisional_of(person)
    there = getattr(fact, "area", None) or area
    declared = Declared(there, there, there, there, None, _NOT_ASSESSED, "") if there else None
    return Membership(
        key=f"{household}|{person}|{date.fromordinal(since).isoformat()}",
        recorded_ms=fact.recorded_ms,
        sequence=fact.sequence,
        event_id=fact.event_id,
        source=fact.source,
        gone=False,
        day=since,
        household=household,
        person=person,
        relation="HEAD",
        until=silent_until(fact.day),
        born=None,
        statuses=(),
        declared=declared,
    )


def ending(stay: Stay, by: Membership) -> Membership:
    """Takes a provisional membership back because the register names the person: everything goes to that household."""
    return msgspec.structs.replace(
        by,
        key=f"{stay.household}|{stay.person}|{date.fromordinal(stay.since).isoformat()}",
        recorded_ms=max(stay.recorded_ms, by.recorded_ms),
        sequence=stay.sequence + 1,
        gone=True,
        day=stay.since,
        household=stay.household,
        person=stay.person,
        relation="HEAD",
        until=stay.until,
        statuses=(),
        declared=None,
    )
