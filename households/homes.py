"""Where households are on record, day by day: one's own memberships say so, others tell where they are.

A batch speaks of areas. So that whoever lives here now keeps or loses what the lists of former places say, a household
knows where the former homes of its people were on record. Of one membership the highest version counts, as everywhere;
so the order in which anything is told decides nothing.
"""

from collections.abc import Iterable, Iterator

import msgspec

from households.residence import memberships_of
from households.state import Head
from schemas.facts import Membership
from schemas.records import Home, Homes


def own(head: Head) -> tuple[Home, ...]:
    """Where this household is on record, as its own memberships declare."""
    return tuple(
        Home(
            each.key,
            each.recorded_ms,
            each.sequence,
            each.event_id,
            each.gone,
            each.day,
            each.until,
            _area(each),
        )
        for each in head.members
    )


def known(here: str, head: Head) -> Iterator[tuple[str, Iterable[Home]]]:
    """This household, then others, each with where it is on record."""
    yield here, own(head)
    yield from head.homes.items()


def area_on(homes: Iterable[Home], day: int) -> str:
    """The area valid on a day: of what covers it the latest, else what was valid last, else first; "" for none."""
    told = [each for each in homes if each.area and not each.gone]
    if len(told) < 2:
        return told[0].area if told else ""
    begun = [each for each in told if each.day <= day]
    if not begun:
        return min(told, key=_rank).area
    return max([each for each in begun if each.until is None or day < each.until] or begun, key=_rank).area


def areas_of(homes: Iterable[Home]) -> set[str]:
    """Every area that may be the one valid on some day; "" alone for a household nobody declared."""
    return {each.area for each in homes if each.area and not each.gone} or {""}


def redeclares(new: Membership, old: Membership | None) -> bool:
    """Whether a membership may change where its household is on record."""
    if old is None:
        return new.declared is not None
    if new.declared is None and old.declared is None:
        return False
    return (_area(new), new.gone, new.until) != (_area(old), old.gone, old.until)


def hear(here: str, head: Head, told: Homes) -> bool:
    """Adds what others say of themselves. Whether anything was new."""
    news = False
    for name, homes in told.items():
        heard = {each.key: each for each in head.homes.get(name, ())}
        fresh = [each for each in homes if each.key not in heard or _newer(each, heard[each.key])]
        if name != here and fresh:
            heard |= {each.key: each for each in fresh}
            head.homes[name] = sorted(heard.values(), key=_rank)
            news = True
    return news


def to_tell(here: str, head: Head, person: str) -> Homes:
    """Where every household the person was in is on record, as far as known here."""
    names = sorted({each.household for each in memberships_of(head, person)})
    told = {name: own(head) if name == here else tuple(head.homes.get(name, ())) for name in names}
    return {name: homes for name, homes in told.items() if homes}


def _area(membership: Membership) -> str:
    return membership.declared.responsible_area if membership.declared is not None else ""


def _newer(home: Home, old: Home) -> bool:
    mine, its = _version(home), _version(old)
    return mine > its or (mine == its and msgspec.msgpack.encode(home) > msgspec.msgpack.encode(old))


def _version(home: Home) -> tuple[int, int, str]:
    return (home.recorded_ms, home.sequence, home.event_id)


def _rank(home: Home) -> tuple[int, str]:
    return (home.day, home.key)
