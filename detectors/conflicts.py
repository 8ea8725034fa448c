"""What makes a conflict across households: one person on record in two, one account of several that are unrelated.

Of the other households only the place is said, so that both offices can look together. Days are ordinals.
"""

from collections.abc import Callable
from typing import NamedTuple

from detectors.findings import EvidenceItem
from households.homes import area_on
from households.ledger import Household, Member
from schemas.facts import Membership
from schemas.feeds.links import SharedAccount
from schemas.provisional import is_provisional


class Conflict(NamedTuple):
    """A conflict on a day: how much of it (months, days, households), how the sentence says it, and the records."""

    measure: int
    says: str
    evidence: tuple[EvidenceItem, ...]


Ask = Callable[[int], Conflict | None]
NameOf = Callable[[str], str]


def spans_nothing(household: Household) -> bool:
    """Whether nobody here was ever told of in another household, and no account is shared; quick."""
    head = household.head
    return not head.stubs and not any(
        fact.__class__ is SharedAccount for facts in head.lasting.values() for fact in facts
    )


def two_homes(household: Household, member: Member, days: int, named: NameOf) -> Ask:
    """On record in another declared household for so many days as well; that one was never told that the person left.

    The ledger knows all declared stays of its people. A stay without an end is one until somebody ends it.
    """
    person = member.person
    here = [each for each in household.head.members if each.person == person]
    there = [each for each in household.head.stubs.get(person, ()) if not is_provisional(each.household)]

    def ask(day: int) -> Conflict | None:
        for one in (each for each in here if each.covers(day)):
            for other in (each for each in there if each.covers(day)):
                if max(one.day, other.day) + days <= day:
                    place = named(_place(household, other, day))
                    says = f"同时登记为两户的共同生活家庭成员（另一户在{place}）" if place else "同时登记在另一户"
                    return Conflict(day - max(one.day, other.day), says, (_stay(one),))
        return None

    return ask


def account_shared(household: Household, person: str, least: int, named: NameOf) -> Ask:
    """The account a person's help goes to is that of so many unrelated households."""
    told = household.of_kind(SharedAccount, person)

    def ask(day: int) -> Conflict | None:
        found = max(((each.households_on(day), each.key, each) for each in told), default=None)
        if found is None or found[0] < least:
            return None
        count, _, fact = found
        places = "、".join(filter(None, map(named, fact.areas)))
        says = f"的救助金收款账户由{count}户互不相干的家庭共用" + (f"（另几户在{places}）" if places else "")
        return Conflict(count, says, (EvidenceItem(fact.key, fact.feed, fact.source, fact.day, count),))

    return ask


def crossings(household: Household, days: int) -> set[int]:
    """Days on which one of these may begin or end."""
    found = {
        turn
        for stays in (household.head.members, *household.head.stubs.values())
        for each in stays
        for turn in (each.day + days, each.until)
        if turn is not None
    }
    return found | {day for fact in household.of_kind(SharedAccount) for day, _ in fact.steps}


def _place(household: Household, stay: Membership, day: int) -> str:
    if stay.declared is not None:
        return stay.declared.responsible_area
    return area_on(household.head.homes.get(stay.household, ()), day)


def _stay(stay: Membership) -> EvidenceItem:
    return EvidenceItem(stay.key, Membership.feed, stay.source, stay.day, 1)
