"""What a detector answers: breaches per cause, what it could not rely on, and when the answer may change by itself."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol, Self

import msgspec

from households.ledger import Household
from policy.areas import AreaTree, AreaUnknown
from policy.parameters import Line

HISTORY = "history"


class EvidenceItem(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One input of a breach: the fact's natural key, its feed and source, the day ordinal it was true, its value."""

    key: str
    feed: str
    source: str
    day: int
    value: int


class Quota(NamedTuple):
    """How many of a golive's stock may be released a day: in the area that went live."""

    area: str
    per_day: int


class Insufficient(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A feed the answer cannot rely on and the last month it covered (`2026-05`); feed `history` while a move runs."""

    feed: str
    last_covered: str | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A line passed. `cause` is unique per detector and household; `measure` and the line share a unit.

    `subject` is a relation code (`HEAD`, `CHILD`, ...) or `HOUSEHOLD`, never a person. `person` goes along when that
    person moves; a cause that is a person, or starts with `<person>/`, needs no mention of it. `news`: a count that
    files told, not days that passed; subscribers hear of it when it differs, as of evidence. 0: none.
    """

    cause: str
    subject: str
    since: date
    severity: int
    measure: int
    unit: str
    threshold: Line
    reason: str
    evidence: tuple[EvidenceItem, ...]
    person: str | None = None
    news: int = 0

    @property
    def goes_with(self) -> str | None:
        """The person whose move takes this breach along, None when it stays with the household."""
        if self.person is not None:
            return self.person
        head = self.cause.partition("/")[0]
        return head if head.startswith("p_") else None


class _Answering(Protocol):
    """The part of `Policy` that tells the areas above a household."""

    @property
    def areas(self) -> AreaTree: ...


@dataclass(slots=True)
class Findings:
    """A detector's answer, filled while it looks. `recheck_on`: the first day it can differ without a new fact."""

    breaches: list[Breach] = field(default_factory=list)
    insufficient: list[Insufficient] = field(default_factory=list)
    uncovered: list[Insufficient] = field(default_factory=list)
    recheck_on: date | None = None

    @classmethod
    def covering(
        cls, household: Household, on: date, policy: _Answering, *feeds: str, once_told: tuple[str, ...] = ()
    ) -> Self:
        """Findings that already name which of `feeds` is stale for the household's area, and a move under way.

        `once_told`: feeds a place may do without; they are stale only after they ever told a whole month.
        """
        findings = cls()
        try:
            chain = policy.areas.chain(household.responsible_area, on)
        except AreaUnknown:
            chain = ()
        for feed, last_covered in household.coverage.missing(feeds + once_told, chain, on):
            if last_covered is not None or feed not in once_told:
                findings.lacks(feed, last_covered)
        if household.head.waiting:
            findings.lacks(HISTORY, None)
        return findings

    def add(self, breach: Breach) -> None:
        """One more breach."""
        self.breaches.append(breach)

    def lacks(self, feed: str, last_covered: str | None) -> None:
        """The answer cannot rely on a feed: nothing ends because of this answer."""
        self.insufficient.append(Insufficient(feed, last_covered))

    def unseen(self, feed: str) -> None:
        """Named in every alert as not covered, because nobody publishes it yet; it keeps nothing from ending."""
        self.uncovered.append(Insufficient(feed, None))

    def recheck(self, *days: date | None) -> None:
        """The answer may change on these days; the earliest one counts."""
        for day in days:
            if day is not None and (self.recheck_on is None or day < self.recheck_on):
                self.recheck_on = day


def evidence_days(items: Iterable[EvidenceItem]) -> tuple[EvidenceItem, ...]:
    """Evidence in the order people read it: by day, then key."""
    return tuple(sorted(items, key=lambda item: (item.day, item.feed, item.key)))


__all__ = ["HISTORY", "Breach", "EvidenceItem", "Findings", "Insufficient", "evidence_days"]
