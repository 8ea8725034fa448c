"""BrokerPublisher hands messages to Kafka in order and says afterwards that every one of them was delivered.

Values are complete messages; the partition is decided by the caller (murmur2 of the person). On the embedded broker
every message first passes admission. Nothing here knows an identity number.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from kafka import KafkaProducer
from kafka.errors import KafkaError

from gateway.admission import Admission
from gateway.security import PLAIN, Security
from schemas.errors import DataError, Unreachable

MAX_MESSAGE_BYTES = 900_000
_PATIENCE_MS = 120_000


class Publisher(Protocol):
    """What publishing needs of a broker; tests and dry runs have their own."""

    def partitions(self, topic: str) -> int:
        """Number of partitions of a topic."""
        ...

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Takes one message; delivery is certain after `flush`."""
        ...

    def flush(self) -> None:
        """Returns when everything sent is delivered; raises Unreachable when something is not."""
        ...


@runtime_checkable
class Tells(Protocol):
    """A publisher that also says at which offsets messages came to lie."""

    def delivered(self, topic: str) -> dict[int, tuple[int, int]]:
        """First and last offset per partition, of messages delivered since it connected."""
        ...


class _Place(Protocol):
    topic: str
    partition: int
    offset: int


class BrokerPublisher:
    """A Publisher over kafka-python 3; a context manager that delivers on exit. Idempotent, so order is kept.

    A slow broker slows the sender: at most 32 MB wait, then `send` does.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        embedded: bool = False,
        admission: Callable[[Callable[[], None]], Admission] | None = None,
        compression: str | None = "auto",
        linger_ms: int = 20,
        connect_seconds: float = 15.0,
        security: Security = PLAIN,
    ) -> None:
        """Connects. `embedded`: the broker is the in-memory cluster of a running `lidm`, so send by admission."""
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap,
                acks="all",
                compression_type=_compression() if compression == "auto" else compression,
                linger_ms=linger_ms,
                bootstrap_timeout_ms=int(connect_seconds * 1000),
                batch_size=128 * 1024,
                max_request_size=1_048_576,
                max_block_ms=_PATIENCE_MS,
                api_version=(2, 0) if embedded else None,
                **security.options(),
            )
        except KafkaError as error:
            raise Unreachable(f"消息服务连接不上：{bootstrap}") from error
        gate = admission or (partial(Admission.to_embedded, bootstrap) if embedded else None)
        self._admission = gate(self._deliver) if gate else None
        self._failure: BaseException | None = None
        self._partitions: dict[str, int] = {}
        self._offsets: dict[str, dict[int, tuple[int, int]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if error is None:
                self.flush()
        finally:
            self._producer.close(timeout=10 if error is None else 0)
            if self._admission is not None:
                self._admission.close()

    @property
    def waited_seconds(self) -> float:
        """How long admission has held the publisher back."""
        return self._admission.waited_seconds if self._admission is not None else 0.0

    @property
    def waiting_cpu_seconds(self) -> float:
        """What looking whether there is room has cost meanwhile."""
        return self._admission.waiting_cpu_seconds if self._admission is not None else 0.0

    def partitions(self, topic: str) -> int:
        """Number of partitions of a topic. Raises Unreachable when the topic is not there."""
        if topic not in self._partitions:
            try:
                found = self._producer.partitions_for(topic)
            except KafkaError as error:
                raise Unreachable(f"消息服务没有应答或没有主题 {topic}：请先运行 lidm topics apply") from error
            if not found:
                raise Unreachable(f"没有主题 {topic}：请先运行 lidm topics apply")
            self._partitions[topic] = len(found)
        return self._partitions[topic]

    def send(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Takes one message; `timestamp_ms` is the known-at time of a driven clock. Waits where admission says so."""
        if len(value) > MAX_MESSAGE_BYTES:
            raise DataError(f"一条消息超过 {MAX_MESSAGE_BYTES} 字节，请减小 --array")
        size = len(key or b"") + len(value)
        if self._admission is not None:
            self._admission.before(topic, partition, size)
        try:
            future = self._producer.send(
                topic, value, key, partition=partition, timestamp_ms=timestamp_ms, headers=list(headers)
            )
        except KafkaError as error:
            raise Unreachable(f"消息服务不接收：{topic}") from error
        future.add_errback(self._failed)
        future.add_callback(self._arrived)
        if self._admission is not None:
            self._admission.after(topic, partition, size, lambda: int(future.get(timeout=60).offset))

    def flush(self) -> None:
        """Everything sent so far is delivered, or Unreachable is raised."""
        self._deliver()

    def _deliver(self) -> None:
        try:
            self._producer.flush(timeout=120)
        except KafkaError as error:
            raise Unreachable("消息服务 120 秒内没有收下全部数据") from error
        if self._failure is not None:
            raise Unreachable("有数据没有送达：请恢复消息服务后整批重发（重发不会重复计数）") from self._failure

    def delivered(self, topic: str) -> dict[int, tuple[int, int]]:
        """First and last offset per partition, of messages delivered so far."""
        return dict(self._offsets.get(topic, {}))

    def _failed(self, error: BaseException) -> None:
        self._failure = error

    def _arrived(self, record: _Place) -> None:
        of_topic = self._offsets.setdefault(record.topic, {})
        first, last = of_topic.get(record.partition, (record.offset, record.offset))
        of_topic[record.partition] = (min(first, record.offset), max(last, record.offset))


def _compression() -> str:
    # kafka-python computes CRC32C in pure Python, 0.46 µs a byte, unless the package crc32c is there. Without it the
    # fewest bytes are the cheapest, and gzip comes with Python.
    return "snappy" if find_spec("crc32c") and find_spec("snappy") else "gzip"
