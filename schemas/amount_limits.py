"""What intake is told of a feed's amounts, in `intake.control.v1` beside what is parked: limits, and who lifted them.

Limits follow from the feed's own report cards and are told again whenever cards are made; the last ones hold.
"""

import msgspec

_LIMITS, _LIFTED = "amounts/", "amounts-checked/"


class AmountLimits(msgspec.Struct, frozen=True):
    """By field of a feed: from how many fen to below how many an amount is in line. Empty: nothing is held back."""

    at_ms: int
    limits: dict[str, tuple[int, int]] = {}


class LimitsLifted(msgspec.Struct, frozen=True):
    """Somebody asked the department: until `until_ms` amounts of the feed are taken as they are."""

    at_ms: int
    until_ms: int
    actor: str
    reason: str


def limits_key(feed: str) -> str:
    """The key of a feed's limits."""
    return _LIMITS + feed


def lifted_key(feed: str) -> str:
    """The key of what was said about them."""
    return _LIFTED + feed


def read_amounts(key: str, value: bytes) -> tuple[str, AmountLimits | LimitsLifted] | None:
    """The feed and what a record says of its amounts; None of other records. Raises msgspec.DecodeError."""
    if key.startswith(_LIFTED):
        return key.removeprefix(_LIFTED), msgspec.json.decode(value, type=LimitsLifted)
    if key.startswith(_LIMITS):
        return key.removeprefix(_LIMITS), msgspec.json.decode(value, type=AmountLimits)
    return None
