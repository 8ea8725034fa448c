"""Where a person lives: the membership with the latest start decides, among those known here and not reversed."""

from collections.abc import Iterable

from households.state import Head
from schemas.facts import Membership, Version

Rank = tuple[int, Version, str]


def rank(membership: Membership) -> Rank:
    """Order of a person's memberships: the later start wins, then the newer record; one record cannot name two
    households, but if it does, order of arrival must not decide."""
    return (membership.day, membership.version, membership.household)


def newest(memberships: Iterable[Membership]) -> Membership | None:
    """Where the person lives now, None when every membership was reversed."""
    return max((each for each in memberships if not each.gone), key=rank, default=None)


def memberships_of(head: Head, person: str) -> list[Membership]:
    """Every membership of a person known here, this household's first."""
    return [*(each for each in head.members if each.person == person), *head.stubs.get(person, ())]


def elsewhere(head: Head, person: str) -> Membership | None:
    """The membership that says the person lives in another household now, None while the person lives here."""
    there = newest(head.stubs.get(person, ()))
    if there is None:
        return None
    here = newest(each for each in head.members if each.person == person)
    return there if here is None or rank(here) < rank(there) else None


def covers(membership: Membership, among: Iterable[Membership], day: int) -> bool:
    """Whether the membership holds on a day; one left open ends where a later one of another household starts."""
    return membership.covers(day) and not any(
        membership.day < each.day <= day and each.household != membership.household and not each.gone for each in among
    )


def covered(head: Head, person: str, day: int) -> bool:
    """Whether the person belonged to this household on a day."""
    stubs = head.stubs.get(person, ())
    return any(each.person == person and covers(each, stubs, day) for each in head.members)
