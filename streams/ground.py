"""What rules are asked on: the day, the policy of that day, and whether they may speak."""

from typing import Protocol

from policy.bundle import Bundle


class Ground(Protocol):
    """A partition as the rules see it: its own, or that of a shadow run."""

    @property
    def bundle(self) -> Bundle | None: ...

    @property
    def on(self) -> int | None: ...

    def live(self, detector: str, area: str) -> bool: ...

    def awaits(self, detector: str, area: str, household: str) -> bool: ...

    def stopped(self, detector: str, area: str) -> bool: ...
