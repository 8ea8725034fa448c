"""Who left a scheme not long ago and is still registered here: schemes that ended while the person stayed.

Shared by RECENT-EXIT and COMPOUND. Days are ordinals.
"""

from collections.abc import Collection

from detectors.calendar import months_later
from detectors.lacking import in_force, member_on
from households.ledger import Household
from schemas.facts import Status


def nobody_left(household: Household) -> bool:
    """Whether no scheme of anybody here ever ended; kept until a membership changes."""
    ended = household.memo.get("ended")
    if ended is None:
        left = {each.scheme for member in household.head.members for each in member.statuses if each.until is not None}
        ended = household.memo["ended"] = tuple(sorted(left))
    return not ended


def left(household: Household, person: str, day: int, schemes: Collection[str], months: int) -> Status | None:
    """The scheme somebody left last before a day, while that is recent and none of these schemes is held."""
    then = member_on(household, person, day)
    told = [each for each in then.statuses if each.scheme in schemes] if then is not None else []
    if in_force(told, day):
        return None
    ended = [each for each in told if each.until is not None and each.until <= day]
    last = max(ended, key=lambda each: (each.until or 0, each.scheme), default=None)
    recent = last is not None and day < months_later(last.until or 0, months)
    return last if recent else None


def windows(household: Household, person: str, months: int) -> set[int]:
    """Days on which an exit of somebody ceases to be recent."""
    return {
        months_later(each.until, months)
        for member in household.head.members
        if member.person == person
        for each in member.statuses
        if each.until is not None
    }
