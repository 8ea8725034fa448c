"""Who is watched, out of the archived log: households and people on a day, with what the ledger holds of them.

Only registrations, certificates and deaths are read; of two records of one fact the newer counts. What the ledger does
not hold (ethnicity, nationality) is not here either.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from households.overruled import newer
from households.residence import rank
from households.standing import in_force
from schemas.facts import Death, Declared, Fact, Membership
from schemas.facts_standing import Disability
from schemas.feed_units import is_unit
from schemas.records import PersonRecord, TransferBody, decode_block

_KINDS = (Membership, Disability, Death)
_CHILD_UNDER, _OLD_FROM = 18, 60


class Person(NamedTuple):
    """Somebody who lives in a watched household. `age`, `sex` None: the register does not say."""

    household: str
    age: int | None
    disabled: bool
    sex: str | None = None


class Home(NamedTuple):
    """A watched household. `apart`: registered and living in different areas, None where nobody decided on it."""

    area: str
    apart: bool | None
    disabled: bool
    makeup: str


@dataclass(frozen=True)
class Population:
    """Everybody on a day, by pseudonym and by household."""

    on: date
    homes: dict[str, Home] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)


def population(blocks: Iterable[bytes], on: date) -> Population:
    """The population these blocks tell of."""
    memberships, certificates, dead = _read(blocks, on.toordinal())
    day, living = on.toordinal(), Population(on)
    decided: dict[str, Membership] = {}
    for person, told in memberships.items():
        home = max((each for each in told if each.covers(day)), key=rank, default=None)
        if home is None or is_unit(home.household):
            continue
        held = decided.get(home.household)
        if home.declared is not None and (held is None or rank(held) < rank(home)):
            decided[home.household] = home
        if person not in dead:
            disabled = bool(in_force(certificates.get(person, ()), day))
            living.people[person] = Person(home.household, _age(home.born, on), disabled, home.sex)
    members: dict[str, list[Person]] = {}
    for each in living.people.values():
        members.setdefault(each.household, []).append(each)
    for household, people in sorted(members.items()):
        head = decided.get(household)
        living.homes[household] = _home(head.declared if head is not None else None, people)
    return living


def _read(
    blocks: Iterable[bytes], day: int
) -> tuple[dict[str, list[Membership]], dict[str, list[Disability]], set[str]]:
    """The newest live records of each kind by person; who is reported dead by the day."""
    newest: dict[tuple[str, str, str], Fact] = {}
    for block in blocks:
        for record in decode_block(block):
            if not isinstance(record, PersonRecord):
                continue
            body = record.body
            for fact in body.facts if isinstance(body, TransferBody) else (body.fact,):
                if isinstance(fact, _KINDS):
                    place = (body.person, fact.feed, fact.key)
                    held = newest.get(place)
                    if held is None or newer(fact, held):
                        newest[place] = fact
    memberships: dict[str, list[Membership]] = {}
    certificates: dict[str, list[Disability]] = {}
    dead: set[str] = set()
    for (person, _, _), fact in sorted(newest.items(), key=lambda each: (each[0][0], each[1].day, each[0][2])):
        if fact.gone:
            continue
        if isinstance(fact, Membership):
            memberships.setdefault(fact.person, []).append(fact)
        elif isinstance(fact, Disability):
            certificates.setdefault(person, []).append(fact)
        elif fact.day <= day:
            dead.add(person)
    return memberships, certificates, dead


def _home(declared: Declared | None, people: list[Person]) -> Home:
    area = declared.responsible_area if declared is not None else ""
    apart = declared.hukou_area != declared.residence_area if declared is not None else None
    return Home(area, apart, any(each.disabled for each in people), _makeup([each.age for each in people]))


def _makeup(ages: list[int | None]) -> str:
    if any(age is not None and age < _CHILD_UNDER for age in ages):
        return "有未成年人"
    if any(age is None for age in ages):
        return "出生日期不全"
    return "全是60岁以上" if all(age is not None and age >= _OLD_FROM for age in ages) else "其他"


def _age(born: int | None, on: date) -> int | None:
    if born is None:
        return None
    when = date.fromordinal(born)
    return on.year - when.year - ((on.month, on.day) < (when.month, when.day))
