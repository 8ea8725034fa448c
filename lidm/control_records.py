"""Control records of operators: appended to every partition of `households.events.v1`, with what was last activated."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import zstandard

from lidm.settings import Settings
from lidm.ways_in import moment_of, publisher_of
from policy.bundle import Bundle
from schemas.records import PolicyBody, PolicyRecord, Record, encode_block
from schemas.topics import HOUSEHOLD_EVENTS

PACE = 200
"""Households of a partition that a sweep asks at a time, at most once a checkpoint: as many as a block has records."""


def append_everywhere(settings: Settings, make: Callable[[int], Record], at: datetime | None) -> int:
    """One record, made from its known-at ms, as the newest of every partition. Returns how many partitions.

    Raises Unreachable when it is not certain that every partition has it; appending again is harmless.
    """
    recorded, timestamp_ms = moment_of(settings, at)
    block = encode_block([make(int(recorded.timestamp() * 1000))])
    with publisher_of(settings) as publisher:
        partitions = publisher.partitions(HOUSEHOLD_EVENTS)
        for partition in range(partitions):
            publisher.send(HOUSEHOLD_EVENTS, partition, b"", block, timestamp_ms)
    return partitions


def activate(settings: Settings, bundle: Bundle, at: datetime | None) -> int:
    """The whole bundle, from here on. Notes its hash in the data folder."""
    body = PolicyBody(bundle.hash, zstandard.compress(bundle.canonical()), PACE)
    partitions = append_everywhere(settings, lambda known_at: PolicyRecord("", known_at, "", 0, 0, body), at)
    receipt = _receipt(settings)
    receipt.parent.mkdir(parents=True, exist_ok=True)
    receipt.write_text(json.dumps({"hash": bundle.hash, "actor": settings.actor}) + "\n", encoding="utf-8")
    return partitions


def activated(settings: Settings) -> str | None:
    """Hash of the bundle last activated from this data folder, None when none was."""
    receipt = _receipt(settings)
    return str(json.loads(receipt.read_text(encoding="utf-8"))["hash"]) if receipt.is_file() else None


def _receipt(settings: Settings) -> Path:
    return settings.data_dir / "policy-activated.json"
