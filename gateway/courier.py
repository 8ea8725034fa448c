"""The courier takes good rows to their partitions and can say afterwards what went where.

It opens the batch in every partition before the first row and closes it after the last; the receipt exists only when
the broker has everything.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gateway.difference import Difference
from gateway.events import BatchPlan, Envelope
from gateway.journal import Offsets, Progress
from gateway.publisher import MAX_MESSAGE_BYTES, Publisher, Tells
from schemas.partition import partition_of

_PERSONS_REMEMBERED = 400_000


@dataclass(frozen=True)
class Receipt:
    """What was published. `digest` is SHA-256 over all values in the order this run sent them.

    `file_digest` is that of the file. `offsets`: first and last per partition. `resumed_at`: the row after which a
    second run went on. `unchanged`: this very file had been sent before, and nothing was sent again.
    """

    batchid: str | None
    feed: str
    topic: str
    source: str
    period: str | None
    mode: str | None
    areas: tuple[str, ...]
    recorded: str
    read: int
    sent: int
    bad: int
    left_out: int
    partitions: tuple[int, ...]
    messages: int
    bytes: int
    closed: bool
    digest: str
    file_digest: str | None = None
    mapping_digest: str | None = None
    offsets: Offsets | None = None
    resumed_at: int | None = None
    unchanged: bool = False
    difference: Difference | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file or a screen."""
        difference = self.difference.as_json() if self.difference else None
        said = {**self.__dict__, "areas": list(self.areas), "partitions": list(self.partitions)}
        return {**said, "difference": difference}


class Courier:
    """One batch (or loose rows) on its way to one topic."""

    def __init__(
        self,
        publisher: Publisher,
        topic: str,
        envelope: Envelope,
        *,
        plan: BatchPlan | None = None,
        array: int = 1,
        timestamp_ms: int | None = None,
    ) -> None:
        """`array`: events per message, of one partition each; 1 sends single events."""
        self._publisher = publisher
        self._topic = topic
        self._envelope = envelope
        self._plan = plan
        self._array = array
        self._timestamp_ms = timestamp_ms
        self._n = publisher.partitions(topic)
        self._rows = [0] * self._n
        self._waiting: list[list[bytes]] = [[] for _ in range(self._n)]
        self._waiting_bytes = [0] * self._n
        self._waiting_key = [b""] * self._n
        self._where: dict[str, tuple[int, bytes]] = {}
        self._digest = hashlib.sha256()
        self._messages = 0
        self._bytes = 0
        self._arrived = [0] * self._n
        self._ended = [False] * self._n
        self._offsets: Offsets = [(-1, -1)] * self._n

    def resume(self, progress: Progress, arrived: Sequence[tuple[int, bool]]) -> None:
        """Goes on where a run died: rows per partition it had delivered, and how many more arrived unrecorded."""
        self._rows = list(progress.rows)
        self._messages, self._bytes = progress.messages, progress.bytes
        self._offsets = list(progress.offsets)
        self._arrived = [rows for rows, _ in arrived]
        self._ended = [ended for _, ended in arrived]

    def settle(self, progress: Progress) -> None:
        """Delivers everything taken so far and notes it in the journal's progress."""
        for partition in range(self._n):
            self._release(partition)
        self._publisher.flush()
        progress.rows, progress.messages, progress.bytes = list(self._rows), self._messages, self._bytes
        progress.offsets = self.offsets()

    def offsets(self) -> Offsets:
        """First and last offset per partition, as far as the publisher tells."""
        told = self._publisher.delivered(self._topic) if isinstance(self._publisher, Tells) else {}
        for partition, (first, last) in told.items():
            earlier = self._offsets[partition][0]
            self._offsets[partition] = (first if earlier < 0 else earlier, last)
        return list(self._offsets)

    @property
    def sent(self) -> int:
        """Rows handed over so far."""
        return sum(self._rows)

    def begin(self) -> None:
        """Says in every partition that the batch starts."""
        if self._plan is not None:
            self._manifests("begin", self._plan, self._envelope.recorded)

    def carry(self, person: str, event: bytes) -> None:
        """Takes one event of one person."""
        found = self._where.get(person)
        if found is None:
            found = self._place(person)
        partition, key = found
        self._rows[partition] += 1
        if self._arrived[partition]:
            self._arrived[partition] -= 1  # a killed run delivered it already
            return
        if self._array <= 1:
            self._send(partition, key, event)
            return
        if self._waiting_bytes[partition] + len(event) + 2 > MAX_MESSAGE_BYTES:
            self._release(partition)
        if not self._waiting[partition]:
            self._waiting_key[partition] = key
        self._waiting[partition].append(event)
        self._waiting_bytes[partition] += len(event) + 1
        if len(self._waiting[partition]) >= self._array:
            self._release(partition)

    def end(self, *, close: bool, at: datetime) -> None:
        """Delivers everything; `close` also says in every partition that the batch is complete."""
        for partition in range(self._n):
            self._release(partition)
        self._publisher.flush()
        if close and self._plan is not None:
            self._manifests("end", self._plan, at)
            self._publisher.flush()

    def receipt(self, *, read: int, bad: int, left_out: int, closed: bool) -> Receipt:
        """What was published, to be written only after `end`."""
        plan, envelope = self._plan, self._envelope
        return Receipt(
            batchid=envelope.batchid,
            feed=envelope.feed,
            topic=self._topic,
            source=envelope.source,
            period=plan.period if plan else None,
            mode=plan.mode if plan else None,
            areas=plan.areas if plan else (),
            recorded=envelope.recorded.isoformat(),
            read=read,
            sent=self.sent,
            bad=bad,
            left_out=left_out,
            partitions=tuple(self._rows),
            messages=self._messages,
            bytes=self._bytes,
            closed=closed and plan is not None,
            digest=self._digest.hexdigest(),
            offsets=self.offsets(),
        )

    def _place(self, person: str) -> tuple[int, bytes]:
        if len(self._where) >= _PERSONS_REMEMBERED:
            self._where.clear()
        key = person.encode()
        found = self._where[person] = (partition_of(key, self._n), key)
        return found

    def _release(self, partition: int) -> None:
        events = self._waiting[partition]
        if not events:
            return
        self._waiting[partition] = []
        self._waiting_bytes[partition] = 0
        self._send(partition, self._waiting_key[partition], b"[" + b",".join(events) + b"]")

    def _manifests(self, what: Literal["begin", "end"], plan: BatchPlan, at: datetime) -> None:
        key = (self._envelope.batchid or "").encode()
        for partition, rows in enumerate(self._rows):
            if what == "end" and self._ended[partition]:
                continue
            self._send(partition, key, self._envelope.manifest(what, plan, rows, at))

    def _send(self, partition: int, key: bytes, value: bytes) -> None:
        self._publisher.send(self._topic, partition, key, value, self._timestamp_ms)
        self._digest.update(value)
        self._messages += 1
        self._bytes += len(value)
