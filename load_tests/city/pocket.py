"""The service without a broker: the pure halves of intake, monitor and cases, called one after the other.

For trying a city or a rule in seconds and for tests: same functions as in the workers, no delivery, no state log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from gateway.publisher import Publisher
from schemas.alerts import Alert
from schemas.cases import CaseEvent, decode_event
from schemas.feed import FEEDS
from schemas.topics import ALERTS, ALIASES, CASE_COMMANDS, HOUSEHOLD_EVENTS, REJECTED
from streams.case_partition import CasePartition
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.hints import AliasRecord
from streams.registry import Registry
from streams.routing import Inbound, Router
from streams.watch import Watch

_SPECS = {spec.topic: spec for spec in FEEDS.every}


class Pocket:
    """A Service. `trial`: rules on trial that run too. `counts`: what intake made of the feeds: records routed,
    rejections, facts out of scope."""

    def __init__(self, seal_public_key: bytes, partitions: int = 4, trial: tuple[str, ...] = ()) -> None:
        config = StreamConfig("nowhere:0", partitions, clock="driven", seal_public_key=seal_public_key, trial=trial)
        self._registry = Registry()
        self._router = Router(self._registry, partitions, seal_public_key)
        self._watches = [Watch(p, config) for p in range(partitions)]
        self._cases = [CasePartition(p, partitions, seal_public_key) for p in range(partitions)]
        for watch in self._watches:
            watch.opened()
        self._waiting: dict[str, list[Letter]] = defaultdict(list)
        self._offsets: Counter[tuple[str, int]] = Counter()
        self._alerts: list[Alert] = []
        self._events: list[CaseEvent] = []
        self._told = 0
        self.partition_count = partitions
        self.publisher: Publisher = _Shelf(self)
        self.counts: Counter[str] = Counter()

    def send(self, letters: Iterable[Letter]) -> None:
        """Puts messages where their stage will find them."""
        for letter in letters:
            self._waiting[letter.topic].append(letter)

    def settle(self, *stages: str) -> None:
        """Every stage runs until nothing is left to read, whichever were asked for."""
        while any(self._waiting.values()):
            waiting, self._waiting = self._waiting, defaultdict(list)
            for letter in waiting.pop(ALIASES, []):
                self._registry.alias((letter.key or b"").decode(), _person(letter.value))
            self.counts["rejected"] += len(waiting.pop(REJECTED, []))
            blocks, commands = waiting.pop(HOUSEHOLD_EVENTS, []), waiting.pop(CASE_COMMANDS, [])
            alerts = waiting.pop(ALERTS, [])
            self._intake(waiting)
            self._monitor(blocks)
            self._case_work([*alerts, *commands])

    def alerts(self) -> list[Alert]:
        """Every revision so far."""
        return list(self._alerts)

    @property
    def watches(self) -> Sequence[Watch]:
        """The monitor's partitions as they stand; not to be changed."""
        return self._watches

    def case_events(self) -> list[CaseEvent]:
        """Case events since the last call."""
        fresh, self._told = self._events[self._told :], len(self._events)
        return fresh

    @property
    def every_case_event(self) -> list[CaseEvent]:
        """Case events since this was opened."""
        return list(self._events)

    def _place(self, letter: Letter) -> tuple[str, int, int, int, bytes]:
        where = (letter.topic, letter.partition)
        offset = self._offsets[where]
        self._offsets[where] += 1
        return letter.topic, letter.partition, offset, letter.timestamp_ms or 0, letter.value or b""

    def _intake(self, feeds: dict[str, list[Letter]]) -> None:
        for topic, letters in feeds.items():
            inbound = []
            for letter in letters:
                _, partition, offset, at_ms, value = self._place(letter)
                inbound.append(Inbound(topic, partition, offset, at_ms, letter.key, value))
            if topic in _SPECS:
                self._router.take(_SPECS[topic], inbound)
        letters, _, counts = self._router.drain()
        self.counts["events"] += counts.events.total()
        self.counts["out_of_scope"] += counts.out_of_scope.total()
        self.send(letters)

    def _monitor(self, blocks: Iterable[Letter]) -> None:
        for block in blocks:
            _, partition, offset, at_ms, value = self._place(block)
            self._watches[partition].fold(HOUSEHOLD_EVENTS, offset, at_ms, value)
        for watch in self._watches:
            outputs, state = watch.drain()
            watch.keep(state)
            for letter in outputs:
                if letter.topic == ALERTS:
                    self._alerts.append(Alert.model_validate_json(letter.value or b""))
            self.send(outputs)

    def _case_work(self, inputs: Iterable[Letter]) -> None:
        for letter in inputs:
            topic, partition, offset, at_ms, value = self._place(letter)
            self._cases[partition].fold(topic, offset, at_ms, value)
        for work in self._cases:
            outputs, state = work.drain()
            self._events.extend(decode_event(item.value or b"") for item in state)
            self.send(outputs)


class _Shelf:
    """A Publisher into a Pocket."""

    def __init__(self, pocket: Pocket) -> None:
        self._pocket = pocket

    def partitions(self, topic: str) -> int:
        """Every topic has the same number."""
        return self._pocket.partition_count

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Takes one message."""
        self._pocket.send([Letter(topic, partition, key, value, timestamp_ms, tuple(headers))])

    def flush(self) -> None:
        """Nothing is under way."""


def _person(value: bytes | None) -> str:
    return msgspec.json.decode(value or b"", type=AliasRecord).person
