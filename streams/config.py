"""What every stage of the stream needs to know about where it runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from schemas.topics import Catalogue
from streams.limits import BreakerLimits


@dataclass(frozen=True)
class StreamConfig:
    """Broker, partitions, clocks and limits of one worker.

    `embedded`: the broker is librdkafka's in-memory cluster (no topic creation, no compaction, bounded memory).
    `decoded_households`: how many households a worker that owns every partition keeps decoded.
    `area`: who answers for provisional households whose fact names no area. `trial`: detectors on trial that run too.
    `shadows`: whether shadow runs are followed; what is live is the same without them.
    """

    broker: str
    partitions: int
    replication: int = 1
    clock: Literal["wall", "driven"] = "wall"
    embedded: bool = False
    session_seconds: float = 30.0
    checkpoint_seconds: float = 0.5
    instance: str | None = None
    data_dir: Path = Path(".lidm")
    generation: str = "g1"
    seal_public_key: bytes = b""
    catalogue: Catalogue = field(default_factory=Catalogue.load)
    fetch_bytes: int = 1024 * 1024
    decoded_households: int = 60_000
    compression: str = "snappy"
    area: str = ""
    trial: tuple[str, ...] = ()
    shadows: bool = True
    breaker: BreakerLimits = field(default_factory=BreakerLimits)

    def group(self, stage: str) -> str:
        """Consumer group of a stage; one per stage, whether stages share a process or not."""
        return f"lidm-{stage}"
