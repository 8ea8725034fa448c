"""Where case work is durable: its events, which are the truth, and snapshots, which save reading all of them.

Restoring: the newest snapshot this code can read, then the events after its marker; without one every event from the
first. Where that is impossible because events are missing, the worker stops and says so.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec
import structlog
from aiokafka import TopicPartition

from schemas.errors import Stop
from schemas.topics import CASE_EVENTS
from streams.case_snapshot import MARKER, Snapshot, decode_marker, encode_marker, is_snapshot
from streams.config import StreamConfig
from streams.delivery import Delivery
from streams.statelog import Item, KafkaStateLog, Restore, StateLog

log = structlog.get_logger("lidm.cases")


class EventLog(KafkaStateLog):
    """`cases.events.v1`, of which the beginning may be skipped."""

    def __init__(self, config: StreamConfig, delivery: Delivery) -> None:
        super().__init__(CASE_EVENTS, config, delivery)
        self._archived = config.embedded

    def reached(self, partition: int) -> int | None:
        """The offset after the last event read or written; None when nothing was read yet."""
        return self._next.get(partition)

    async def begin(self, partition: int, offset: int) -> None:
        """Events before `offset` are known. Raises Stop when one after them is missing.

        The embedded broker may forget what is archived: there history comes from the archive.
        """
        if not self._archived:
            reader, place = self._connected(), TopicPartition(CASE_EVENTS, partition)
            first = (await reader.beginning_offsets([place]))[place]
            end = (await reader.end_offsets([place]))[place]
            if first > offset:
                gone = f"{CASE_EVENTS}/{partition} 的前 {first} 条已被清除"
                raise Stop(f"{gone}，没有可用的快照覆盖它们（需从 {offset} 起），不能恢复个案")
            if end < offset:
                short = f"{CASE_EVENTS}/{partition} 只有 {end} 条"
                raise Stop(f"{short}，本进程已读到／快照已依据 {offset} 条，个案记录有缺失")
        self._next[partition] = offset


class _Found(Snapshot):
    """A snapshot that can say why it is not used."""

    def __init__(self) -> None:
        super().__init__()
        self._foreign = False

    def take(self, key: bytes, value: bytes | None) -> None:
        """See Snapshot."""
        super().take(key, value)
        if value is not None:
            self._foreign |= self._marker is None if key.startswith(MARKER) else key not in self._records

    def why_not(self) -> str | None:
        """What is wrong with records that have no usable marker; None when there are no records."""
        if self._marker is not None:
            return "快照不完整，记录少于标记所计"
        if self._foreign:
            return "快照由另一版本的程序写成"
        return "有记录而没有标记，快照没有写完" if self._records else None


class CaseLog:
    """A StateLog of events and snapshots. Events are durable before a snapshot that counts them is written."""

    def __init__(self, events: EventLog, snapshots: StateLog) -> None:
        self._events = events
        self._snapshots = snapshots
        self._again: dict[int, list[Item]] = {}

    async def start(self) -> None:
        """See StateLog."""
        await self._events.start()
        await self._snapshots.start()

    async def stop(self) -> None:
        """See StateLog."""
        await self._events.stop()
        await self._snapshots.stop()

    async def load(self, partition: int, restore: Restore, ours: Callable[[], bool]) -> bool:
        """See StateLog. Who has been here before needs only the events since."""
        snapshot = _Found()
        position = self._events.reached(partition)
        if position is None:
            self._snapshots.forget(partition)
        if not await self._snapshots.load(partition, snapshot.take, ours):
            return False
        if position is None:
            position = self._recall(partition, snapshot, restore)
        await self._events.begin(partition, position)
        return await self._events.load(partition, restore, ours)

    def _recall(self, partition: int, snapshot: _Found, restore: Restore) -> int:
        marker = snapshot.marker
        if marker is None:
            if (why := snapshot.why_not()) is not None:
                log.warning("case_snapshot_not_used", partition=partition, reason=why, note="从头重读全部个案事件")
            return 0
        count = 0
        for count, (key, value) in enumerate(snapshot.records()):  # noqa: B007 - the marker comes last
            restore(key, value)
        self._again[partition] = snapshot.behind()
        log.info("cases_recalled", partition=partition, records=count, events=marker.events, next=marker.next)
        return marker.next

    async def fence(self, partitions: Iterable[int]) -> None:
        """See StateLog."""
        places = list(partitions)
        await self._events.fence(places)
        await self._snapshots.fence(places)

    async def write(self, items: Mapping[int, list[Item]]) -> None:
        """See StateLog."""
        events = {p: [item for item in batch if not is_snapshot(item.key)] for p, batch in items.items()}
        await self._events.write({p: batch for p, batch in events.items() if batch})
        snapshots = {p: [item for item in batch if is_snapshot(item.key)] for p, batch in items.items()}
        await self._snapshots.write({p: self._marked(p, batch) for p, batch in snapshots.items() if batch})

    def forget(self, partition: int) -> None:
        """See StateLog."""
        self._events.forget(partition)
        self._snapshots.forget(partition)
        self._again.pop(partition, None)

    def _marked(self, partition: int, batch: list[Item]) -> list[Item]:
        reached = self._events.reached(partition)
        if reached is None:
            raise RuntimeError(f"case partition {partition} is written but was never loaded")
        return self._again.pop(partition, []) + [filled(item, reached) for item in batch]


def filled(item: Item, reached: int) -> Item:
    """The marker with the offset its snapshot reaches to; any other record as it is."""
    marker = decode_marker(item.value or b"") if item.key.startswith(MARKER) else None
    if marker is None:
        return item
    return Item(item.key, encode_marker(msgspec.structs.replace(marker, next=reached)))
