"""Write-behind checkpoint of a stage: outputs delivered, then state, then the input offset. Nothing is committed early.

A crash anywhere repeats work and changes nothing, because folding skips what a partition has already applied.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

from faust.types import TP, EventT

from schemas.errors import Stop
from schemas.topics import ALERTS
from streams.app import StageApp
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.failpoints import failpoint
from streams.guard import stop_process
from streams.metrics import METRICS
from streams.statelog import Item, StateLog

CLOSE_SECONDS = 15.0
MAX_DIRTY = 150_000


class Drained(NamedTuple):
    """What one partition has to deliver: outputs first, then state, the marker last."""

    outputs: list[Letter]
    state: list[Item]


class Foldable(Protocol):
    """One partition's pure state. All methods are synchronous."""

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        """Takes one input message."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Takes one record of the state log."""

    def opened(self) -> None:
        """Everything is restored; folding begins."""

    def reset(self) -> bool:
        """Forgets what is not durable; False when that cannot be told apart and everything has to be loaded again."""

    def drain(self) -> Drained:
        """Encodes and hands over everything since the last drain."""

    def keep(self, state: list[Item]) -> None:
        """These records are durable now."""

    @property
    def dirty(self) -> int:
        """Records that the next drain would write."""

    @property
    def reached(self) -> int | None:
        """The first input offset that is not folded yet; None where the state does not say."""


