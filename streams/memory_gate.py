"""Admission for the embedded broker: it forgets what overflows, so writers wait for the slowest reader."""

import asyncio
from collections import Counter, deque

_Place = tuple[str, int]
PAUSE_SECONDS = 0.01


class MemoryGate:
    """Counts bytes per partition that are on their way or unread: from our own sends, and from the positions that
    readers report from any thread. All else is called in one loop.

    A reader of its own mail is done with it once the checkpoint that delivers it is over; waiting for that would be to
    wait for itself. It waits until it has taken it into its own memory, which goes on meanwhile. So waiting never runs
    in a circle as long as stages wait for one another in one direction: nobody waits for links (`unawaited`).
    """

    def __init__(self, limit_bytes: int, readers: dict[str, set[str]]) -> None:
        self._limit = limit_bytes
        self._readers = readers
        self._sent: dict[_Place, deque[tuple[int, int]]] = {}
        self._positions: dict[tuple[str, str, int], int] = {}
        self._taken: dict[tuple[str, str, int], int] = {}
        self._reserved: Counter[_Place] = Counter()

    def reserve(self, writer: str, topic: str, partition: int, size: int) -> bool:
        """Takes room for `size` bytes if there is any; `sent` or `release` gives it back."""
        if not self._readers.get(topic):
            return True
        unread = self._behind(writer, topic, partition) + self._reserved[(topic, partition)]
        if unread + size > max(self._limit, size):
            return False
        self._reserved[(topic, partition)] += size
        return True

    async def admit(self, writer: str, topic: str, partition: int, size: int) -> None:
        """Waits until there is enough room, and takes it."""
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

    def took(self, reader: str, topic: str, partition: int, next_offset: int) -> None:
        """A reader has everything below `next_offset` in its memory, though it will only be done with it later."""
        self._taken[(reader, topic, partition)] = next_offset

    def unread(self, topic: str, partition: int) -> int:
        """Bytes that the slowest reader has not read."""
        return self._behind("", topic, partition)

    def _behind(self, writer: str, topic: str, partition: int) -> int:
        """Bytes that somebody still needs from the broker, as far as the writer may wait for it."""
        queue = self._sent.get((topic, partition))
        if not queue:
            return 0
        readers = self._readers.get(topic, set())
        read = {reader: self._positions.get((reader, topic, partition), 0) for reader in readers}
        done = min(read.values(), default=0)
        while queue and queue[0][0] <= done:
            queue.popleft()
        if writer in read:
            read[writer] = max(read[writer], self._taken.get((writer, topic, partition), 0))
        position = min(read.values(), default=0)
        return sum(size for end, size in queue if end > position)
