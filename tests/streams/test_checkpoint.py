"""The order of a checkpoint, and what it does when its partitions go away meanwhile. No broker: everything is noted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from schemas.errors import Stop
from streams import checkpoint as under_test
from streams.checkpoint import Checkpoint, Drained
from streams.delivery import Letter
from streams.statelog import Item
from tests.streams.making import config

TOPIC = "in"


class Part:
    """A partition whose state is the list of offsets it folded."""

    def __init__(self, notes: list[str]) -> None:
        self.fresh: list[int] = []
        self.kept: list[Item] = []
        self.reached: int | None = None
        self._notes = notes

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        self.fresh.append(offset)

    def restore(self, key: bytes, value: bytes | None) -> None: ...

    def opened(self) -> None:
        self._notes.append("opened")

    def reset(self) -> bool:
        self.fresh = []
        return True

    def drain(self) -> Drained:
        offsets, self.fresh = self.fresh, []
        outputs = [Letter("out", 0, None, str(n).encode()) for n in offsets]
        return Drained(outputs, [Item(str(n).encode(), b"1") for n in offsets])

    def keep(self, state: list[Item]) -> None:
        self.kept += state
        self._notes.append("kept")

    @property
    def dirty(self) -> int:
        return len(self.fresh)


class Log:
    """A state log that notes; `meanwhile` runs while it writes."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.forgotten: list[int] = []
        self.fails = False

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def load(self, partition: int, restore: Any, ours: Callable[[], bool]) -> bool:
        if self.meanwhile is not None:
            await self.meanwhile()
        return ours()

    async def fence(self, partitions: Iterable[int]) -> None:
        self.notes.append("fence")

    async def write(self, items: Mapping[int, list[Item]]) -> None:
        if items:
            self.notes.append("state")
        if self.fails:
            raise Stop("他人写入")
        if items and self.meanwhile is not None:
            await self.meanwhile()

    def forget(self, partition: int) -> None:
        self.forgotten.append(partition)


class World:
    """One checkpoint with everything around it."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.acked: list[int] = []
        self.hooks: dict[str, Any] = {}
        self.log = Log(self.notes)
        consumer = SimpleNamespace(
            assignment=lambda: {TP(TOPIC, 0)}, commit=self._note("commit"), _committed_offset={TP(TOPIC, 0): 5}
        )
        app: Any = SimpleNamespace(
            on_partitions_revoked=self._signal("revoked"),
            on_rebalance_complete=self._signal("complete"),
            consumer=consumer,
            consumer_generation_id=1,
            should_stop=False,
        )
        self.app = app
        delivery: Any = SimpleNamespace(send=self._note("outputs"))
        self.checkpoint = Checkpoint("test", app, config(), delivery, self.log, lambda p: Part(self.notes), (TOPIC,))

    def _note(self, what: str) -> Callable[..., Awaitable[None]]:
        async def noted(*given: object) -> None:
            for each in given:
                list(each)  # type: ignore[call-overload]
            self.notes.append(what)

        return noted

    def _signal(self, name: str) -> Any:
        return SimpleNamespace(connect=lambda hook, weak: self.hooks.__setitem__(name, hook))

    async def assigned(self) -> None:
        """The group is complete and the partition loaded."""
        await self.hooks["complete"](self.app)
        assert await self.checkpoint.ready(0)

    def take(self, *offsets: int, generation: int = 1) -> list[bool]:
        """Messages come in."""
        return [self.checkpoint.fold(self._event(offset, generation)) for offset in offsets]

    def _event(self, offset: int, generation: int) -> Any:
        message = SimpleNamespace(
            generation_id=generation, partition=0, topic=TOPIC, offset=offset, tp=TP(TOPIC, 0), timestamp=1.0, value=b""
        )
        return SimpleNamespace(message=message, ack=lambda: self.acked.append(offset))


def live(story: Callable[[World], Awaitable[None]]) -> World:
    """Plays a story in a world of its own."""
    world = World()

    async def play() -> None:
        await world.assigned()
        world.notes.clear()
        await story(world)

    asyncio.run(play())
    return world


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(stage: str, error: BaseException) -> None:
        raise SystemExit(4)

    monkeypatch.setattr(under_test, "stop_process", stop)


def test_outputs_then_state_then_acknowledgement() -> None:
    async def story(world: World) -> None:
        assert world.take(5, 6) == [True, True]
        assert not world.acked
        await world.checkpoint.run()

    world = live(story)
    assert world.notes == ["fence", "outputs", "state", "kept", "commit"]
    assert world.acked == [5, 6]


def test_folding_goes_on_while_a_delivery_is_in_flight() -> None:
    async def story(world: World) -> None:
        async def meanwhile() -> None:
            world.take(6)

        world.take(5)
        world.log.meanwhile = meanwhile
        await world.checkpoint.run()
        world.log.meanwhile = None
        assert world.acked == [5]
        await world.checkpoint.run()

    assert live(story).acked == [5, 6]


def test_a_gap_stops() -> None:
    async def story(world: World) -> None:
        world.take(5)
        with pytest.raises(Stop, match="不连续"):
            world.take(7)

    live(story)


def test_a_gap_behind_what_is_committed_stops() -> None:
    async def story(world: World) -> None:
        with pytest.raises(Stop, match="不连续"):
            world.take(6)

    live(story)


@pytest.mark.parametrize(("reached", "taken"), [(5, True), (9, True), (0, False), (4, False)])
def test_state_behind_what_is_committed_stops(reached: int, taken: bool) -> None:
    async def story(world: World) -> None:
        part = world.checkpoint.partitions[0]
        assert isinstance(part, Part)
        part.reached = reached
        if taken:
            assert world.take(5) == [True]
        else:
            with pytest.raises(Stop, match="rebuild --switch"):
                world.take(5)

    live(story)


def test_messages_of_an_old_assignment_are_neither_folded_nor_acknowledged() -> None:
    async def story(world: World) -> None:
        assert world.take(5, generation=0) == [False]
        await world.checkpoint.run()

    assert not live(story).acked


def test_an_assignment_that_ends_meanwhile_is_not_acknowledged() -> None:
    async def story(world: World) -> None:
        async def meanwhile() -> None:
            await world.hooks["complete"](world.app)

        world.take(5)
        world.log.meanwhile = meanwhile
        await world.checkpoint.run()

    world = live(story)
    assert not world.acked
    assert "kept" not in world.notes
    assert world.log.forgotten == [0]


def test_who_loses_partitions_delivers_first_and_forgets_then() -> None:
    async def story(world: World) -> None:
        world.take(5, 6)
        await world.hooks["revoked"](world.app, None)
        assert world.take(7) == [False]

    world = live(story)
    assert world.acked == [5, 6]
    assert world.checkpoint.dirty == 0
    assert world.notes[-1] == "commit"


def test_a_foreign_writer_ends_the_process() -> None:
    async def story(world: World) -> None:
        world.take(5)
        world.log.fails = True
        with pytest.raises(SystemExit):
            await world.checkpoint.run()

    assert not live(story).acked


def test_a_load_that_outlives_its_assignment_is_not_used() -> None:
    async def story() -> None:
        world = World()
        await world.hooks["complete"](world.app)

        async def meanwhile() -> None:
            await world.hooks["complete"](world.app)

        world.log.meanwhile = meanwhile
        assert not await world.checkpoint.ready(0)
        assert "opened" not in world.notes

    asyncio.run(story())
