"""Replaces the content of the state topics by what was rebuilt; monitor and links must not run meanwhile."""

import asyncio
from collections.abc import Iterable, Mapping

from schemas.topics import LINKS_STATE, STATE
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.links import Links
from streams.watch import Watch


def rewrite_state(config: StreamConfig, rebuilt: dict[int, Watch], running: dict[int, Watch]) -> None:
    """Deletes what is there and writes every rebuilt record; control and marker come last.

    The first record says that the state is of another version, so that a monitor started after half of it refuses.
    """
    asyncio.run(_rewrite(config, rebuilt, running))


def rewrite_links(
    config: StreamConfig, rebuilt: Mapping[int, Links], stored: Mapping[int, Iterable[bytes]], ends: Mapping[int, int]
) -> int:
    """The same for links, which goes on at these offsets of `links.v1`: all that was said up to there is in it, because
    it is delivered before the state of the monitor. `stored`: the keys there now. Returns how many records it wrote.
    """
    letters = [Letter(LINKS_STATE, p, key, None) for p, keys in stored.items() for key in keys]
    fresh = [Letter(LINKS_STATE, p, i.key, i.value) for p, part in rebuilt.items() for i in part.rebuilt(ends[p])]
    asyncio.run(_send(config, [*letters, *fresh]))
    return len(fresh)


async def _send(config: StreamConfig, letters: list[Letter]) -> None:
    delivery = Delivery(config)
    await delivery.start()
    try:
        await delivery.send(letters)
    finally:
        await delivery.stop()


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
