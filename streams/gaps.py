"""Messages that retention took before their reader saw them: the reader stops, until somebody answers for the loss.

The answer is a commit at the first message still there, with a note in its metadata. It covers exactly what was lost by
then: another gap stops the reader again. Whoever begins at such a commit logs the note and counts what is missing.
"""

import json
from typing import Literal, NamedTuple, Protocol

import msgspec
import structlog

log = structlog.get_logger("lidm.gaps")
_MARK = "lidm-gap "
NOTE_CHARACTERS = 300
"""Longest reason: escaped it has to fit, with the rest, into the 4,096 bytes Kafka takes with a commit."""


class Meter(Protocol):
    """Where the figure goes."""

    def count(
        self, name: Literal["lidm_gap_messages_accepted_total"], amount: float = 1, **labels: str
    ) -> None: ...


class GapNote(msgspec.Struct, frozen=True):
    """Who accepted that so many messages of a partition are never read, and why."""

    lost: int
    by: str
    why: str
    at: str


class Gap(NamedTuple):
    """Messages of a partition from `expected` on that are gone; the first still there is `first`."""

    topic: str
    partition: int
    expected: int
    first: int

    @property
    def lost(self) -> int:
        """How many."""
        return self.first - self.expected


def encode_note(note: GapNote) -> str:
    """The metadata of the commit."""
    return _MARK + json.dumps(msgspec.to_builtins(note))


def decode_note(metadata: str) -> GapNote | None:
    """The note in a commit's metadata; None when it carries something else."""
    if not metadata.startswith(_MARK):
        return None
    return msgspec.json.decode(metadata.removeprefix(_MARK), type=GapNote)


def tell(note: GapNote, stage: str, topic: str, partition: int, meter: Meter | None) -> None:
    """Says and counts that a reader begins behind an accepted gap."""
    log.warning("gap_accepted", stage=stage, topic=topic, partition=partition, **msgspec.to_builtins(note))
    if meter is not None:
        meter.count("lidm_gap_messages_accepted_total", note.lost, stage=stage, topic=topic)


def way_on(stage: str) -> str:
    """What an operator can do, for the sentence with which a reader stops."""
    return f"；确认无法补回后，由负责人执行 lidm topics accept-gap {stage}"
