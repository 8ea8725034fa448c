"""The service behind a real or an embedded broker, as the driver sees it: everything goes through Kafka."""

import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from gateway.publisher import BrokerPublisher
from schemas.alerts import Alert
from schemas.cases import CaseEvent, decode_event
from schemas.errors import Unreachable
from schemas.topics import ALERTS, CASE_EVENTS, HOUSEHOLD_EVENTS, REJECTED
from streams.delivery import Letter
from streams.lag import Lag

SETTLE_SECONDS = 600.0
_PAUSE_SECONDS = 0.05
_EMBEDDED = {"api_version": (2, 0)}


class BrokerService:
    """A Service over a broker; a context manager. Reads what appears after it was opened."""

    def __init__(self, broker: str, partitions: int, *, embedded: bool) -> None:
        """Connects. Raises Unreachable."""
        self.partition_count = partitions
        version = _EMBEDDED if embedded else {}
        try:
            self.publisher = BrokerPublisher(broker, embedded=embedded)
            self._producer = KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=5, **version)
            self._consumer = KafkaConsumer(
                bootstrap_servers=broker,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                **version,
            )
            self._lag = Lag(broker, partitions, embedded=embedded)
        except KafkaError as error:
            raise Unreachable(f"消息服务连接不上：{broker}") from error
        self._watched = [TopicPartition(topic, p) for topic in (ALERTS, CASE_EVENTS) for p in range(partitions)]
        self._consumer.assign(self._watched)
        for place, offset in self._consumer.end_offsets(self._watched).items():
            self._consumer.seek(place, offset)
        self._began = {topic: self._end(topic) for topic in (HOUSEHOLD_EVENTS, REJECTED)}
        self._alerts: list[Alert] = []
        self._events: list[CaseEvent] = []
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.publisher.__exit__(kind, error, tb)
        self._producer.close(timeout=10)
        self._consumer.close()
        self._lag.close()

    def send(self, letters: Iterable[Letter]) -> None:
        """Returns when the broker has all of them. Raises Unreachable."""
        try:
            waiting = [
                self._producer.send(
                    letter.topic, letter.value, letter.key, partition=letter.partition, timestamp_ms=letter.timestamp_ms
                )
                for letter in letters
            ]
            for future in waiting:
                future.get(timeout=60)
        except KafkaError as error:
            raise Unreachable("消息服务没有收下时钟或指令") from error

    def settle(self, *stages: str) -> None:
        """Waits for the committed lag of these stages to be 0. Raises Unreachable when that takes too long."""
        until = time.monotonic() + SETTLE_SECONDS
        while self._lag.total(*stages):
            if time.monotonic() > until:
                raise Unreachable(f"{'、'.join(stages)} 在 {SETTLE_SECONDS:.0f} 秒内没有处理完")
            time.sleep(_PAUSE_SECONDS)

    def alerts(self) -> list[Alert]:
        """Every revision since this was opened."""
        self._read()
        return list(self._alerts)

    def case_events(self) -> list[CaseEvent]:
        """Case events since the last call."""
        self._read()
        fresh, self._told = self._events[self._told :], len(self._events)
        return fresh

    @property
    def case_events_seen(self) -> int:
        """Case events since this was opened."""
        return len(self._events)

    def written(self, topic: str) -> int:
        """Messages of `households.events.v1` or `feeds.rejected.v1` since this was opened."""
        return self._end(topic) - self._began[topic]

    def _end(self, topic: str) -> int:
        return sum(self._lag.ends(topic).values())

    def _read(self) -> None:
        """Keeps up with alerts and case events, so that a broker in memory need not hold them for long."""
        ends = self._consumer.end_offsets(self._watched)
        until = time.monotonic() + SETTLE_SECONDS
        while any(self._consumer.position(place) < ends[place] for place in self._watched):
            for place, records in self._consumer.poll(timeout_ms=200, max_records=5_000).items():
                for record in records:
                    if place.topic == ALERTS:
                        self._alerts.append(Alert.model_validate_json(record.value))
                    else:
                        self._events.append(decode_event(record.value))
            if time.monotonic() > until:
                raise Unreachable("消息服务没有按时返回预警与个案记录")
