"""A city's service without a broker that keeps `households.events.v1` as an archive would hold it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from load_tests.city.pocket import Pocket
from schemas.topics import HOUSEHOLD_EVENTS
from sinks.store import LogBlock
from streams.delivery import Letter


class Logged(Pocket):
    """A Pocket with a log, in memory."""

    def __init__(self, seal_public_key: bytes, partitions: int = 4, trial: tuple[str, ...] = ()) -> None:
        super().__init__(seal_public_key, partitions, trial)
        self._logs: dict[int, list[tuple[int, bytes]]] = defaultdict(list)

    def send(self, letters: Iterable[Letter]) -> None:
        """Puts messages where their stage will find them."""
        told = list(letters)
        for letter in told:
            if letter.topic == HOUSEHOLD_EVENTS:
                self._logs[letter.partition].append((letter.timestamp_ms or 0, letter.value or b""))
        super().send(told)

    def blocks(self) -> Iterator[LogBlock]:
        """Everything so far, partition by partition."""
        for partition, log in sorted(self._logs.items()):
            for offset, (at_ms, value) in enumerate(log):
                yield LogBlock("g1", partition, offset, at_ms, value)
