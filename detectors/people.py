"""Who lives in a household on a day: the living, their ages, and when that changes by itself."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from detectors.calendar import birthday
from households.ledger import Household, Member
from households.queries import FOREVER
from households.residence import elsewhere, rank
from households.wholes import as_it_stands
from policy.schemes import Schemes
from schemas.facts import Death, Fact, Membership

Kind = TypeVar("Kind", bound=Fact)


def dead_since(household: Household, person: str, today: int) -> int | None:
    """The earliest reported day of death up to today, None while nobody reports one."""
    return min((each.day for each in household.deaths(person) if each.day <= today), default=None)


def anybody_died(household: Household) -> bool:
    """Whether a death of anybody was ever reported here; quick, because mostly nobody has."""
    return any(fact.__class__ is Death for facts in household.head.lasting.values() for fact in facts)


def living(household: Household, today: int) -> list[Member]:
    """Members on a day without those reported dead by then."""
    return without_dead(household, household.members_on(today), today)


def without_dead(household: Household, members: list[Member], today: int) -> list[Member]:
    """Those of these people whom nobody reported dead by a day."""
    if not anybody_died(household):
        return members
    return [each for each in members if dead_since(household, each.person, today) is None]


def belonging(household: Household, today: int) -> list[Member]:
    """Whose facts and alerts are this household's: people whose stay has not ended by a day, or is about to begin.

    A move counts from when it is known: somebody known to live elsewhere is asked about there, and what a person
    brings along was true before the move, so a past day asked today has them too.
    """
    here = {each.person: each for each in household.members_on(today)}
    coming = [each for each in household.head.members if each.day > today and not each.gone]
    for each in sorted(coming, key=lambda each: each.day):
        if each.person not in here and (each.until is None or each.until > each.day):
            here[each.person] = Member(each.person, each.relation, each.born, each.statuses, each.day, each.until)
    if not household.head.stubs:
        return list(here.values())
    return [each for each in here.values() if elsewhere(household.head, each.person) is None]


def staying(household: Household, today: int) -> list[Member]:
    """Those who belong here and are not reported dead by a day; who does today did on every earlier day asked."""
    return without_dead(household, belonging(household, today), today)


def residents(household: Household) -> list[str]:
    """Everybody who ever belonged here and is not known to live elsewhere now."""
    people = sorted({each.person for each in household.head.members})
    if not household.head.stubs:
        return people
    return [person for person in people if elsewhere(household.head, person) is None]


def left_on(household: Household, person: str) -> int:
    """The first day from which somebody no longer belongs here, as the roster has it; FOREVER while nothing ends it."""
    ends = [each.until for each in household.head.members if each.person == person and not each.gone]
    return max((FOREVER if end is None else end for end in ends), default=FOREVER)


def registration(household: Household, person: str, day: int) -> Membership | None:
    """The record that says a person belongs here on a day, None where none does."""
    told = (each for each in household.head.members if each.person == person and each.covers(day))
    return max(told, key=rank, default=None)


def member_at_death(household: Household, person: str, day: int) -> Member | None:
    """Somebody as a member on the day of death; a roster that ends the stay on that very day still had them."""
    members = [*household.members_on(day), *household.members_on(day - 1)]
    return next((each for each in members if each.person == person), None)


def tier(member: Member, today: int, schemes: Schemes) -> str:
    """The highest ranked scheme a person holds on a day, else `OTHER`."""
    held = [each.scheme for each in member.statuses if each.since <= today < (each.until or date.max.toordinal())]
    return schemes.highest(held, today)


def unbroken_from(days: Iterable[int], true_on: Callable[[int], bool], otherwise: int) -> int:
    """The first of these days from which on something is true on all of them."""
    first = otherwise
    for day in sorted(set(days), reverse=True):
        if not true_on(day):
            break
        first = day
    return first


def any_of(household: Household, kind: type[Fact]) -> bool:
    """Whether the ledger holds any paged fact of a kind, live or not; kept per page until the page changes."""
    for name in household.pages:
        memo = household.page_memo.setdefault(name, {})
        if kind not in memo:
            page = household.pages[name]
            memo[kind] = sum(fact.__class__ is kind for facts in page.values() for fact in facts)
        if memo[kind]:
            return True
    return False


def newest(household: Household, kind: type[Kind], person: str, today: int) -> Kind | None:
    """A person's newest live fact of a paged kind up to a day; looks from the end and stops at the first."""
    movers = household.head.stubs
    for name in sorted(household.pages, reverse=True):
        for fact in reversed(household.pages[name].get(person, ())):
            if not isinstance(fact, kind) or fact.day > today:
                continue
            if person not in movers or household.belongs(person, [fact]):
                (told,) = as_it_stands(household, person, [fact])
                if isinstance(told, kind) and not told.gone:
                    return told
    return None


def edges(household: Household, after: int, up_to: int) -> list[int]:
    """Days in (after, up_to] on which a membership or a status held here begins or ends."""
    return sorted(
        {
            day
            for member in household.head.members
            for start, end in ((member.day, member.until), *((each.since, each.until) for each in member.statuses))
            for day in (start, end)
            if day is not None and after < day <= up_to
        }
    )


def under(member: Member, age: int, today: int) -> bool:
    """Whether somebody is younger than `age`; False when the date of birth is unknown."""
    return member.born is not None and today < birthday(member.born, age)


def at_least(member: Member, age: int, today: int) -> bool:
    """Whether somebody has reached `age`; False when the date of birth is unknown."""
    return member.born is not None and today >= birthday(member.born, age)


def next_birthday(member: Member, ages: tuple[int, ...], today: int) -> date | None:
    """The first later day on which somebody reaches one of these ages."""
    if member.born is None:
        return None
    days = [day for age in ages if (day := birthday(member.born, age)) > today]
    return date.fromordinal(min(days)) if days else None
