"""Where a person lives: the membership of the latest start decides, among those known here and not reversed."""

from households.state import Head
from schemas.facts import Membership, Version

Rank = tuple[int, Version]


def rank(membership: Membership) -> Rank:
    """Order of a person's memberships: the later start wins, then the newer record."""
    return (membership.day, membership.version)


def newest(memberships: list[Membership]) -> Membership | None:
    """Where the person lives now, None when every membership was reversed."""
    return max((each for each in memberships if not each.gone), key=rank, default=None)


def elsewhere(head: Head, person: str) -> Membership | None:
    """The membership that says the person lives in another household now, None while the person lives here."""
    there = newest(head.stubs.get(person, []))
    if there is None:
        return None
    here = newest([each for each in head.members if each.person == person])
    return there if here is None or rank(here) < rank(there) else None


def covered(head: Head, person: str, day: int) -> bool:
    """Whether the person belonged to this household on a day; a later start elsewhere ends a membership left open."""
    stubs = [each.day for each in head.stubs.get(person, ()) if not each.gone]
    return any(
        each.person == person and each.covers(day) and not any(each.day < start <= day for start in stubs)
        for each in head.members
    )
