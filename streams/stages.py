"""Stages of the stream as things that start, stop and tell how they are; composed by the front door."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from faust.types import EventT

from schemas.topics import ALERTS, CASE_COMMANDS, CASE_STATE, HOUSEHOLD_EVENTS, LINKS, LINKS_STATE, STATE
from streams.agent import serve
from streams.app import create_app
from streams.case_log import CaseLog, EventLog
from streams.case_partition import CasePartition
from streams.checkpoint import Checkpoint, Foldable
from streams.collector import calm_collector
from streams.config import StreamConfig
from streams.delivery import Delivery, Gate, Letter
from streams.guard import stop_process
from streams.intake import Intake
from streams.links import Links
from streams.memory_gate import MemoryGate
from streams.registry import Registry
from streams.statelog import KafkaStateLog, NoStateLog, StateLog
from streams.ticks import TICK_SECONDS, case_ticks, household_ticks, now_ms


class Stage(Protocol):
    """One stage in this process."""

    name: str

    async def start(self) -> None:
        """Connects and begins to work."""

    async def stop(self) -> None:
        """Delivers, commits, lets go; within 25 s."""

    def missing(self) -> list[str]:
        """What this stage still waits for, in Chinese; empty = ready."""

    def phase(self) -> dict[str, Any]:
        """What it is doing: phase and how much is not yet durable."""


class IntakeStage:
    """Feeds to households."""

    name = "intake"

    def __init__(
        self,
        config: StreamConfig,
        registry: Registry,
        gate: Gate | None = None,
        feeds: tuple[str, ...] | None = None,
    ) -> None:
        self._app = create_app("intake", config)
        self._app.producer_only = True  # Faust's conductor fails when no agent subscribes; intake reads by itself
        self._delivery = Delivery(config, gate, self.name)
        self.intake = Intake(config, self._delivery, registry, feeds=feeds)
        self._app.add_dependency(self.intake)

    async def start(self) -> None:
        """See Stage."""
        calm_collector()
        await self._delivery.start()
        await self._app.start()

    async def stop(self) -> None:
        """See Stage."""
        await self._app.stop()
        await self._delivery.stop()

    def missing(self) -> list[str]:
        """See Stage."""
        return [] if self.intake.assigned else ["接入环节还没有分到分区"]

    def phase(self) -> dict[str, Any]:
        """See Stage."""
        return {"phase": self.intake.phase, "dirty": self.intake.uncommitted}


class FoldStage:
    """A stage that folds co-partitioned topics through one checkpoint: monitor, links or cases."""

    def __init__(
        self,
        name: str,
        label: str,
        topics: tuple[str, ...],
        config: StreamConfig,
        log_of: Callable[[Delivery], StateLog],
        make: Callable[[int], Foldable],
        ticks: Callable[[set[int], int], list[Any]],
        gate: MemoryGate | None = None,
        *,
        unawaited: bool = False,
    ) -> None:
        """`unawaited`: who writes to this stage waits only until it has taken something in: what this stage sends goes
        back to the writer, and two that waited for one another's checkpoints would wait for ever."""
        self.name = name
        self._label = label
        self._config = config
        self._app = create_app(name, config)
        self._delivery = Delivery(config, gate, name)
        self.checkpoint = Checkpoint(
            name, self._app, config, self._delivery, log_of(self._delivery), make, topics
        )
        if gate is not None:
            self.checkpoint.on_delivered = lambda events: _tell(gate.read, name, *events)
            self.checkpoint.on_taken = lambda event: _tell(gate.read if unawaited else gate.took, name, event)
        self._ticks = ticks
        self._clock: asyncio.Task[None] | None = None
        serve(name, self._app, self.checkpoint, topics)

    async def start(self) -> None:
        """See Stage."""
        calm_collector()
        await self._delivery.start()
        await self.checkpoint.start()
        await self._app.start()
        if self._config.clock == "wall":
            self._clock = asyncio.create_task(self._watched_clock())

    async def stop(self) -> None:
        """See Stage."""
        if self._clock is not None:
            self._clock.cancel()
        await self._app.stop()
        await self.checkpoint.stop()
        await self._delivery.stop()

    def missing(self) -> list[str]:
        """See Stage."""
        return [] if self.checkpoint.assigned else [f"{self._label}环节还没有分到分区"]

    def phase(self) -> dict[str, Any]:
        """See Stage."""
        return {"phase": self.checkpoint.phase, "dirty": self.checkpoint.dirty}

    async def _watched_clock(self) -> None:
        """A clock that stands still is silence: deadlines would never pass again."""
        try:
            await self._keep_time()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            stop_process(self.name, error)

    async def _keep_time(self) -> None:
        """The owner of a partition says what time it is: on assignment and every five minutes."""
        told: dict[int, float] = {}
        loop = asyncio.get_running_loop()
        while True:
            owned = self.checkpoint.assigned
            due = {p for p in owned if loop.time() - told.get(p, -TICK_SECONDS) >= TICK_SECONDS}
            if due:
                await self._delivery.send(self._ticks(due, now_ms()))
            told = {p: loop.time() if p in due else told[p] for p in owned}
            await asyncio.sleep(1.0)


def _tell(heard: Callable[[str, str, int, int], None], reader: str, *events: EventT[bytes]) -> None:
    for event in events:
        message = event.message
        heard(reader, message.topic, message.partition, message.offset + 1)


def monitor_stage(
    config: StreamConfig,
    make: Callable[[int], Foldable],
    gate: MemoryGate | None = None,
) -> FoldStage:
    """Households' ledgers and alerts; state in `households.state.v1`, none when embedded."""

    def log_of(delivery: Delivery) -> StateLog:
        return NoStateLog() if config.embedded else KafkaStateLog(STATE, config, delivery)

    return FoldStage(
        "monitor", "监测", (HOUSEHOLD_EVENTS,), config, log_of, make, household_ticks, gate
    )


def links_stage(
    config: StreamConfig,
    make: Callable[[int], Links],
    gate: MemoryGate | None = None,
) -> FoldStage:
    """What spans households; state in `links.state.v1`, none when embedded."""

    def log_of(delivery: Delivery) -> StateLog:
        return NoStateLog() if config.embedded else KafkaStateLog(LINKS_STATE, config, delivery)

    return FoldStage("links", "跨户比对", (LINKS,), config, log_of, make, _no_ticks, gate, unawaited=True)


def _no_ticks(partitions: set[int], at_ms: int) -> list[Letter]:
    """What households share has days of its own and asks for no clock."""
    return []


def cases_stage(
    config: StreamConfig,
    make: Callable[[int], CasePartition],
    gate: MemoryGate | None = None,
) -> FoldStage:
    """Case work; its state is the fold of `cases.events.v1`, with snapshots in `cases.state.v1`, none when embedded."""

    def log_of(delivery: Delivery) -> StateLog:
        snapshots = NoStateLog() if config.embedded else KafkaStateLog(CASE_STATE, config, delivery)
        return CaseLog(EventLog(config, delivery), snapshots)

    def made(partition: int) -> CasePartition:
        part = make(partition)
        if not config.embedded:
            part.keep_snapshots()
        return part

    return FoldStage("cases", "办理", (ALERTS, CASE_COMMANDS), config, log_of, made, case_ticks, gate)
