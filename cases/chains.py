"""What is remembered of a case_id besides the case itself: the digests of its events and which inputs they answered."""

from dataclasses import dataclass, field

from cases.digests import GENESIS
from schemas.cases import CaseEvent


@dataclass(slots=True)
class Chain:
    """The history of one case_id without its payloads. A command for a case that never was has a chain and no case."""

    links: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    ticked_ms: int = 0

    @property
    def last(self) -> str:
        """Digest of the newest event."""
        return self.links[-1] if self.links else GENESIS

    def add(self, event: CaseEvent, digest: str) -> None:
        """The next event of this case_id."""
        self.links.append(digest)
        if event.cause.command_id is not None:
            self.commands.append(event.cause.command_id)
        self.ticked_ms = max(self.ticked_ms, event.cause.tick_ms or 0)
