"""Admission for the embedded broker: it forgets what overflows, so writers wait for the slowest reader."""

import asyncio
from collections import Counter, deque

_Place = tuple[str, int]
PAUSE_SECONDS = 0.01


class MemoryGate:
    """Counts bytes per partition that are on their way or unread: from our own sends, and from the positions that
    readers report from any thread. All else is called in one loop.

    A stage does not wait for its own reading, which goes on only after what it writes; so waiting never runs in a
    circle as long as stages read from one another in one direction.
    """

    def __init__(self, limit_bytes: int, readers: dict[str, set[str]]) -> None:
        self._limit = limit_bytes
        self._readers = readers
        self._sent: dict[_Place, deque[tuple[int, int]]] = {}
        self._positions: dict[tuple[str, str, int], int] = {}
        self._reserved: Counter[_Place] = Counter()

    def reserve(self, writer: str, topic: str, partition: int, size: int) -> bool:
        """Takes room for `size` bytes if there is any; `sent` or `release` gives it back."""
        others = self._readers.get(topic, set()) - {writer}
        if others:
            taken = self._behind(others, topic, partition) + self._reserved[(topic, partition)]
            if taken + size > max(self._limit, size):
                return False
        if self._readers.get(topic):
            self._reserved[(topic, partition)] += size
        return True

    async def admit(self, writer: str, topic: str, partition: int, size: int) -> None:
        """Waits until readers other than the writer have left enough room, and takes it."""
        while not self.reserve(writer, topic, partition, size):
            await asyncio.sleep(PAUSE_SECONDS)

    def sent(self, topic: str, partition: int, first_offset: int, sizes: list[int]) -> None:
        """What was reserved lies in the broker now, unread."""
        if self._readers.get(topic):
            self.release(topic, partition, sum(sizes))
            queue = self._sent.setdefault((topic, partition), deque())
            queue.append((first_offset + len(sizes), sum(sizes)))

    def release(self, topic: str, partition: int, size: int) -> None:
        """What was reserved will not be written."""
        if self._readers.get(topic):
            self._reserved[(topic, partition)] -= size

    def read(self, reader: str, topic: str, partition: int, next_offset: int) -> None:
        """A reader has everything below `next_offset`."""
        self._positions[(reader, topic, partition)] = next_offset

    def unread(self, topic: str, partition: int) -> int:
        """Bytes that the slowest reader has not read."""
        return self._behind(self._readers.get(topic, set()), topic, partition)

    def _behind(self, readers: set[str], topic: str, partition: int) -> int:
        queue = self._sent.get((topic, partition))
        if not queue:
            return 0
        slowest = self._slowest(self._readers[topic], topic, partition)
        while queue and queue[0][0] <= slowest:
            queue.popleft()
        position = self._slowest(readers, topic, partition)
        return sum(size for end, size in queue if end > position)

    def _slowest(self, readers: set[str], topic: str, partition: int) -> int:
        return min(self._positions.get((reader, topic, partition), 0) for reader in readers)