class Checkpoint:
    """Owns the partitions of one stage in this process: load, fold, deliver, acknowledge, let go.

    `fold` is synchronous and may run while a delivery is in flight. Every send error ends the process.
    """

    def __init__(
        self,
        stage: str,
        app: StageApp,
        config: StreamConfig,
        delivery: Delivery,
        log: StateLog,
        make: Callable[[int], Foldable],
        topics: tuple[str, ...],
    ) -> None:
        self.stage = stage
        self._app = app
        self._config = config
        self._delivery = delivery
        self._log = log
        self._make = make
        self._topics = topics
        self.partitions: dict[int, Foldable] = {}
        self._ready: set[int] = set()
        self._expected: dict[TP, int] = {}
        self._pending: list[EventT[bytes]] = []
        self._lock = asyncio.Lock()
        self._epoch = 0
        self._accepting = False
        self._due = time.monotonic()
        self.phase = "idle"
        self.on_delivered: Callable[[list[EventT[bytes]]], None] = lambda events: None
        self.on_taken: Callable[[EventT[bytes]], None] | None = None
        app.on_partitions_revoked.connect(cast(Any, self._revoked), weak=False)
        app.on_rebalance_complete.connect(cast(Any, self._assigned), weak=False)
        app.before_stop = self._stopping

    async def start(self) -> None:
        """Connects the state log; call before the app starts."""
        await self._log.start()

    async def stop(self) -> None:
        """Disconnects; the app has already let its partitions go."""
        await self._log.stop()

    async def ready(self, partition: int) -> bool:
        """Brings the partition's state up to date before its first block; False when it is no longer ours."""
        if partition in self._ready:
            return True
        epoch = self._epoch
        part = self.partitions.get(partition)
        if part is None:
            part = self.partitions[partition] = self._make(partition)
        if not await self._log.load(partition, part.restore, lambda: epoch == self._epoch):
            return False
        part.opened()
        self._ready.add(partition)
        return True

    def fold(self, event: EventT[bytes]) -> bool:
        """Folds one message unless it belongs to an old assignment. Raises Stop on a gap in offsets or state."""
        message = event.message
        stale = message.generation_id != self._app.consumer_generation_id
        if not self._accepting or stale or message.partition not in self._ready:
            return False  # never acknowledged: the next owner gets it again
        self._check_contiguous(message.tp, message.offset)
        self.partitions[message.partition].fold(
            message.topic, message.offset, int(message.timestamp * 1000), message.value or b""
        )
        self._pending.append(event)
        if self.on_taken is not None:
            self.on_taken(event)
        return True

    async def between(self) -> None:
        """Between two messages. Where outputs wait for our own reading, reading waits for no checkpoint."""
        if self.on_taken is None:
            await self.when_due()
        else:
            await asyncio.sleep(0)

    async def when_due(self) -> None:
        """Runs a checkpoint when one is due by time or by dirty records."""
        if time.monotonic() >= self._due or self.dirty >= MAX_DIRTY:
            await self.run()

    @property
    def dirty(self) -> int:
        """Records waiting over all partitions."""
        return sum(part.dirty for part in self.partitions.values())

    @property
    def assigned(self) -> set[int]:
        """Partitions this worker owns now."""
        if not self._accepting:
            return set()
        return {tp.partition for tp in self._app.consumer.assignment() if tp.topic in self._topics}

    @property
    def pause_seconds(self) -> float:
        """How long the timer sleeps between looks at whether a checkpoint is due."""
        return self._config.checkpoint_seconds / 2

    async def run(self) -> None:
        """Outputs → state → acknowledge. Folding goes on meanwhile; its results belong to the next run."""
        async with self._lock:
            self._due = time.monotonic() + self._config.checkpoint_seconds
            if not self._pending:
                return
            try:
                await self._once()
            except BaseException as error:
                stop_process(self.stage, error)  # going on would lose the drained state

    async def _once(self) -> None:
        began, epoch = time.monotonic(), self._epoch
        pending, self._pending = self._pending, []
        drained = {p: part.drain() for p, part in self.partitions.items() if p in self._ready}
        await self._deliver({p: d for p, d in drained.items() if d.outputs or d.state})
        if epoch != self._epoch:
            self._distrust(drained)
            return
        for partition, done in drained.items():
            self.partitions[partition].keep(done.state)
        for event in pending:
            event.ack()
        self.phase = "commit"
        await self._app.consumer.commit()
        failpoint(f"{self.stage}.after_commit")
        self.phase = "fold"
        self.on_delivered(pending)
        self._measure(began, drained)

    async def _deliver(self, drained: dict[int, Drained]) -> None:
        self.phase = "outputs"
        await self._log.fence(drained)
        failpoint(f"{self.stage}.before_outputs")
        await self._delivery.send(letter for done in drained.values() for letter in done.outputs)
        failpoint(f"{self.stage}.after_outputs")
        self.phase = "state"
        states = {p: done.state for p, done in drained.items() if done.state}
        first = dict(list(states.items())[:1])
        await self._log.write(first)
        failpoint(f"{self.stage}.mid_state")
        await self._log.write({p: items for p, items in states.items() if p not in first})
        failpoint(f"{self.stage}.after_state")

    def _check_contiguous(self, tp: TP, offset: int) -> None:
        expected = self._expected.get(tp)
        if expected is None:
            committed = cast(Any, self._app.consumer)._committed_offset  # noqa: SLF001 - Faust keeps it private
            expected = committed.get(tp) or 0
            self._check_state(tp, expected)
        if offset > expected:
            raise Stop(f"{tp.topic}/{tp.partition} 的位移不连续：应为 {expected}，收到 {offset}")
        self._expected[tp] = offset + 1

    def _check_state(self, tp: TP, committed: int) -> None:
        """State is durable before its input is committed: one that has not come so far is not the one we wrote."""
        reached = self.partitions[tp.partition].reached
        if reached is not None and committed > reached:
            raise Stop(
                f"{tp.topic}/{tp.partition} 已读到 {committed}，保存的状态只到 {reached}：状态主题被清空、截断或换过，"
                "请停止监测和跨户比对环节，运行 lidm rebuild --switch 后再启动"
            )

    def _distrust(self, drained: dict[int, Drained]) -> None:
        """Delivered, but perhaps not ours any more: forget local copies instead of trusting either version."""
        for partition in drained:
            self.partitions.pop(partition, None)
            self._ready.discard(partition)
            self._log.forget(partition)

    def _discard(self) -> None:
        """One synchronous step: cache, dirty, outputs, pending and expected offsets go together."""
        self._epoch += 1
        self._pending = []
        self._expected = {}
        self._ready = set()
        for partition in [p for p, part in self.partitions.items() if not part.reset()]:
            del self.partitions[partition]
            self._log.forget(partition)

    async def _close(self) -> None:
        self._accepting = False
        try:
            await asyncio.wait_for(self.run(), CLOSE_SECONDS)
            await asyncio.wait_for(self._app.consumer.commit(), CLOSE_SECONDS)
        except TimeoutError as error:
            stop_process(self.stage, error)
        self._discard()

    async def _revoked(self, app: Any, revoked: Any, **kwargs: Any) -> None:
        if app is self._app:
            await self._close()

    async def _assigned(self, app: Any, **kwargs: Any) -> None:
        if app is self._app:
            self._discard()
            mine = {tp.partition for tp in app.consumer.assignment() if tp.topic in self._topics}
            for partition in [p for p in self.partitions if p not in mine]:
                del self.partitions[partition]
                self._log.forget(partition)
            self._accepting = not app.should_stop

    async def _stopping(self) -> None:
        await self._close()

    def _measure(self, began: float, drained: dict[int, Drained]) -> None:
        METRICS.time("lidm_checkpoint_seconds", time.monotonic() - began, stage=self.stage)
        written = sum(len(i.value or b"") for done in drained.values() for i in done.state)
        METRICS.count("lidm_checkpoint_bytes_total", written)
        if self._config.clock == "wall":
            now = time.time()
            for letter in (out for done in drained.values() for out in done.outputs):
                if letter.topic == ALERTS and letter.timestamp_ms is not None:
                    METRICS.time("lidm_event_to_alert_seconds", max(0.0, now - letter.timestamp_ms / 1000))
        METRICS.set("lidm_dirty_records", self.dirty)
        METRICS.set("lidm_loop_progress_timestamp_seconds", time.time(), stage=self.stage)
