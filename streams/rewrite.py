"""Replaces the state topic's content by a rebuilt one; the monitor must not run meanwhile."""

import asyncio

from schemas.topics import STATE
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.watch import Watch


def rewrite_state(config: StreamConfig, rebuilt: dict[int, Watch], running: dict[int, Watch]) -> None:
    """Deletes what is there and writes every rebuilt record; control and marker come last.

    The first record says that the state is of another version, so that a monitor started after half of it refuses.
    """
    asyncio.run(_rewrite(config, rebuilt, running))


async def _rewrite(config: StreamConfig, rebuilt: dict[int, Watch], running: dict[int, Watch]) -> None:
    delivery = Delivery(config)
    await delivery.start()
    try:
        for partition, watch in rebuilt.items():
            letters = [Letter(STATE, partition, key.encode(), value) for key, value in watch.unfinished()]
            letters += [Letter(STATE, partition, key.encode(), None) for key, _ in running[partition].records()]
            letters += [Letter(STATE, partition, key.encode(), value) for key, value in watch.records()]
            letters += [Letter(STATE, partition, key.encode(), value) for key, value in watch.control_records()]
            await delivery.send(letters)
    finally:
        await delivery.stop()
