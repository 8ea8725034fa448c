"""What households show of things they may share, and what follows for each person from all that was shown.

Both are pure: `shown` follows from one ledger, `shared` from the newest saying of each household, whatever came first.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from households.ledger import Household
from schemas.facts import Membership
from schemas.facts_standing import FamilyChange
from schemas.feeds.links import SharedAccount
from schemas.feeds.payee import Holder, Payee
from schemas.links import Saying, Use

LINKED = frozenset((Membership.feed, Payee.feed, FamilyChange.feed))
"""Feeds whose facts may change what a household shows."""
MANY = 20
"""So many households and more are told as so many: beyond it nothing is learned, and each one more would be news."""
MANY_AREAS = 8
SOURCE = "跨户比对"


class Shown(NamedTuple):
    """What a household shows under one key; nothing where it uses the thing no more."""

    kind: str
    key: str
    uses: tuple[Use, ...]
    kin: tuple[str, ...]
    area: str


def shown(household: Household) -> list[Shown]:
    """Every account that anybody here was ever paid into, in order. What an institution holds for many is left out."""
    accounts = {
        fact.account for facts in household.head.lasting.values() for fact in facts if fact.__class__ is Payee
    }
    if not accounts:
        return []
    uses: dict[str, list[Use]] = {}
    for person in sorted(household.head.lasting):
        for fact in household.of_kind(Payee, person):
            if fact.holder != Holder.INSTITUTION:
                uses.setdefault(fact.account, []).append(Use(person, fact.day, fact.until))
    kin, area = _kin(household), household.responsible_area
    return [
        Shown("account", each, tuple(uses[each]), kin, area) if each in uses else Shown("account", each, (), (), "")
        for each in sorted(accounts)
    ]


def shared(link: str, sayings: Mapping[str, Saying]) -> dict[str, SharedAccount]:
    """For each person who uses an account together with unrelated households: the fact to tell; nobody else is told.

    Households are related when they have a person or a relative in common, directly or through others of the account.
    The version is made of the sayings alone: the same sayings give the same fact, a later one a newer version.
    """
    using = {name: each for name, each in sayings.items() if each.uses}
    group = _groups(using)
    known_ms, sequence = version_of(sayings.values())
    spans = [(use, group[name]) for name, each in sorted(using.items()) for use in each.uses]
    turns = sorted({day for use, _ in spans for day in (use.since, use.until) if day is not None})
    counts = [(day, len({which for use, which in spans if _covers(use, day)})) for day in turns]
    account = link.partition("|")[2]
    found = {}
    for person in sorted({use.person for use, _ in spans}):
        own = [use for use, _ in spans if use.person == person]
        steps = tuple(_steps(counts, own))
        if steps:
            mine = {which for use, which in spans if use.person == person}
            areas = {each.area for name, each in using.items() if group[name] not in mine and each.area}
            told = tuple(sorted(areas)) if len(areas) <= MANY_AREAS else ()
            head = (f"{account}|{person}", known_ms, sequence, "link", SOURCE, False, steps[0][0])
            found[person] = SharedAccount(*head, account, steps, told)
    return found


def version_of(sayings: Iterable[Saying]) -> tuple[int, int]:
    """Grows with every newer saying of any household, whichever came first: (when known, how much was said)."""
    known_ms = sequence = 0
    for each in sayings:
        known_ms, sequence = max(known_ms, each.known_ms), sequence + each.at + 1
    return known_ms, sequence


def _kin(household: Household) -> tuple[str, ...]:
    people = {each.person for each in household.head.members if not each.gone}
    people |= {each.relative for each in household.of_kind(FamilyChange) if each.relative is not None}
    return tuple(sorted(people))


def _groups(using: Mapping[str, Saying]) -> dict[str, str]:
    """Each household with the first name of those it is related to."""
    parent = {name: name for name in using}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    first: dict[str, str] = {}
    for name, each in sorted(using.items()):
        for person in (*each.kin, *(use.person for use in each.uses)):
            one, other = sorted((root(name), root(first.setdefault(person, name))))
            parent[other] = one
    return {name: root(name) for name in using}


def _steps(counts: Iterable[tuple[int, int]], own: list[Use]) -> Iterator[tuple[int, int]]:
    """From which day on how many, as far as it is shared while this person uses it."""
    last = 0
    for day, count in counts:
        told = min(count, MANY) if count > 1 and any(_covers(use, day) for use in own) else 0
        if told != last:
            yield day, told
            last = told


def _covers(use: Use, day: int) -> bool:
    return use.since <= day and (use.until is None or day < use.until)
