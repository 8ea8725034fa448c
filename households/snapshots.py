"""What full snapshots make of facts they do not repeat: they ended with the first day of its month, or never were.

A snapshot of a month speaks of those who were members here on the month's last day, and of what was recorded before it
began. Nothing is written into facts: they stay as they were told, and this is worked out when somebody asks. So it
does not matter in which order facts, memberships and snapshots become known.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from households.residence import covers, memberships_of
from households.state import Head
from schemas.facts import KIND_OF_FEED, AnyFact, Fact, first_day
from schemas.records import Snapshots

if TYPE_CHECKING:
    from households.queries import Queries


def by_month(feed: str) -> bool:
    """Whether a full snapshot of a feed says no more than its month: facts of one day, kept by month.

    Then it is the same as a whole replacement of the month. Else (what lasts, what is kept as a register) it speaks of
    everything that began up to the end of its month.
    """
    kind = KIND_OF_FEED[feed]
    return kind.paged and kind.ended_in is None


def as_it_stands(head: Head, person: str, facts: list[AnyFact]) -> list[AnyFact]:
    """A person's facts under the snapshots known here, in the same order; the same list where there are none."""
    if not head.snapshots:
        return facts
    return [_under(head, person, fact) for fact in facts]


def at_stake(household: "Queries", feed: str, month: int) -> Iterator[Fact]:
    """Live facts which a snapshot of the month would end or reverse, if it does not repeat them."""
    kind, last = KIND_OF_FEED[feed], last_day(month)
    for person in sorted({each.person for each in household.head.members}):
        if stayed(household.head, person, household.id, last):
            yield from (fact for fact in household.of_kind(kind, person) if _concerned(fact, month))


def stayed(head: Head, person: str, household: str, day: int) -> bool:
    """Whether the person was a member of a household on a day, by all that is known here."""
    known = memberships_of(head, person)
    return any(each.household == household and covers(each, known, day) for each in known)


def hear(head: Head, told: Snapshots) -> bool:
    """Adds snapshots; of one feed and month the later counts. Whether anything was new."""
    news = False
    for household, feeds in told.items():
        for feed, months in feeds.items():
            known = head.snapshots.setdefault(household, {}).setdefault(feed, {})
            for month, begun_ms in months.items():
                if known.get(month, 0) < begun_ms:
                    known[month] = begun_ms
                    news = True
    return news


def to_tell(head: Head, person: str) -> Snapshots:
    """The snapshots of every household the person was in, as far as known here."""
    if not head.snapshots:
        return {}
    homes = {each.household for each in memberships_of(head, person)}
    return {
        name: {feed: dict(months) for feed, months in feeds.items()}
        for name, feeds in sorted(head.snapshots.items())
        if name in homes
    }


@cache
def last_day(month: int) -> int:
    """Ordinal of the last day of a month number."""
    return first_day(month + 1) - 1


def _end(head: Head, person: str, fact: AnyFact) -> int | None:
    """The first day of the earliest month whose snapshot speaks of the person, and of the fact without repeating it."""
    found: int | None = None
    for household, feeds in head.snapshots.items():
        months = feeds.get(fact.feed)
        if months is None or fact.recorded_ms >= max(months.values()):
            continue  # nearly always: what is in force was told again by the last one
        for month in sorted(months):
            if fact.recorded_ms >= months[month] or fact.day > (last := last_day(month)):
                continue
            if found is not None and first_day(month) >= found:
                break
            if stayed(head, person, household, last):
                found = first_day(month)
                break
    return found


def _under(head: Head, person: str, fact: AnyFact) -> AnyFact:
    end = None if fact.gone else _end(head, person, fact)
    if end is None:
        return fact
    name = fact.ended_in
    if name is None or end <= fact.day:
        return fact.tombstone(fact.version)
    ends = getattr(fact, name)
    return fact if ends is not None and ends <= end else msgspec.structs.replace(fact, **{name: end})


def _concerned(fact: Fact, month: int) -> bool:
    if fact.day > last_day(month):
        return False
    if fact.ended_in is None:
        return True
    ends = [getattr(fact, name) for name in {*fact.ends, fact.ended_in}]
    return all(day is None or day > first_day(month) for day in ends)
