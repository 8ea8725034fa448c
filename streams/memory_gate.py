"""Admission for the embedded broker: it forgets what overflows, so writers wait for the slowest reader."""

import asyncio
from collections import deque


class MemoryGate:
    """Counts unread bytes per partition, from our own sends and the positions that readers report from any thread."""

    def __init__(self, limit_bytes: int, readers: dict[str, set[str]]) -> None:
        self._limit = limit_bytes
        self._readers = readers
        self._sent: dict[tuple[str, int], deque[tuple[int, int]]] = {}
        self._positions: dict[tuple[str, str, int], int] = {}
        self._reserved: dict[tuple[str, int], int] = {}

    async def admit(self, topic: str, partition: int, size: int) -> None:
        """Waits until this topic's readers have left fewer than the limit's bytes unread."""
        while self._readers.get(topic) and self.unread(topic, partition) + size > max(self._limit, size):
            await asyncio.sleep(0.01)

    def sent(self, topic: str, partition: int, first_offset: int, sizes: list[int]) -> None:
        """Remembers a delivered batch."""
        if self._readers.get(topic):
            queue = self._sent.setdefault((topic, partition), deque())
            queue.append((first_offset + len(sizes), sum(sizes)))

    def read(self, reader: str, topic: str, partition: int, next_offset: int) -> None:
        """A reader has everything below `next_offset`."""
        self._positions[(reader, topic, partition)] = next_offset

    def unread(self, topic: str, partition: int) -> int:
        """Bytes that the slowest reader has not read."""
        queue = self._sent.get((topic, partition))
        if not queue:
            return 0
        behind = min(self._positions.get((reader, topic, partition), 0) for reader in self._readers[topic])
        while queue and queue[0][0] <= behind:
            queue.popleft()
        return sum(size for _, size in queue)
