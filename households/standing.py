"""What detectors ask about facts of more than one record: totals of a year, authorisations, certificates, what is held.

Answers only what the household's live facts say; asking changes nothing.
"""

from collections.abc import Iterable

from households.queries import Queries
from schemas.facts_living import YearTotal
from schemas.facts_standing import Authorisation, Disability, Property, Vehicle

ACQUIRED = {"NEW", "TRANSFER_IN"}


def year_total(household: Queries, person: str, year: int, as_of: int | None = None) -> YearTotal | None:
    """What a person bore of a medical year, by the newest as-of month (not after `as_of`); never added to bills."""
    told = [total for total in household.of_kind(YearTotal, person) if total.year == year]
    return max(
        (total for total in told if as_of is None or total.as_of <= as_of), key=lambda each: each.as_of, default=None
    )


def authorised(household: Queries, person: str, scope: str, day: int) -> bool:
    """Whether a person allows something to be looked at on a day.

    A rule that needs it and gets False says `findings.lacks("civil.authorisation", None)` and no more.
    """
    return any(each.scope == scope and each.holds(day) for each in household.of_kind(Authorisation, person))


def disabilities(household: Queries, person: str, day: int) -> list[Disability]:
    """The certificates in force on a day, the newest of each category."""
    return in_force(household.of_kind(Disability, person), day)


def in_force(certificates: Iterable[Disability], day: int) -> list[Disability]:
    """Of one person's certificates, told by their day, those in force: the newest of each category, while it lasts."""
    newest: dict[str, Disability] = {}
    for each in certificates:
        if each.day <= day:
            newest[each.category] = each
    ends = ((each, (each.expires, each.until)) for each in newest.values())
    return [each for each, days in ends if all(end is None or day < end for end in days)]


def vehicles(household: Queries, person: str, day: int) -> list[Vehicle]:
    """The vehicles registered for a person on a day: the last registration of each brought it, and still stands."""
    last = {each.vehicle: each for each in household.of_kind(Vehicle, person) if each.day <= day}
    return [each for each in last.values() if each.action in ACQUIRED and (each.until is None or day < each.until)]


def properties(household: Queries, person: str, day: int) -> list[Property]:
    """The real estate a person has a share of on a day, by the last registration of each unit, if it still stands."""
    last = {each.unit: each for each in household.of_kind(Property, person) if each.day <= day}
    had = (each for each in last.values() if each.until is None or day < each.until)
    return [each for each in had if each.action in {"ACQUIRE", "SHARE"} and each.share_percent > 0]
