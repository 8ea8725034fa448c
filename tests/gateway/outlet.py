"""A Publisher that keeps everything in memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.envelope import Delivery, Manifest, Outcome
from schemas.feed import FEEDS


@dataclass
class Sent:
    """One message as the broker would get it."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    timestamp_ms: int | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Outlet:
    """Partitions of every topic, in order."""

    count: int = 4
    sent: list[Sent] = field(default_factory=list)
    flushed: int = 0

    def partitions(self, topic: str) -> int:
        return self.count

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        self.sent.append(Sent(topic, partition, key, value, timestamp_ms, headers))

    def flush(self) -> None:
        self.flushed = len(self.sent)

    def outcomes(self, known_at_ms: int = 4_000_000_000_000) -> list[Outcome]:
        specs = {spec.topic: spec for spec in FEEDS.every}
        return [o for m in self.sent for o in specs[m.topic].decode(m.value, known_at_ms)]

    def deliveries(self) -> list[Delivery]:
        return [o for o in self.outcomes() if isinstance(o, Delivery)]

    def manifests(self) -> list[Manifest]:
        return [o for o in self.outcomes() if isinstance(o, Manifest)]

    def events(self) -> list[dict[str, Any]]:
        found = [json.loads(m.value) for m in self.sent]
        return [e for item in found for e in (item if isinstance(item, list) else [item])]

    def text(self) -> str:
        return "\n".join(f"{m.topic} {m.key!r} {m.value.decode()}" for m in self.sent)
