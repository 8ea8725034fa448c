"""Households as bytes, and as plain values for comparisons.

A head's bytes start with the day on which it wants to be looked at again (4 bytes, big endian, `NEVER` for none), so
that an index over days is built without decoding; then the codec version, then msgpack. Only what is read is decoded.
"""

import struct
from typing import Any

import msgspec

from households.ledger import Household
from households.pages import LIMIT_BYTES, Pages, check_version, decode_page, encode_entries, too_large
from households.residence import rank
from households.state import CODEC_VERSION, FOLD_VERSION, Episode, Head
from households.wholes import as_it_stands
from schemas.facts import AnyFact, Membership

NEVER = 0xFFFFFFFF
NOT_APPLIED = -1

_PREFIX = struct.Struct(">IB")
_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(Head).decode


def encode_head(head: Head) -> bytes:
    """The head as bytes, without `applied`: a head that says nothing new is the same bytes, and is not written again.

    Raises Stop when it is larger than what one record may hold.
    """
    day, applied = head.recheck_on, head.applied
    head.applied = NOT_APPLIED
    try:
        raw = _PREFIX.pack(NEVER if day is None else day, CODEC_VERSION) + _encode(head)
    finally:
        head.applied = applied
    return raw if len(raw) <= LIMIT_BYTES else too_large(len(raw))


def decode_head(raw: bytes) -> Head:
    """The head `encode_head` was called on, `applied` left open. Raises Stop on another codec's bytes."""
    check_version(raw[4])
    return _decode_head(memoryview(raw)[5:])


def recheck_of(raw: bytes) -> int | None:
    """The day ordinal on which a head wants to be looked at again."""
    day = int.from_bytes(raw[:4], "big")
    return None if day == NEVER else day


def canonical(household: Household) -> dict[str, Any]:
    """What two households with the same knowledge agree on, however it came: facts that count here, and episodes.

    Left out: what is only held for others, positions, revisions and ids, which depend on the order of arrival.
    """
    head = household.head
    people = {*head.lasting, *(person for page in household.pages.values() for person in page)}
    facts = {
        person: [_plain(fact) for fact in as_it_stands(household, person, _here(household, person))]
        for person in sorted(people)
    }
    return {
        "household": household.id,
        "members": [_membership(each) for each in sorted(head.members, key=lambda each: (each.person, rank(each)))],
        "facts": {person: each for person, each in facts.items() if each},
        "episodes": in_force(head.episodes),
        "waiting": sorted(head.waiting),
    }


def _here(household: Household, person: str) -> list[AnyFact]:
    return household.belongs(person, household.held(person))


def in_force(episodes: list[Episode]) -> list[list[str | int]]:
    """(detector, cause, since) of the open episodes, in order."""
    return sorted([each.detector, each.cause, each.since] for each in episodes if each.ended is None)


def _plain(fact: AnyFact) -> list[Any]:
    if fact.gone:
        return [fact.feed, fact.key, list(fact.version), "gone"]
    return [fact.feed, *msgspec.to_builtins(fact)[1:]]


def _membership(fact: Membership) -> list[Any]:
    return _plain(fact)


__all__ = [
    "CODEC_VERSION",
    "FOLD_VERSION",
    "LIMIT_BYTES",
    "NEVER",
    "Pages",
    "canonical",
    "decode_head",
    "decode_page",
    "encode_entries",
    "encode_head",
    "in_force",
    "recheck_of",
]
