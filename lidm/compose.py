"""Composition of the parts: which stages run in this process, on which broker and store, and how they end."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from gateway.keys import KeyFiles, read_key
from lidm.ending import STOP_SECONDS
from lidm.feed_cards import keep_cards
from lidm.gauges import keep_gauges
from lidm.health import Health, beat, listen
from lidm.logs import configure_logs
from lidm.settings import Settings
from schemas.topics import FEED_REPORTS, Catalogue
from sinks.archive import Archive
from sinks.clickhouse import ClickHouseStore
from sinks.consumers import group_consumer
from sinks.store import AlertStore, StoreError
from streams.case_partition import CasePartition
from streams.config import StreamConfig
from streams.gaps import way_on
from streams.guard import stop_process
from streams.limits import BreakerLimits
from streams.links import Links
from streams.metrics import METRICS
from streams.registry import Registry
from streams.stages import IntakeStage, Stage, cases_stage, links_stage, monitor_stage
from streams.watch import Watch

log = structlog.get_logger("lidm.compose")
MIGRATE_PAUSE_SECONDS = 2.0


def stream_config(settings: Settings, **changes: Any) -> StreamConfig:
    """What the stages need, from the settings."""
    seal_key = settings.seal_public_key_file or KeyFiles.under(settings.keys_dir).seal_public
    config = StreamConfig(
        broker=settings.bootstrap,
        partitions=Catalogue.partitions(settings.effective_size),
        replication=settings.effective_replication,
        clock=settings.effective_clock,
        session_seconds=settings.session_seconds,
        checkpoint_seconds=settings.checkpoint_seconds,
        instance=settings.instance,
        data_dir=settings.data_dir,
        generation=settings.generation,
        seal_public_key=read_key(seal_key, secret=False),
        area=settings.area,
        trial=settings.trial,
        breaker=BreakerLimits(settings.breaker_share, settings.breaker_rows, settings.breaker_minutes),
    )
    return replace(config, **changes) if changes else config


def clickhouse_store(settings: Settings) -> AlertStore:
    """The ClickHouse server named by the settings or the running stack."""
    at = settings.clickhouse
    return ClickHouseStore(
        at.host,
        at.port,
        database=settings.clickhouse_database,
        user=settings.clickhouse_user,
        password=settings.clickhouse_password,
    )


class ArchiveStage:
    """The archive as a stage: kafka-python and the store in a thread of its own."""

    name = "archive"

    def __init__(self, archive: Archive, store: AlertStore) -> None:
        self.archive = archive
        self._store = store
        self._stopping = threading.Event()
        self._waiting: str | None = None
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)

    async def start(self) -> None:
        """See Stage."""
        self._thread.start()

    async def stop(self) -> None:
        """See Stage."""
        self._stopping.set()
        self.archive.stop()
        await asyncio.to_thread(self._thread.join, STOP_SECONDS)

    def missing(self) -> list[str]:
        """See Stage."""
        if self.archive.ready:
            return []
        return [f"归档环节未就绪：{self._waiting or self.archive.last_error or '正在连接'}"]

    def caught_up(self) -> bool:
        """Whether everything said about feeds so far stands in the store."""
        return self.archive.ready and not self.archive.lag.get(FEED_REPORTS, 0)

    def phase(self) -> dict[str, Any]:
        """See Stage."""
        waiting = sum(self.archive.lag.values())
        return {"phase": "insert" if waiting else "idle", "dirty": waiting}

    def _run(self) -> None:
        try:
            self._migrate()
            self.archive.run()
        except BaseException as error:
            stop_process("archive", error)


    def _migrate(self) -> None:
        """Brings the tables up to date; a store that is away now is waited for, as it is later."""
        while not self._stopping.is_set():
            try:
                self._store.migrate(beside_others=True)
                self._waiting = None
                return
            except StoreError as error:
                self._waiting = error.message_zh
                self._stopping.wait(MIGRATE_PAUSE_SECONDS)


def build_stage(name: str, settings: Settings, config: StreamConfig) -> Stage:
    """One stage against a real broker and a real store."""
    if name == "intake":
        return IntakeStage(config, Registry())
    if name == "monitor":
        return monitor_stage(config, lambda p: Watch(p, config))
    if name == "links":
        return links_stage(config, lambda p: Links(p, config))
    if name == "cases":
        return cases_stage(config, lambda p: CasePartition(p, config.partitions, config.seal_public_key))
    store = clickhouse_store(settings)
    archive = Archive(
        store,
        lambda: group_consumer(config.broker, session_seconds=config.session_seconds),
        generation=config.generation,
        meter=METRICS,
        way_on=way_on("archive"),
    )
    return ArchiveStage(archive, store)


async def _serve(
    stages: list[Stage],
    health: Health,
    config: StreamConfig,
    port: int,
    ready: Callable[[int], None],
    beside: Sequence[Coroutine[Any, Any, None]] = (),
) -> None:
    """Runs stages until SIGTERM or SIGINT, then lets them finish; a stop that takes too long ends the process."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    pulse = asyncio.create_task(beat(health))
    runner, bound = await listen(health, port)
    await asyncio.gather(*(stage.start() for stage in stages))
    gauges = keep_gauges(stages, config.broker, config.partitions, config.embedded)
    tasks = [asyncio.create_task(each) for each in (gauges, *beside)]
    ready(bound)
    await done.wait()
    for task in tasks:
        task.cancel()
    try:
        await asyncio.wait_for(asyncio.gather(*(stage.stop() for stage in stages)), STOP_SECONDS)
    except TimeoutError as error:
        stop_process("stop", error)
    pulse.cancel()
    await runner.cleanup()


def run_stages(names: tuple[str, ...], settings: Settings) -> None:
    """Runs stages in this process against the announced or configured stack until told to stop."""
    configure_logs(settings.log_level)
    config = stream_config(settings)
    stages = [build_stage(name, settings, config) for name in names]
    health = health_of(stages)
    face = settings.data_dir / "run" / f"worker-{os.getpid()}.json"

    def ready(port: int) -> None:
        write_face(face, {"pid": os.getpid(), "stages": list(names), "http": f"http://127.0.0.1:{port}"})
        log.info("started", stages=names, http_port=port)

    try:
        asyncio.run(_serve(stages, health, config, settings.http_port, ready, _beside(stages, settings)))
    finally:
        face.unlink(missing_ok=True)
    log.info("stopped", stages=names)


def _beside(stages: list[Stage], settings: Settings) -> list[Coroutine[Any, Any, None]]:
    """What runs along with the archive on the wall clock; a driven clock has a driver for it."""
    archives = [stage for stage in stages if isinstance(stage, ArchiveStage)]
    if settings.effective_clock != "wall":
        return []
    return [keep_cards(settings, clickhouse_store(settings), each.caught_up) for each in archives]


def health_of(stages: list[Stage]) -> Health:
    """What the loopback pages say of these stages."""
    return Health(
        ready=lambda: [text for stage in stages for text in stage.missing()],
        phase=lambda: {stage.name: stage.phase() for stage in stages},
    )


def write_face(path: Path, content: dict[str, Any]) -> None:
    """Says how this process can be reached; whole or not at all, readable by its owner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content))
    fresh.replace(path)
