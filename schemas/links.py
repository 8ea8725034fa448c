"""What a household shows of something it may share with others: messages of `links.v1`, keyed by the thing shared.

A saying replaces the household's earlier one under the same key; `at` tells which is later and is unique in the
household's log, so that neither order nor repetition decides anything.
"""

import msgspec


class Use(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A person of the household uses it from `since` until `until` (day ordinals, half-open)."""

    person: str
    since: int
    until: int | None


class Saying(msgspec.Struct, frozen=True, gc=False):
    """One household, one key. `kin`: people of the household and their relatives; `area`: where it is on record.

    No `uses`: nothing any more, so nothing else is said either. `known_ms`: when the household knew.
    """

    kind: str
    key: str
    household: str
    at: int
    known_ms: int
    uses: tuple[Use, ...]
    kin: tuple[str, ...]
    area: str

    @property
    def link(self) -> str:
        """What it is about: the message's key, which decides the partition."""
        return f"{self.kind}|{self.key}"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Saying).decode


def encode_saying(saying: Saying) -> bytes:
    """Value of a message of `links.v1`."""
    return _encode(saying)


def decode_saying(value: bytes) -> Saying:
    """Reads such a message. Raises msgspec.DecodeError (or ValidationError)."""
    return _decode(value)
