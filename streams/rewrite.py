"""Replaces the state topic's content by a rebuilt one; the monitor must not run meanwhile."""

import asyncio

from schemas.topics import STATE
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.watch import Watch


def rewrite_state(config: StreamConfig, rebuilt: dict[int, Watch], running: dict[int, Watch]) -> None:
    """Writes every rebuilt record and deletes keys that no longer exist; control and marker come last."""
    asyncio.run(_rewrite(config, rebuilt, running))


async def _rewrite(config: StreamConfig, rebuilt: dict[int, Watch], running: dict[int, Watch]) -> None:
    delivery = Delivery(config)
    await delivery.start()
    try:
        for partition, watch in rebuilt.items():
            fresh = dict(watch.records())
            gone = [key for key, _ in running[partition].records() if key not in fresh]
            letters = [Letter(STATE, partition, key.encode(), None) for key in gone]
            letters += [Letter(STATE, partition, key.encode(), value) for key, value in fresh.items()]
            letters += [Letter(STATE, partition, key.encode(), value) for key, value in watch.control_records()]
            await delivery.send(letters)
    finally:
        await delivery.stop()
