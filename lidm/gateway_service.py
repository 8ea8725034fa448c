"""`lidm gateway run`: the ways in that the configuration opens, all ending in one publishing path, one at a time."""

import asyncio
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.aliases import FirstKnown
from gateway.config import GatewayConfig, View
from gateway.inbox import Arrival, Inbox, Taken
from gateway.keys import read_key
from gateway.private import private_folder
from gateway.publisher import BrokerPublisher
from gateway.scope import Scope
from gateway.sealed import SealedFeed
from gateway.views import Watermarks, pull
from gateway.watched import WatchedFolder
from lidm.amount_doubts import doubts_of
from lidm.sealed_reader import SealedReader
from lidm.settings import Settings
from lidm.ways_in import key_in_use, keys_of, publisher_of, recognising, vault_of, watched_of
from schemas.calendar import SHANGHAI
from schemas.errors import LidmError, Stop, Unreachable
from schemas.feed import FEEDS
from schemas.topics import Catalogue

log = structlog.get_logger("lidm.gateway")
LOOK_SECONDS = 2.0
SWEEP_SECONDS = 3600.0
UPLOAD_SECONDS = 86_400.0


class Way:
    """The connection to the broker; made anew after it failed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: BrokerPublisher | None = None

    def __call__(self) -> BrokerPublisher:
        """The connection. Raises Unreachable."""
        if self._open is None:
            self._open = publisher_of(self._settings)
        return self._open

    def drop(self) -> None:
        """Closes it; the next call connects again."""
        if self._open is not None:
            broken, self._open = self._open, None
            broken.__exit__(ConnectionError, None, None)


@dataclass
class Gateway:
    """The open ways in. Everything that publishes holds `lock`."""

    settings: Settings
    config: GatewayConfig
    inbox: Inbox
    way: Way
    marks: Watermarks
    folder: Path
    sealed: SealedReader | None
    lock: threading.Lock

    def take(self, arrival: Arrival) -> Taken:
        """One arrival at a time, whichever way it came."""
        with self.lock:
            try:
                return self.inbox.take(arrival)
            except Unreachable:
                self._lost()
                raise

    def guarded(self, work: Callable[[], Any]) -> Any:
        """Does it alone; a broker or database that is away is waited for. Only a lost broker ends its connections: with
        them go sealed batches that are open."""
        with self.lock:
            try:
                return work()
            except LidmError as error:
                log.warning("gateway_waits", reason=error.message_zh)
                if isinstance(error, Unreachable):
                    self._lost()
                return None

    def sweep(self, upload_seconds: float = UPLOAD_SECONDS) -> list[str]:
        """Deletes what was kept long enough, and plain files that a killed run left behind. Holds no lock itself."""
        left = [*(self.folder / "pulled").glob("tmp*"), *(self.folder / "receipts").glob("tmp*")]
        left += (self.folder / "receipts").glob("*.tmp")
        old = time.time() - upload_seconds
        # An upload may be coming in just now; at the start none is.
        left += [path for path in (self.folder / "uploads").glob("tmp*") if _changed(path) <= old]
        for path in left:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if left:
            log.warning("leftovers_deleted", count=len(left))
        return [*self.inbox.sweep(), *(path.name for path in left)]

    def _lost(self) -> None:
        """Everybody connects again: the sealed reader writes through the same connection."""
        if self.sealed is not None:
            self.sealed.close()
        self.way.drop()


@contextmanager
def gateway_of(settings: Settings, config: GatewayConfig) -> Iterator[Gateway]:
    """The gateway of these settings. Raises CallError without keys, and while the linkage key is being replaced."""
    keys, folder = keys_of(settings), private_folder(settings.data_dir / "gateway")
    way, marks = Way(settings), Watermarks(folder / "watermarks.sqlite")
    driven = settings.effective_clock == "driven"
    with key_in_use(settings), vault_of(settings) as vault, watched_of(settings) as watched:
        public, key = read_key(keys.seal_public, secret=False), read_key(keys.linkage)
        linkage = FirstKnown(key, vault.first, synthetic=keys.synthetic, opaque_key=keys.opaque_key)
        inbox = Inbox(
            folder,
            publisher=way,
            linkage=linkage,
            vault=vault,
            public_key=public,
            now=lambda: datetime.now(SHANGHAI),
            timestamp_ms=lambda at: int(at.timestamp() * 1000) if driven else None,
            keep_days=config.keep_days,
            doubts=lambda: doubts_of(settings),
        )

        def feed(kind: str) -> SealedFeed:
            keep = Scope(kind, vault.knows, watched)
            private = read_key(keys.seal_private)
            return SealedFeed(FEEDS[kind], linkage, private, way(), keep, lambda: int(time.time() * 1000))

        sealed = SealedReader(settings, _sealed_kinds(), feed, public) if config.sealed else None
        try:
            with recognising(settings, linkage, way):
                yield Gateway(settings, config, inbox, way, marks, folder, sealed, threading.Lock())
        finally:
            inbox.close()
            marks.close()
            if sealed is not None:
                sealed.close()
            way.drop()


async def serve(gateway: Gateway, ready: Callable[[dict[str, Any]], None]) -> None:
    """Runs until SIGTERM or SIGINT; what is being taken is finished. Raises Stop after a fault of its own."""
    done, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    config, tasks = gateway.config, list[asyncio.Task[None]]()
    gateway.sweep(upload_seconds=-UPLOAD_SECONDS)
    if config.folder is not None:
        watched = WatchedFolder(config.folder, gateway.inbox, config.settle_seconds, mappings=config.mappings)
        watched.prepare()
        tasks.append(asyncio.create_task(_every(LOOK_SECONDS, gateway, watched.look)))
    for view in config.views:
        tasks.append(asyncio.create_task(_every(view.every_minutes * 60, gateway, _pull(gateway, view))))
    if gateway.sealed is not None:
        tasks.append(asyncio.create_task(_every(0.0, gateway, gateway.sealed.turn)))
    tasks.append(asyncio.create_task(_every(SWEEP_SECONDS, gateway, gateway.sweep)))
    runner, address = await _listen(gateway)
    ready({"upload": address, "folder": str(config.folder) if config.folder else None, "pid": os.getpid()})
    told = asyncio.create_task(done.wait())
    await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (told, *tasks):
        task.cancel()
    outcomes = await asyncio.gather(told, *tasks, return_exceptions=True)
    if runner is not None:
        await runner.cleanup()
    _raise_first(outcomes)


def _raise_first(outcomes: list[Any]) -> None:
    """What a way in died of: whoever started the gateway must see that it did not end in order."""
    fault = next((each for each in outcomes if isinstance(each, Exception)), None)
    if fault is not None:
        log.critical("gateway_stops", error=type(fault).__name__)
        raise Stop(f"网关因自身故障停止（{type(fault).__name__}）：修复后重新启动，未处理完的会从头再来") from fault


async def _listen(gateway: Gateway) -> tuple[Any, str | None]:
    upload = gateway.config.upload
    if upload is None:
        return None, None
    from aiohttp import web

    from gateway.upload import UploadPage

    page = UploadPage(upload, gateway.take, gateway.folder / "uploads", mappings=gateway.config.mappings)
    runner = web.AppRunner(page.app(), access_log=None)
    await runner.setup()
    context = page.context()
    site = web.TCPSite(runner, upload.host, upload.port, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"{'https' if context else 'http'}://{upload.host}:{port}/"


async def _every(seconds: float, gateway: Gateway, work: Callable[[], Any]) -> None:
    """Again and again; a fault of ours ends the process rather than leave a way in silently closed."""
    while True:
        await asyncio.to_thread(gateway.guarded, work)
        await asyncio.sleep(seconds)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _pull(gateway: Gateway, view: View) -> Callable[[], Any]:
    return lambda: pull(view, gateway.inbox, gateway.marks, gateway.folder / "pulled")


def _sealed_kinds() -> tuple[str, ...]:
    entries = Catalogue.load().entries
    return tuple(kind for kind, spec in FEEDS.items() if entries[spec.topic].sealed)
