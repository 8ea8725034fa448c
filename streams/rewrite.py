"""Replaces the content of the state topics by what was rebuilt; monitor and links must not run meanwhile."""

import asyncio
from collections.abc import Iterable, Mapping

from schemas.topics import LINKS_STATE, STATE
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.links import Links, owed
from streams.watch import Watch


def rewrite_state(config: StreamConfig, rebuilt: dict[int, Watch], running: dict[int, Watch]) -> None:
    """Deletes what is there and writes every rebuilt record; control and marker come last.

    The first record says that the state is of another version, so that a monitor started after half of it refuses.
    """
    asyncio.run(_send(config, (_state(p, watch, running[p]) for p, watch in rebuilt.items())))


def rewrite_links(
    config: StreamConfig, rebuilt: Mapping[int, Links], stored: Mapping[int, Iterable[bytes]], ends: Mapping[int, int]
) -> int:
    """The same for links, which goes on at these offsets of `links.v1`: all that was said up to there is in it, because
    it is delivered before the state of the monitor. `stored`: the keys there now. Returns how many records it wrote.

    What households are owed is told first: told once more by the next attempt it is the same.
    """
    letters = owed(rebuilt.values())
    letters += [Letter(LINKS_STATE, p, key, None) for p, keys in stored.items() for key in keys]
    fresh = [Letter(LINKS_STATE, p, i.key, i.value) for p, part in rebuilt.items() for i in part.rebuilt(ends[p])]
    asyncio.run(_send(config, [letters, fresh]))
    return len(fresh)


def _state(partition: int, rebuilt: Watch, running: Watch) -> list[Letter]:
    """A partition's own mark that it is unfinished, deletions, and every rebuilt record."""
    gone = [(key, None) for key, _ in running.records()]
    records = [*rebuilt.unfinished(), *gone, *rebuilt.records(), *rebuilt.control_records()]
    return [Letter(STATE, partition, key.encode(), value) for key, value in records]


async def _send(config: StreamConfig, parts: Iterable[list[Letter]]) -> None:
    delivery = Delivery(config)
    await delivery.start()
    try:
        for letters in parts:
            await delivery.send(letters)
    finally:
        await delivery.stop()
