"""Who belongs where: routing hints for intake, folded from `households.members.v1` and `persons.aliases.v1`.

A hint may be old: the ledgers are the truth and forward what was sent to a household a person has left.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import msgspec

from schemas.facts import Fact, Membership, Version
from schemas.provisional import is_provisional
from schemas.records import Route

F = TypeVar("F", bound=Fact)


class Stay(msgspec.Struct, frozen=True, gc=False):
    """One membership as a router needs it; also the JSON value of a record in `households.members.v1`."""

    person: str
    household: str
    since: int
    until: int | None
    recorded_ms: int
    sequence: int
    event_id: str
    gone: bool = False

    @property
    def version(self) -> Version:
        """The version of the membership fact."""
        return Version(self.recorded_ms, self.sequence, self.event_id)


class Targets(NamedTuple):
    """Where a fact goes, and what the router knew. `until`: the end of a provisional household; None for others."""

    households: tuple[str, ...]
    route: Route | None
    until: int | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Stay).decode


class Registry:
    """Memberships by person, newest version per (household, valid_from). Merging is idempotent and commutative."""

    def __init__(self) -> None:
        self._stays: dict[str, tuple[Stay, ...]] = {}
        self._targets: dict[str, Targets] = {}
        self._aliases: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._stays)

    def person(self, pseudonym: str) -> str:
        """The pseudonym under which this person was first known."""
        return self._aliases.get(pseudonym, pseudonym)

    def renamed(self, fact: F, person: str) -> F:
        """A person's fact with everybody it names as they were first known."""
        others = {name: getattr(fact, name) for name in fact.people}
        later: dict[str, object] = {name: self.person(each) for name, each in others.items() if each in self._aliases}
        return msgspec.structs.replace(fact, key=fact.key.replace(person, self.person(person)), **later)

    def alias(self, pseudonym: str, person: str) -> None:
        """From now on both mean the same person."""
        self._aliases[pseudonym] = person

    def merge(self, stay: Stay) -> bool:
        """Takes one membership; True when it changed what we know."""
        known = self._stays.get(stay.person, ())
        for old in known:
            if old.household == stay.household and old.since == stay.since:
                if old.version >= stay.version:
                    return False
                known = tuple(s for s in known if s is not old)
                break
        self._stays[stay.person] = (*known, stay)
        self._targets.pop(stay.person, None)
        return True

    def current(self, person: str) -> Stay | None:
        """The membership that began last, by version where two began on one day; never by order of arrival."""
        live = [s for s in self._stays.get(person, ()) if not s.gone]
        return max(live, key=lambda s: (s.since, s.version, s.household), default=None)

    def targets(self, person: str, day: int) -> Targets | None:
        """Households a fact of `day` belongs to: where the person is now and where they were then. None = unwatched."""
        known = self._targets.get(person)
        if known is not None:
            return known
        now = self.current(person)
        if now is None:
            return None
        stays = self._stays[person]
        if len(stays) == 1:
            only = self._targets[person] = Targets((now.household,), None, _end(now))
            return only
        then = {
            s.household: None
            for s in sorted(stays, key=lambda s: s.since)
            if not s.gone and s.since <= day and (s.until is None or day < s.until)
        }
        households = tuple({now.household: None, **then})
        return Targets(households, Route(seen=now.version), _end(now))

    def provisional(self, person: str) -> list[Stay]:
        """Provisional memberships of a person that still stand."""
        return [s for s in self._stays.get(person, ()) if not s.gone and is_provisional(s.household)]

    def households_of(self, person: str) -> Iterable[str]:
        """Every household the person was ever known in, in the order learned."""
        return dict.fromkeys(s.household for s in self._stays.get(person, ()))


def _end(stay: Stay) -> int | None:
    return stay.until if is_provisional(stay.household) else None


def stay_of(fact: Membership) -> Stay:
    """The routing hint in a membership fact."""
    return Stay(
        person=fact.person,
        household=fact.household,
        since=fact.day,
        until=fact.until,
        recorded_ms=fact.recorded_ms,
        sequence=fact.sequence,
        event_id=fact.event_id,
        gone=fact.gone,
    )


def encode_stay(stay: Stay) -> bytes:
    """Value of a record in `households.members.v1`."""
    return _encode(stay)


def decode_stay(value: bytes) -> Stay:
    """Reads such a record. Raises msgspec.DecodeError."""
    return _decode(value)


def stay_key(stay: Stay) -> bytes:
    """Compaction key: the membership's natural key, so that no writer can overwrite another membership."""
    return f"{stay.person}|{stay.household}|{stay.since}".encode()
