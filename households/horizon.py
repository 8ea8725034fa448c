"""When a household looks different by itself: the next day on which something already known begins or ends."""

from collections.abc import Iterator

from households.ledger import Household
from households.queries import page_of
from households.wholes import as_it_stands
from schemas.facts import Membership


def next_change(household: Household, on: int) -> int | None:
    """The first day after `on` that a fact, a membership or a status of the ledger begins or ends; None = never.

    Ends that only one detector knows of (a deferral, a window) are that detector's to watch.
    """
    return min((day for day in _edges(household, on) if day is not None and day > on), default=None)


def _edges(household: Household, on: int) -> Iterator[int | None]:
    for membership in household.head.members:
        yield from _of_membership(membership)
    for person, told in household.head.lasting.items():
        for fact in as_it_stands(household, person, told):
            yield fact.day
            for end in fact.ends:
                yield getattr(fact, end)
    current = page_of(on)
    for half_year in household.pages:
        if half_year >= current:
            for facts in household.pages[half_year].values():
                for fact in facts:
                    yield fact.day


def _of_membership(membership: Membership) -> Iterator[int | None]:
    yield membership.day
    yield membership.until
    for status in membership.statuses:
        yield status.since
        yield status.until
