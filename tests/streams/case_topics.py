"""Case events and snapshots in topics of memory under the real state logs, and workers that come and go over them."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from schemas.alerts import Alert
from schemas.case_commands import Accept, CaseCommand, CaseTick, encode_command
from schemas.topics import ALERTS, CASE_COMMANDS, CASE_STATE
from streams.case_log import CaseLog, EventLog
from streams.case_partition import CasePartition
from streams.casework import Casework
from streams.delivery import Delivered, Letter
from streams.statelog import Item, KafkaStateLog
from tests.streams.making import PUBLIC_KEY, config

Record = tuple[bytes, bytes | None]


def known(work: Casework) -> dict[str, Any]:
    """Everything a partition knows, except what still has to go into a snapshot."""
    view = {name: value for name, value in vars(work.view).items() if name != "touched"}
    own = {name: value for name, value in vars(work).items() if name not in ("view", "_deadlines")}
    return own | view | {"order": list(work.view.cases)}


class Topics:
    """Partition 0 of some topics, as broker, producer and consumer. `read`: how many records were fetched."""

    def __init__(self) -> None:
        self.records: defaultdict[str, list[Record]] = defaultdict(list)
        self.first: defaultdict[str, int] = defaultdict(int)
        self.read: Counter[str] = Counter()

    async def send(self, letters: Iterable[Letter]) -> dict[tuple[str, int], list[Delivered]]:
        """Takes letters as a delivery does."""
        sent: dict[tuple[str, int], list[Delivered]] = {}
        for letter in letters:
            lane = sent.setdefault((letter.topic, 0), [])
            lane.append(Delivered(len(self.records[letter.topic]), 1))
            self.records[letter.topic].append((letter.key or b"", letter.value))
        return sent

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """What retention left."""
        return {place: self.first[place.topic] for place in places}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The next offset."""
        return {place: len(self.records[place.topic]) for place in places}

    def assign(self, places: list[TopicPartition]) -> None:
        """Nothing to do: `seek` follows."""

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Where reading goes on."""
        self._at = max(offset, self.first[place.topic])

    async def getmany(self, place: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        """Some records."""
        found = self.records[place.topic][self._at : self._at + 7]
        self._at += len(found)
        self.read[place.topic] += len(found)
        return {place: [SimpleNamespace(key=key, value=value) for key, value in found]}

    async def position(self, place: TopicPartition) -> int:
        """The next offset to read."""
        return self._at

    def unsubscribe(self) -> None:
        """Nothing to do."""

    def markers(self) -> list[int]:
        """Where markers lie among the snapshot's records."""
        return [at for at, (key, _) in enumerate(self.records[CASE_STATE]) if key.startswith(b"ckpt/")]


class _Events(EventLog):
    def __init__(self, topics: Topics) -> None:
        delivery: Any = topics
        super().__init__(config(), delivery)
        self._topics: Any = topics

    def _connected(self) -> Any:
        return self._topics


class _Snapshots(KafkaStateLog):
    def __init__(self, topics: Topics) -> None:
        delivery: Any = topics
        super().__init__(CASE_STATE, config(), delivery)
        self._topics: Any = topics

    def _connected(self) -> Any:
        return self._topics


class Desk:
    """A worker that owns partition 0."""

    def __init__(self, topics: Topics, every: int = 1) -> None:
        self.topics = topics
        self.log = CaseLog(_Events(topics), _Snapshots(topics))
        self.part = CasePartition(0, 1, PUBLIC_KEY)
        self.part.keep_snapshots(every)
        self.load()

    def load(self) -> bool:
        """Restores what is durable."""
        before = self.topics.read.copy()
        loaded = asyncio.run(self.log.load(0, self.part.restore, lambda: True))
        self.part.opened()
        self.fetched = self.topics.read - before
        return loaded

    def alert(self, told: Alert, at_ms: int) -> None:
        """An alert comes."""
        self.part.fold(ALERTS, 0, at_ms, told.model_dump_json().encode())

    def command(self, command: CaseCommand | CaseTick, at_ms: int) -> None:
        """A command or a tick comes."""
        self.part.fold(CASE_COMMANDS, 0, at_ms, encode_command(command))

    def accept(self, case_id: str, command_id: str, at_ms: int) -> None:
        """Somebody takes a case."""
        household = self.part.work.view.cases[case_id].household
        who = {"command_id": command_id, "case_id": case_id, "household": household, "actor": "王"}
        self.command(Accept.model_validate(who), at_ms)

    def checkpoint(self) -> list[Item]:
        """Delivers what is folded, as a checkpoint does."""
        asyncio.run(self.log.fence([0]))
        state = self.part.drain().state
        asyncio.run(self.log.write({0: state}))
        self.part.keep(state)
        return state
