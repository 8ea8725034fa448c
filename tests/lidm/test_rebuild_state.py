"""`lidm rebuild` over the stored records themselves, whoever wrote them; only the broker is made of memory."""

import json
from collections import defaultdict
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from kafka import TopicPartition

from households.codec import CODEC_VERSION, FOLD_VERSION
from lidm.commands import rebuild
from schemas.errors import DataError, Stop
from schemas.topics import HOUSEHOLD_EVENTS, STATE
from streams import rebuild as reading
from streams import rewrite
from streams.control import Marker
from streams.delivery import Letter
from streams.rebuild import differences, read_state
from streams.watch import Watch
from tests.streams.making import config, content, fold, story

BLOCKS = story(households=4, weeks=2).blocks
END = len(BLOCKS)
OTHER = [(CODEC_VERSION - 1, FOLD_VERSION), (CODEC_VERSION, FOLD_VERSION + 1), (0, 0)]


class Broker:
    """Log and state of one partition, as consumer, producer and what the command asks about the monitor."""

    def __init__(self, committed: int = END) -> None:
        self.records: defaultdict[str, list[Any]] = defaultdict(list)
        self.records[HOUSEHOLD_EVENTS] = [self._record(None, value, at_ms) for _, at_ms, value in BLOCKS]
        self.dies_after: int | None = None
        self._committed = committed

    def _record(self, key: bytes | None, value: bytes | None, at_ms: int = 0) -> Any:
        return SimpleNamespace(partition=0, key=key, value=value, timestamp=at_ms)

    def put(self, key: str, value: bytes | None) -> None:
        """One more state record."""
        self.records[STATE].append(self._record(key.encode(), value))

    # ---- what the command asks

    def members(self, stage: str) -> int:
        return 0

    def committed(self, stage: str) -> dict[tuple[str, int], int]:
        return {(HOUSEHOLD_EVENTS, 0): self._committed}

    def ends(self, topic: str) -> dict[int, int]:
        return {0: len(self.records[topic])}

    # ---- producer

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, letters: Iterable[Letter]) -> None:
        for count, letter in enumerate(letters):
            if count == self.dies_after:
                raise ConnectionError
            self.records[letter.topic].append(self._record(letter.key, letter.value))


class Consumer:
    """Reads a topic of the broker from its beginning, some records at a time."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._at: dict[TopicPartition, int] = {}

    def assign(self, places: list[TopicPartition]) -> None:
        self._at = dict.fromkeys(places, 0)

    def seek_to_beginning(self, place: TopicPartition) -> None:
        self._at[place] = 0

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        found = {}
        for place, at in self._at.items():
            records = self._broker.records[place.topic][at : at + 7]
            found[place] = [SimpleNamespace(**vars(each), offset=n) for n, each in enumerate(records, at)]
            self._at[place] += len(records)
        return found

    def position(self, place: TopicPartition) -> int:
        return self._at[place]

    def close(self) -> None: ...


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A cluster whose monitor has folded the whole log with this code and stopped."""
    made = Broker()
    monkeypatch.setattr(rebuild, "load_settings", SimpleNamespace)
    monkeypatch.setattr(rebuild, "stream_config", lambda settings: config())
    monkeypatch.setattr(rebuild, "Lag", lambda *_: made)
    monkeypatch.setattr(reading, "KafkaConsumer", lambda **_: Consumer(made))
    monkeypatch.setattr(rewrite, "Delivery", lambda *_: made)
    watch = Watch(0, config())
    fold(watch, BLOCKS)
    for item in watch.drain().state:
        made.put(item.key.decode(), item.value)
    return made


def mark(broker: Broker, versions: tuple[int, int]) -> None:
    """Another program wrote the last marker."""
    broker.put("ckpt/0", msgspec.msgpack.encode(Marker(END, *versions)))


def run(*options: str) -> dict[str, Any]:
    """What the command answers; its own errors are raised."""
    answered = CliRunner().invoke(rebuild.command, ["--json", *options], catch_exceptions=False, standalone_mode=False)
    return dict(json.loads(answered.output))


def stored(broker: Broker) -> Watch:
    """The state as a monitor loads it."""
    return read_state(config(), broker.ends(STATE))[0]


def folded() -> Watch:
    """The state that the whole log gives."""
    watch = Watch(0, config())
    fold(watch, BLOCKS)
    watch.keep(watch.drain().state)
    return watch


def test_our_own_state_does_not_differ(broker: Broker) -> None:
    assert run() == {"from": "log", "records": len(content(folded())), "different": 0, "switched": False}


@pytest.mark.parametrize("versions", OTHER)
def test_state_of_another_version_differs_in_everything_and_is_replaced(
    broker: Broker, versions: tuple[int, int]
) -> None:
    mark(broker, versions)
    with pytest.raises(Stop, match="rebuild"):
        stored(broker)
    with pytest.raises(DataError, match="另一版本"):
        run()
    done = run("--switch")
    assert (done["different"], done["switched"]) == (done["records"] + 1, True)
    assert content(stored(broker)) == content(folded())
    assert run()["different"] == 0


def test_records_only_the_other_program_knew_are_gone_afterwards(broker: Broker) -> None:
    broker.put("h_" + "0" * 32, b"\0" * 8 + b"\xff of another codec")
    broker.put("h_" + "0" * 32 + "/2026H1", b"\0" * 8 + b"\xff of another codec")
    mark(broker, OTHER[0])
    run("--switch")
    assert content(stored(broker)) == content(folded())


@pytest.mark.parametrize("after", [1, 4, -1])
def test_a_switch_that_died_half_way_is_done_again(broker: Broker, after: int) -> None:
    mark(broker, OTHER[0])
    letters = 1 + 2 * len(content(folded())) + len(folded().control_records())
    broker.dies_after = after % letters
    with pytest.raises(ConnectionError):
        run("--switch")
    with pytest.raises(Stop, match="rebuild"):
        stored(broker)
    broker.dies_after = None
    assert run("--switch")["switched"]
    assert content(stored(broker)) == content(folded())


@pytest.mark.parametrize("versions", [OTHER[0], (CODEC_VERSION, FOLD_VERSION)])
def test_state_that_was_durable_before_its_offset_was_committed_is_replaced_as_well(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, versions: tuple[int, int]
) -> None:
    """A crash between the two; a shorter fold would leave the old marker, or a marker beyond the ledgers."""
    monkeypatch.setattr(broker, "_committed", END - 3)
    mark(broker, versions)
    run("--switch")
    assert content(stored(broker)) == content(folded())
    assert not differences(stored(broker), folded())
