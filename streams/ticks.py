"""Time enters the stream as records: ticks, "it is at least t". Only their writer looks at a clock."""

import time
from collections.abc import Iterable

from schemas.case_commands import CaseTick, encode_command
from schemas.records import TickBody, TickRecord, encode_block
from schemas.topics import CASE_COMMANDS, HOUSEHOLD_EVENTS
from streams.delivery import Letter

TICK_SECONDS = 300.0


def household_ticks(partitions: Iterable[int], at_ms: int) -> list[Letter]:
    """One tick for each of these partitions of `households.events.v1`."""
    value = encode_block([TickRecord("", at_ms, "", 0, 0, TickBody(at_ms))])
    return [Letter(HOUSEHOLD_EVENTS, p, None, value, at_ms) for p in partitions]


def case_ticks(partitions: Iterable[int], at_ms: int) -> list[Letter]:
    """One tick for each of these partitions of `cases.commands.v1`."""
    value = encode_command(CaseTick(at_ms=at_ms))
    return [Letter(CASE_COMMANDS, p, None, value, at_ms) for p in partitions]


def now_ms() -> int:
    """The wall clock, for writers of ticks in `LIDM_CLOCK=wall`."""
    return int(time.time() * 1000)
