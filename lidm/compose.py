"""Composition of the parts: which stages run in this process, on which broker and store, and how they end."""

import asyncio
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from gateway.keys import KeyFiles, read_key
from lidm.embedded_history import History, history_of
from lidm.ending import STOP_SECONDS, stop_in_order
from lidm.gauges import keep_gauges
from lidm.health import Health, beat, listen
from lidm.logs import configure_logs
from lidm.settings import Settings
from schemas.errors import Stop
from schemas.topics import ALERTS, CASE_COMMANDS, CASE_EVENTS, HOUSEHOLD_EVENTS, REJECTED, Catalogue, feed_topic
from sinks.archive import Archive
from sinks.clickhouse import ClickHouseStore
from sinks.consumers import assigned_consumer, group_consumer
from sinks.embedded import EmbeddedStore
from sinks.store import AlertStore, StoreError
from streams.case_partition import CasePartition
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.guard import stop_process
from streams.lag import Lag
from streams.memory_gate import MemoryGate
from streams.metrics import METRICS
from streams.registry import Registry
from streams.stages import IntakeStage, OnRead, Stage, cases_stage, monitor_stage
from streams.watch import Watch

log = structlog.get_logger("lidm.compose")
MIGRATE_PAUSE_SECONDS = 2.0
UNREAD_BYTES = 2_000_000


