"""The whole service in one process: in-memory broker, stages in a loop of their own, store on disk."""

import asyncio
import os
import secrets
import signal
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from deploy.born import birth_of
from detectors.registry import running
from households.links import LINKED
from lidm.compose import ArchiveStage, health_of, stream_config, write_face
from lidm.embedded_history import History, history_of
from lidm.ending import STOP_SECONDS, stop_in_order
from lidm.feed_cards import keep_cards, recall_limits
from lidm.gauges import keep_gauges
from lidm.health import Health, beat, listen
from lidm.logs import configure_logs
from lidm.settings import Settings
from schemas.errors import CallError, Stop
from schemas.feed import FEEDS
from schemas.partition import partition_of
from schemas.topics import (
    ALERTS,
    ALERTS_SHADOW,
    CASE_EVENTS,
    FEED_REPORTS,
    HOUSEHOLD_EVENTS,
    LINKS,
    REJECTED,
    Catalogue,
    feed_topic,
)
from sinks.archive import Archive
from sinks.consumers import assigned_consumer
from sinks.embedded import EmbeddedStore
from sinks.reads import case_events
from sinks.store import AlertStore
from streams.case_partition import CasePartition
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.lag import Lag
from streams.memory_gate import MemoryGate
from streams.metrics import METRICS
from streams.stages import IntakeStage, Stage, cases_stage, links_stage, monitor_stage

log = structlog.get_logger("lidm.embedded")


@dataclass
class Embedded:
    """The whole service inside this process: in-memory broker, stages in a loop of their own, store on disk."""

    settings: Settings
    config: StreamConfig
    broker: str
    store: AlertStore
    stages: list[Stage]
    _loop: asyncio.AbstractEventLoop
    gate: MemoryGate

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
def embedded(
    settings: Settings, *, clock: str | None = None, announce: bool = True, feeds: Iterable[str] = ()
) -> Iterator[Embedded]:
    """Starts the embedded service and stops it again. The broker is in memory; ledgers come back from the store.

    `feeds`: kinds or versions to read from the first moment, besides those some detector listens to. Any other is read
    too, once somebody publishes it, but only after the broker has given out its partitions anew (half a minute).
    """
    configure_logs(settings.log_level)
    running = settings.announced
    if announce and running is not None and running.mode == "embedded" and running.pid != os.getpid():
        raise CallError(f"{settings.data_dir} 里已有内嵌服务（进程 {running.pid}）：请先停止它，或另指 LIDM_DATA_DIR")
    if settings.left_behind:
        log.warning("left_behind", note="上一个内嵌服务没有正常结束；从归档接着运行")
    cluster, broker = _start_cluster(_feeds_in_use(settings.trial).union(feeds))
    changes = {"broker": broker, "size": "trial", "clock": clock or settings.effective_clock}
    settings = settings.model_copy(update=changes)
    store = EmbeddedStore(settings.data_dir / "store")
    try:
        store.migrate()
        with _running(settings, store, announce=announce) as service:
            yield service
    finally:
        store.close()
        del cluster


@contextmanager
def _running(settings: Settings, store: AlertStore, *, announce: bool) -> Iterator[Embedded]:
    """Stages in a loop of their own, announced to other commands; after an orderly end nothing is left unread."""
    generation = f"e{time.time_ns() // 1_000_000}"
    config = stream_config(settings, embedded=True, generation=generation)
    gate = MemoryGate(settings.unread_bytes, _readers())
    history = history_of(store, config)
    stages = _embedded_stages(config, store, gate, history)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="streams", daemon=True)
    thread.start()
    service = Embedded(settings, config, config.broker, store, stages, loop, gate)
    health = health_of(stages)
    health.query, health.token = store.query, secrets.token_urlsafe(24)
    face = settings.data_dir / "run" / "service.json"
    started, orderly = None, False
    try:
        started = service.call(_start_all(service, health, history.owed))
        if announce:
            write_face(face, _face(service, started.port, health.token))
        yield service
        orderly = True
    finally:
        if announce:
            face.unlink(missing_ok=True)
        try:
            if started is not None:
                service.call(_stop_all(service, started, orderly=orderly))
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)


def _face(service: Embedded, port: int, token: str) -> dict[str, Any]:
    """What other commands need to find the service."""
    return {
        "mode": "embedded",
        "broker": service.broker,
        "clickhouse": None,
        "api": f"http://127.0.0.1:{port}",
        "token": token,
        "pid": os.getpid(),
        "born": birth_of(os.getpid()),
        "clock": service.config.clock,
        "size": "trial",
    }


@dataclass(frozen=True)
class _Started:
    """What runs beside the stages."""

    port: int
    runner: Any
    tasks: tuple[asyncio.Task[None], ...]


