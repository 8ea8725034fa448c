"""The loopback HTTP side of a worker: `/livez`, `/readyz`, `/metrics`, and for the embedded service its store.

Liveness asks only whether the loop advances: a stalled database must not get workers restarted.
"""

import asyncio
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

STALLED_SECONDS = 30.0
Query = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]


@dataclass
class Health:
    """What the endpoints answer from. `ready` returns what is missing, in Chinese; empty = ready."""

    ready: Callable[[], list[str]]
    phase: Callable[[], dict[str, Any]] = dict
    query: Query | None = None
    token: str = ""
    beat: float = field(default_factory=time.monotonic)


async def beat(health: Health) -> None:
    """Marks progress of the event loop."""
    while True:
        health.beat = time.monotonic()
        await asyncio.sleep(1.0)


async def listen(health: Health, port: int) -> tuple[web.AppRunner, int]:
    """Serves on loopback; returns the runner to clean up and the port."""
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.add_routes(
        [
            web.get("/livez", lambda r: livez(health)),
            web.get("/readyz", lambda r: readyz(health)),
            web.get("/metrics", metrics),
            web.get("/phase", lambda r: _phase(health)),
            web.post("/store/query", lambda r: query(health, r)),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    return runner, int(runner.addresses[0][1])


async def livez(health: Health) -> web.Response:
    """200 while the loop advances, 503 when it stood still for STALLED_SECONDS; asks nothing else."""
    stalled = time.monotonic() - health.beat
    return web.Response(status=200 if stalled < STALLED_SECONDS else 503, text=f"{stalled:.1f}s\n")


async def readyz(health: Health) -> web.Response:
    """200 when every stage works, else 503 and what is missing."""
    missing = health.ready()
    return web.Response(status=503 if missing else 200, text="\n".join(missing) or "就绪\n")


async def metrics(_request: web.Request) -> web.Response:
    """The Prometheus catalogue."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _phase(health: Health) -> web.Response:
    return web.json_response(health.phase())


async def query(health: Health, request: web.Request) -> web.Response:
    """Read-only queries of other `lidm` commands; the embedded store has one owner process."""
    given = request.headers.get("Authorization", "")
    if health.query is None or not hmac.compare_digest(given, f"Bearer {health.token}"):
        return web.Response(status=403, text="无权访问\n")
    asked = await request.json()
    rows = await asyncio.to_thread(health.query, asked["sql"], asked.get("params", {}))
    return web.Response(text=json.dumps({"rows": rows}, default=str), content_type="application/json")
