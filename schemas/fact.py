"""What every fact is made of: seven fields, a version, a place in time; and how months and half-years are counted.

`day` places a fact in time (proleptic Gregorian ordinal, Asia/Shanghai date), money is integer fen, months are
`year * 12 + month - 1`. A kind says of itself where the ledger keeps it.
"""

from datetime import date
from typing import ClassVar, NamedTuple, Self

import msgspec


class Version(NamedTuple):
    """What decides between two records of one natural key: the highest wins, whatever its source."""

    recorded_ms: int
    sequence: int
    event_id: str


class Fact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The head every kind shares. A `gone` fact is a tombstone: reversed, kept so that a late original stays away."""

    key: str
    recorded_ms: int
    sequence: int
    event_id: str
    source: str
    gone: bool
    day: int

    feed: ClassVar[str]
    # In a page of its half-year; else in the head, for the few facts that count whatever the window.
    paged: ClassVar[bool] = True
    # The natural key names no person: told of two people of a household it is one fact. Paged kinds only.
    keyed_alone: ClassVar[bool] = False
    # Fields that hold a day on which the fact ends by itself, so that its household is looked at again. Lasting kinds.
    ends: ClassVar[tuple[str, ...]] = ()
    # The day on which a full snapshot ends a fact it does not repeat; None: the fact counts as reversed instead.
    ended_in: ClassVar[str | None] = None
    # Whether a full snapshot of the feed may be sent at all.
    snapshots: ClassVar[bool] = True
    # Fields that name another person, who may meanwhile be known under another pseudonym.
    people: ClassVar[tuple[str, ...]] = ()

    @property
    def version(self) -> Version:
        """The fact's place among the records of its key."""
        return Version(self.recorded_ms, self.sequence, self.event_id)

    @property
    def month(self) -> int:
        """The month the fact belongs to."""
        return month_of(self.day)

    def tombstone(self, version: Version) -> Self:
        """This fact, reversed by a record of `version`."""
        return msgspec.structs.replace(
            self, gone=True, recorded_ms=version.recorded_ms, sequence=version.sequence, event_id=version.event_id
        )


def month_of(day: int) -> int:
    """Month number (year * 12 + month - 1) of a day ordinal."""
    when = date.fromordinal(day)
    return when.year * 12 + when.month - 1


def first_day(month: int) -> int:
    """Ordinal of the first day of a month number."""
    return date(month // 12, month % 12 + 1, 1).toordinal()