async def _start_all(service: Embedded, health: Health, owed: list[Letter]) -> _Started:
    """Readers first, so that what is owed finds room however much it is; and alerts that are owed before the monitor
    speaks: a later revision would silence an earlier one."""
    config, stage_of = service.config, {stage.name: stage for stage in service.stages}
    if owed:
        log.warning("said_again", messages=len(owed), note="上次没有来得及归档的预警与转送")
    runner, port = await listen(health, service.settings.http_port)
    await asyncio.gather(*(stage_of[name].start() for name in ("cases", "archive", "links")))
    await _say_again(service, [letter for letter in owed if letter.topic == ALERTS])
    await stage_of["monitor"].start()
    await _say_again(service, [letter for letter in owed if letter.topic != ALERTS])
    if config.clock == "wall":
        await asyncio.to_thread(recall_limits, service.settings, service.store)
    await stage_of["intake"].start()
    gauges = keep_gauges(service.stages, config.broker, config.partitions, True)
    beside = [beat(health), gauges]
    if config.clock == "wall":
        archive = next(stage for stage in service.stages if isinstance(stage, ArchiveStage))
        beside.append(keep_cards(service.settings, service.store, archive.caught_up, inside=True))
    return _Started(port, runner, tuple(map(asyncio.create_task, beside)))


async def _say_again(service: Embedded, letters: list[Letter]) -> None:
    """Through admission like everything else: the broker forgets what overflows."""
    if letters:
        delivery = Delivery(service.config, service.gate)
        await delivery.start()
        await delivery.send(letters)
        await delivery.stop()


async def _stop_all(service: Embedded, started: _Started, *, orderly: bool) -> None:
    """In order: everything the broker holds is read first."""
    for task in started.tasks:
        task.cancel()
    if orderly:
        lag = await asyncio.to_thread(Lag, service.broker, service.config.partitions, True)
        try:
            await stop_in_order(service.stages, lag.total)
        finally:
            lag.close()
    else:
        await asyncio.wait_for(asyncio.gather(*(stage.stop() for stage in service.stages)), STOP_SECONDS)
    await started.runner.cleanup()


def _readers() -> dict[str, set[str]]:
    return {
        HOUSEHOLD_EVENTS: {"monitor", "archive"},
        LINKS: {"links"},
        ALERTS: {"cases", "archive"},
        ALERTS_SHADOW: {"archive"},
        CASE_EVENTS: {"archive"},
        REJECTED: {"archive"},
        FEED_REPORTS: {"archive"},
    }


def _embedded_stages(config: StreamConfig, store: AlertStore, gate: MemoryGate, history: History) -> list[Stage]:
    """A partition that is let go and taken again goes on from the same ledgers: there are no others."""
    archive = Archive(
        store,
        lambda: assigned_consumer(config.broker, config.partitions),
        generation=config.generation,
        meter=METRICS,
    )
    archive.on_commit = lambda topic, p, offset: gate.read("archive", topic, p, offset)
    return [
        IntakeStage(config, history.registry, gate),
        monitor_stage(config, lambda p: history.watches[p], gate),
        links_stage(config, lambda p: history.links[p], gate),
        cases_stage(config, lambda p: _cases_of(p, config, store), gate),
        ArchiveStage(archive, store),
    ]


def _cases_of(partition: int, config: StreamConfig, store: AlertStore) -> CasePartition:
    """Begins from what is archived by now: the broker may have forgotten anything the archive has read."""
    own = [event for event in case_events(store) if partition_of(event.household, config.partitions) == partition]
    return CasePartition(partition, config.partitions, config.seal_public_key, own)


def _start_cluster(feeds: Iterable[str]) -> tuple[Any, str]:
    """librdkafka's in-memory cluster; it lives as long as the returned producer. Other feeds begin when published."""
    from confluent_kafka import Producer

    cluster = Producer({"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 2})
    later = {spec.topic for spec in FEEDS.every} - {feed_topic(feed) for feed in feeds}
    for name in Catalogue.load().names:
        if name not in later:
            cluster.list_topics(name, timeout=10)
    host = next(iter(cluster.list_topics(timeout=10).brokers.values()))
    return cluster, f"{host.host}:{host.port}"


def _feeds_in_use(trial: Iterable[str]) -> frozenset[str]:
    """The feeds some detector looks at, what households may share, and memberships: without them nobody is watched."""
    asked = (each for each in running(tuple(trial)).values() if each.about == "household")
    return LINKED.union(*(each.listens | each.absence for each in asked)).intersection(FEEDS)


def run_embedded(settings: Settings, feeds: Iterable[str] = ()) -> None:
    """`lidm run --embedded`: until SIGTERM or SIGINT."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with embedded(settings, feeds=feeds) as service:
        log.warning("broker_in_memory", broker=service.broker, note="消息只在内存里；台账与归档在磁盘上")
        print(f"内嵌服务已启动：消息服务 {service.broker}（只在内存中），数据目录 {settings.data_dir}", flush=True)
        done.wait()
