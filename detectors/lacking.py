"""What somebody could have and does not: since when without a break, and whether the files that would show it are here.

A missing record is an answer only where every file it could stand in is complete. So a stretch of lacking something
counts from its first day inside the complete files, and as far as they go; an older file that comes later makes it
longer. Days are ordinals, spans half-open.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from detectors.calendar import months_later
from detectors.people import any_of, edges, staying
from detectors.spans import Stretch, next_edge
from households.ledger import Household, Member
from households.queries import FOREVER
from schemas.facts import Status, first_day
from schemas.facts_contact import Feedback


class Known(NamedTuple):
    """The part of a stretch that complete files tell of: its first day, and the first day they say nothing about."""

    first: int
    after: int


def month_span(month: int) -> Stretch:
    """A whole month."""
    return Stretch(first_day(month), first_day(month + 1))


def connected(household: Household, chain: tuple[str, ...], feeds: Iterable[str]) -> list[str]:
    """Those of the feeds that ever told a whole month; one that a place does not get yet can neither end nor block."""
    return [feed for feed in feeds if household.coverage.last_closed(feed, chain) is not None]


def reach(household: Household, chain: tuple[str, ...], feed: str) -> int:
    """The first day the complete files of a feed say nothing about; 1 while there is none."""
    last = household.coverage.last_closed(feed, chain)
    return 1 if last is None else first_day(last + 1)


def look_again(edges: Iterable[int], today: int, within: int, reached: int, *, shown: bool) -> date | None:
    """When an answer about something lacking may change by itself.

    What is shown may end on any edge. What is not needs the days allowed after an edge, inside complete files: as long
    as those do not reach so far, it is the next file that brings the question back, not the calendar.
    """
    edge = next_edge(edges, today)
    return edge if edge is not None and (shown or edge.toordinal() + within < reached) else None


def known_part(household: Household, chain: tuple[str, ...], feed: str, began: int) -> Known | None:
    """The newest part of a stretch from `began` on that lies in complete months of a feed; None where there is none."""
    coverage = household.coverage
    last = coverage.last_closed(feed, chain)
    if last is None or first_day(last + 1) <= began:
        return None
    month = last
    while first_day(month) > began and coverage.closed(feed, month - 1, chain):
        month -= 1
    return Known(max(began, first_day(month)), first_day(last + 1))


def member_on(household: Household, person: str, day: int) -> Member | None:
    """A living person who belongs here, as of a day."""
    return next((each for each in staying(household, day) if each.person == person), None)


def turns(household: Household) -> set[int]:
    """Days on which who belongs here, lives, or holds a scheme may differ from the day before."""
    return {*edges(household, 0, FOREVER), *(each.day for each in household.deaths())}


def held(members: Iterable[Member], day: int) -> set[str]:
    """The schemes these people hold on a day."""
    return {status.scheme for member in members for status in in_force(member.statuses, day)}


def in_force(statuses: Iterable[Status], day: int) -> list[Status]:
    """Those of these that are held on a day."""
    return [each for each in statuses if each.since <= day and (each.until is None or day < each.until)]


def answered(
    household: Household, people: Iterable[str], items: frozenset[str], settled_by: frozenset[str], months: int
) -> list[Stretch]:
    """For how long a department's answer about these items settles the matter: received, not wanted, not eligible.

    `settled_by` are outcomes and, where help was declined, reasons (`referral.feedback`).
    """
    if not any_of(household, Feedback):
        return []
    return [
        Stretch(each.day, months_later(each.day, months))
        for person in people
        for each in household.of_kind(Feedback, person)
        if each.item in items and (each.reason if each.outcome == "DECLINED" else each.outcome) in settled_by
    ]
