"""What an incident of an area says of a household's people, as facts: pure, from one ledger and one record.

A household speaks of those who were its own on the day. So however a declaration, a correction, a withdrawal and a
person's move follow on one another, each fact is told by one household, and goes along with its person like any other.
A household that comes into the area, or is entered into the register, after the declaration is not told: declaring the
incident again brings in whoever is on record by then, and takes out who no longer is.
"""

from collections.abc import Callable, Iterator

import msgspec

from households.ledger import Household
from households.residence import covered, rank
from schemas.fact import Version
from schemas.facts_contact import AreaIncident
from schemas.feed_units import is_unit
from schemas.records import FactBody, IncidentBody

SOURCE = "区域灾害登记"
_EVENT = "incident"
Chain = Callable[[str, int], tuple[str, ...]]
"""An area and those above it on a day."""


def struck(household: Household, body: IncidentBody, chain: Chain, known_ms: int) -> list[FactBody]:
    """What its people have to be told: the incident, another day or area of it, or that it was not so.

    Nothing where they were told the same before, so that a record said twice changes nothing.
    """
    if is_unit(household.id):
        return []
    held = dict(_held(household, body.number))
    where = _where(household, body, chain)
    wanted = _told(household, body, where) if where is not None else {}
    said = []
    for person in sorted(held.keys() | wanted.keys()):
        old, new = held.get(person), wanted.get(person)
        if new is not None and (old is None or _content(old) != _content(new)):
            said.append(FactBody(person, _at(new, _version(old, known_ms, live=True))))
        elif new is None and old is not None and not old.gone and _speaks_for(household, person, old, body):
            said.append(FactBody(person, old.tombstone(_version(old, known_ms, live=False))))
    return said


def lived_in(household: Household, area: str, day: int, chain: Chain) -> bool:
    """Whether a household was on record as living in an area on a day; after its last record the last one counts.

    Where it lives counts, not who is responsible for it; but that one where the tree does not know its home.
    """
    told = [each for each in household.head.members if each.declared is not None and not each.gone and each.day <= day]
    newest = max([each for each in told if each.covers(day)] or told, key=rank, default=None)
    decided = newest.declared if newest is not None else None
    if decided is None:
        return False
    above = chain(decided.residence_area, day)
    return area in (above if len(above) > 1 else (*above, *chain(decided.responsible_area, day)))


def _where(household: Household, body: IncidentBody, chain: Chain) -> str | None:
    """The area that was struck with this household in it, "" where it was named; None where it was not struck."""
    if body.to == "withdraw":
        return None
    if body.households:
        return "" if household.id in body.households else None
    return next((each for each in body.areas if lived_in(household, each, body.day, chain)), None)


def _told(household: Household, body: IncidentBody, where: str) -> dict[str, AreaIncident]:
    """By person, whoever lived here that day."""
    named = bool(body.households)
    return {
        each.person: AreaIncident(
            f"{body.number}|{each.person}", 0, 0, _EVENT, SOURCE, False, body.day, body.sort, where, named
        )
        for each in household.members_on(body.day)
    }


def _held(household: Household, number: str) -> Iterator[tuple[str, AreaIncident]]:
    """What is kept here of an incident, reversed or not, and whether or not it belongs here."""
    for name in household.pages:
        if household.pages.may_hold_kind(name, AreaIncident):
            for person, facts in household.pages[name].items():
                for fact in facts:
                    if isinstance(fact, AreaIncident) and fact.key == f"{number}|{person}":
                        yield person, fact


def _speaks_for(household: Household, person: str, fact: AreaIncident, body: IncidentBody) -> bool:
    """Whether it is this household's to say that it was not so; of a withdrawal, everybody's."""
    return body.to == "withdraw" or covered(household.head, person, fact.day)


def _version(old: AreaIncident | None, known_ms: int, *, live: bool) -> Version:
    """Later than what is held, whatever the clock said; of two said at one moment, that it was so counts."""
    if old is None or old.recorded_ms < known_ms:
        return Version(known_ms, int(live), _EVENT)
    return Version(old.recorded_ms, (old.sequence // 2 + 1) * 2 + live, _EVENT)


def _at(fact: AreaIncident, version: Version) -> AreaIncident:
    return msgspec.structs.replace(fact, recorded_ms=version.recorded_ms, sequence=version.sequence)


def _content(fact: AreaIncident) -> tuple[object, ...]:
    return (fact.gone, fact.day, fact.sort, fact.area, fact.named)
