"""Who lives in a household on a day: the living, their ages, and when that changes by itself."""

from datetime import date

from detectors.calendar import birthday
from households.ledger import Household, Member


def dead_since(household: Household, person: str, today: int) -> int | None:
    """The earliest reported day of death up to today, None while nobody reports one."""
    return min((each.day for each in household.deaths(person) if each.day <= today), default=None)


def living(household: Household, today: int) -> list[Member]:
    """Members on a day without those reported dead by then."""
    return [each for each in household.members_on(today) if dead_since(household, each.person, today) is None]


def under(member: Member, age: int, today: int) -> bool:
    """Whether somebody is younger than `age`; False when the date of birth is unknown."""
    return member.born is not None and today < birthday(member.born, age)


def at_least(member: Member, age: int, today: int) -> bool:
    """Whether somebody has reached `age`; False when the date of birth is unknown."""
    return member.born is not None and today >= birthday(member.born, age)


def next_edge(household: Household, today: int) -> date | None:
    """The first later day on which a membership or a status held here begins or ends."""
    days = [
        day
        for member in household.head.members
        for start, end in ((member.day, member.until), *((status.since, status.until) for status in member.statuses))
        for day in (start, end)
        if day is not None and day > today
    ]
    return date.fromordinal(min(days)) if days else None


def next_birthday(member: Member, ages: tuple[int, ...], today: int) -> date | None:
    """The first later day on which somebody reaches one of these ages."""
    if member.born is None:
        return None
    days = [day for age in ages if (day := birthday(member.born, age)) > today]
    return date.fromordinal(min(days)) if days else None