def stream_config(settings: Settings, **changes: Any) -> StreamConfig:
    """What the stages need, from the settings."""
    seal_key = settings.seal_public_key_file or KeyFiles.under(settings.keys_dir).seal_public
    config = StreamConfig(
        broker=settings.bootstrap,
        partitions=Catalogue.partitions(settings.effective_size),
        clock=settings.effective_clock,
        session_seconds=settings.session_seconds,
        checkpoint_seconds=settings.checkpoint_seconds,
        instance=settings.instance,
        data_dir=settings.data_dir,
        generation=settings.generation,
        seal_public_key=read_key(seal_key, secret=False),
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
                self._store.migrate()
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
    if name == "cases":
        return cases_stage(config, lambda p: CasePartition(p, config.partitions, config.seal_public_key))
    store = clickhouse_store(settings)
    archive = Archive(
        store,
        lambda: group_consumer(config.broker, session_seconds=config.session_seconds),
        generation=config.generation,
        meter=METRICS,
    )
    return ArchiveStage(archive, store)


async def _serve(
    stages: list[Stage], health: Health, config: StreamConfig, port: int, ready: Callable[[int], None]
) -> None:
    """Runs stages until SIGTERM or SIGINT, then lets them finish; a stop that takes too long ends the process."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    pulse = asyncio.create_task(beat(health))
    runner, bound = await listen(health, port)
    await asyncio.gather(*(stage.start() for stage in stages))
    gauges = asyncio.create_task(keep_gauges(stages, config.broker, config.partitions, config.embedded))
    ready(bound)
    await done.wait()
    gauges.cancel()
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
    health = _health(stages)
    face = settings.data_dir / "run" / f"worker-{os.getpid()}.json"

    def ready(port: int) -> None:
        _write(face, {"pid": os.getpid(), "stages": list(names), "http": f"http://127.0.0.1:{port}"})
        log.info("started", stages=names, http_port=port)

    try:
        asyncio.run(_serve(stages, health, config, settings.http_port, ready))
    finally:
        face.unlink(missing_ok=True)
    log.info("stopped", stages=names)


def _health(stages: list[Stage]) -> Health:
    return Health(
        ready=lambda: [text for stage in stages for text in stage.missing()],
        phase=lambda: {stage.name: stage.phase() for stage in stages},
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content))
    fresh.replace(path)


@dataclass
class Embedded:
    """The whole service inside this process: in-memory broker, stages in a loop of their own, store on disk."""

    settings: Settings
    config: StreamConfig
    broker: str
    store: AlertStore
    stages: list[Stage]
    _loop: asyncio.AbstractEventLoop
    _gate: MemoryGate

    def wait_quiet(self, timeout_seconds: float = 600.0) -> None:
        """Returns once every stage has read, delivered and archived everything. Raises Stop on time-out."""
        lag = Lag(self.broker, self.config.partitions, embedded=True)
        until = time.monotonic() + timeout_seconds
        try:
            while lag.total("intake", "monitor", "cases", "archive"):
                if time.monotonic() > until:
                    raise Stop("各环节没有在限定时间内处理完")
                time.sleep(0.05)
        finally:
            lag.close()

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine in the service's loop and waits for it."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()


@contextmanager
def embedded(settings: Settings, *, clock: str | None = None, announce: bool = True) -> Iterator[Embedded]:
    """Starts the embedded service and stops it again. The broker is in memory; ledgers come back from the store."""
    configure_logs(settings.log_level)
    cluster, broker = _start_cluster()
    changes = {"broker": broker, "size": "trial", "clock": clock or settings.effective_clock}
    settings = settings.model_copy(update=changes)
    store = EmbeddedStore(settings.data_dir / "store")
    store.migrate()
    generation = f"e{time.time_ns() // 1_000_000}"
    config = stream_config(settings, embedded=True, generation=generation, max_unread_bytes=UNREAD_BYTES)
    gate = MemoryGate(UNREAD_BYTES, _readers())
    history = history_of(store, config)
    stages = _embedded_stages(config, store, gate, history)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="streams", daemon=True)
    thread.start()
    token = secrets.token_urlsafe(24)
    health = _health(stages)
    health.query = lambda sql, params: store.query(sql, params)
    health.token = token
    face = settings.data_dir / "run" / "service.json"
    service = Embedded(settings, config, broker, store, stages, loop, gate)
    runner, orderly = None, False
    try:
        runner, port = service.call(_start_all(stages, health, settings.http_port, config, history.owed))
        if announce:
            _write(
                face,
                {
                    "mode": "embedded",
                    "broker": broker,
                    "clickhouse": None,
                    "api": f"http://127.0.0.1:{port}",
                    "token": token,
                    "pid": os.getpid(),
                    "clock": config.clock,
                    "size": "trial",
                },
            )
        yield service
        orderly = True
    finally:
        if announce:
            face.unlink(missing_ok=True)
        try:
            if runner is not None:
                service.call(_stop_all(stages, runner, config if orderly else None))
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            store.close()
            del cluster


async def _start_all(
    stages: list[Stage], health: Health, port: int, config: StreamConfig, owed: list[Letter]
) -> tuple[Any, int]:
    """What is owed goes first: a later revision would silence an earlier one."""
    if owed:
        log.warning("said_again", messages=len(owed), note="上次没有来得及归档的预警与转送")
        delivery = Delivery(config)
        await delivery.start()
        await delivery.send(owed)
        await delivery.stop()
    health_task = asyncio.create_task(beat(health))
    health_task.add_done_callback(lambda task: None)
    runner, bound = await listen(health, port)
    await asyncio.gather(*(stage.start() for stage in stages))
    return runner, bound


async def _stop_all(stages: list[Stage], runner: Any, config: StreamConfig | None) -> None:
    """With a config: everything the broker holds is read first."""
    if config is None:
        await asyncio.wait_for(asyncio.gather(*(stage.stop() for stage in stages)), STOP_SECONDS)
    else:
        lag = await asyncio.to_thread(Lag, config.broker, config.partitions, True)
        try:
            await stop_in_order(stages, lag.total)
        finally:
            lag.close()
    await runner.cleanup()


def _readers() -> dict[str, set[str]]:
    return {
        HOUSEHOLD_EVENTS: {"monitor", "archive"},
        ALERTS: {"cases", "archive"},
        CASE_EVENTS: {"archive"},
        REJECTED: {"archive"},
    }


def _embedded_stages(config: StreamConfig, store: AlertStore, gate: MemoryGate, history: History) -> list[Stage]:
    """A partition that is let go and taken again goes on from the same history: there is no other."""
    archive = Archive(
        store,
        lambda: assigned_consumer(config.broker, config.partitions),
        generation=config.generation,
        meter=METRICS,
    )
    archive.on_commit = lambda topic, p, offset: gate.read("archive", topic, p, offset)
    on_read: OnRead = gate.read
    return [
        IntakeStage(config, history.registry, gate),
        monitor_stage(config, lambda p: history.watches[p], gate, on_read),
        cases_stage(
            config,
            lambda p: CasePartition(p, config.partitions, config.seal_public_key, history.cases.get(p, [])),
            gate,
            on_read,
        ),
        ArchiveStage(archive, store),
    ]


def _start_cluster() -> tuple[Any, str]:
    """librdkafka's in-memory cluster; it lives as long as the returned producer."""
    from confluent_kafka import Producer

    cluster = Producer({"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 2})
    for name in Catalogue.load().names:
        cluster.list_topics(name, timeout=10)
    host = next(iter(cluster.list_topics(timeout=10).brokers.values()))
    return cluster, f"{host.host}:{host.port}"


def run_embedded(settings: Settings) -> None:
    """`lidm run --embedded`: until SIGTERM or SIGINT."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with embedded(settings) as service:
        log.warning("broker_in_memory", broker=service.broker, note="消息只在内存里；台账与归档在磁盘上")
        print(f"内嵌服务已启动：消息服务 {service.broker}（只在内存中），数据目录 {settings.data_dir}", flush=True)
        done.wait()


__all__ = ["ALERTS", "CASE_COMMANDS", "Embedded", "build_stage", "embedded", "feed_topic", "run_embedded", "run_stages"]
