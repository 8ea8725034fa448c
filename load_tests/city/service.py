"""What the driver needs of a running service, whatever it runs on: a broker, a stack, or nothing but memory."""

from collections.abc import Iterable
from typing import Protocol

from gateway.publisher import Publisher
from schemas.alerts import Alert
from schemas.cases import CaseEvent
from streams.delivery import Letter


class Service(Protocol):
    """A `lidm` on the driven clock: nothing in it ticks by itself."""

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        ...

    @property
    def publisher(self) -> Publisher:
        """Where department files go."""
        ...

    def send(self, letters: Iterable[Letter]) -> None:
        """Delivers control records, ticks and commands."""
        ...

    def settle(self, *stages: str) -> None:
        """Returns when these stages have read, delivered and committed everything that was sent before."""
        ...

    def alerts(self) -> Iterable[Alert]:
        """Every revision on `alerts.v1`, in the order of each partition."""
        ...

    def case_events(self) -> list[CaseEvent]:
        """Case events since the last call."""
        ...
