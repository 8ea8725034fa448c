"""When a household looks different by itself: the next day on which something already known begins or ends."""

from collections.abc import Iterator

from households.ledger import Household
from schemas.facts import AnyFact, Employment, Membership, Rent


def next_change(household: Household, on: int) -> int | None:
    """The first day after `on` that a fact, a membership or a status of the ledger begins or ends; None = never."""
    return min((day for day in _edges(household) if day is not None and day > on), default=None)


def _edges(household: Household) -> Iterator[int | None]:
    for membership in household.head.members:
        yield from _of_membership(membership)
    for facts in household.head.lasting.values():
        yield from _of_facts(facts)
    for page in household.pages.values():
        for facts in page.values():
            yield from _of_facts(facts)


def _of_membership(membership: Membership) -> Iterator[int | None]:
    yield membership.day
    yield membership.until
    for status in membership.statuses:
        yield status.since
        yield status.until


def _of_facts(facts: list[AnyFact]) -> Iterator[int | None]:
    for fact in facts:
        yield fact.day
        if isinstance(fact, Employment | Rent):
            yield fact.until
