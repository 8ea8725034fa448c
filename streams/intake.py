"""Intake: reads feed topics in polls, sends blocks to households, and commits only after delivery.

Promises: every element of every message ends in a block, in `feeds.rejected.v1` or in a count of out-of-scope facts
before its offset is committed. A crash repeats messages; ledgers ignore repeats. Rows of open batches are kept in the
commit's metadata, so a batch survives a change of owner.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, RebalanceInProgressError
from aiokafka.structs import OffsetAndMetadata
from mode import Service

from schemas.errors import Stop
from schemas.feed import FEEDS
from streams.arrivals import ANY, metadata_age_ms, subscription
from streams.batches import decode_batches, encode_batches
from streams.breaker import SLICE, Breaker
from streams.config import StreamConfig
from streams.counts import measure
from streams.delivery import Delivery
from streams.failpoints import failpoint
from streams.figures import Figures
from streams.gaps import decode_note, tell, way_on
from streams.guard import stop_process
from streams.hints import learn, open_hints, to_the_end
from streams.metrics import METRICS
from streams.registry import Registry
from streams.routing import Inbound, Router

log = structlog.get_logger("lidm.intake")
POLL_RECORDS = 5000
COMMIT_SECONDS = 0.25


class Intake(Service):
    """The polling service of one worker; hosted by the stage's Faust app."""

    def __init__(
        self,
        config: StreamConfig,
        delivery: Delivery,
        registry: Registry,
        feeds: tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._config = config
        self._delivery = delivery
        self._registry = registry
        self._specs = {spec.topic: spec for spec in FEEDS.every if feeds is None or spec.kind in feeds}
        self._router = Router.of(config, registry)
        self._breaker = Breaker(config.breaker, config.catalogue, config.partitions)
        self._figures = Figures(config.partitions)
        self._paused: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}
        self._expected: dict[TopicPartition, int] = {}
        self._committed_at = 0.0
        self._lock = asyncio.Lock()
        self._tenure: object | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._hints: AIOKafkaConsumer | None = None
        self.phase = "idle"

    @property
    def assigned(self) -> bool:
        """Whether this worker has feed partitions."""
        return self._consumer is not None and bool(self._consumer.assignment())

    @property
    def uncommitted(self) -> int:
        """Feed partitions with delivered but uncommitted positions."""
        return len(self._positions)

    async def on_start(self) -> None:
        """Learns every membership first: a fact read before its membership is known would count as out of scope."""
        await self._learn_memberships()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._config.broker,
            group_id=self._config.group("intake"),
            group_instance_id=f"intake-{self._config.instance}" if self._config.instance else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # a jump is noticed by _unbroken
            session_timeout_ms=int(self._config.session_seconds * 1000),
            heartbeat_interval_ms=int(min(2.0, self._config.session_seconds / 3) * 1000),
            max_poll_records=POLL_RECORDS,
            max_partition_fetch_bytes=self._config.fetch_bytes,
            fetch_max_wait_ms=50,
            metadata_max_age_ms=metadata_age_ms(self._config.embedded),
        )
        self._consumer.subscribe(**subscription(self._specs, self._config.embedded), listener=_Handover(self))
        await self._consumer.start()

    async def on_stop(self) -> None:
        """Delivers and commits what was read, then leaves the group."""
        async with self._lock:
            await self._deliver()
            await self._commit()
        for consumer in (self._consumer, self._hints):
            if consumer is not None:
                await consumer.stop()

    @Service.task
    async def _read(self) -> None:
        consumer = self._consumer
        while consumer is not None and not self.should_stop:
            try:
                await self._turn(consumer)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                stop_process("intake", error)

    @Service.task
    async def _follow_memberships(self) -> None:
        while self._hints is not None and not self.should_stop:
            try:
                for records in (await self._hints.getmany(timeout_ms=500)).values():
                    for record in records:
                        self._learn(record)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                stop_process("intake", error)

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        """One poll. What was polled outside one tenure is dropped: taking over begins again at what is committed."""
        self._pause(consumer)
        batches = await consumer.getmany(timeout_ms=100, max_records=POLL_RECORDS)
        tenure = self._tenure  # nothing was awaited since the records left the consumer
        async with self._lock:
            if tenure is not None and tenure is self._tenure:
                await self._route(batches)
            await self._deliver()
            if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
                await asyncio.gather(*(self._unbroken(place, ANY) for place in self._paused if self._config.embedded))
                await self._commit()

    async def _route(self, batches: dict[TopicPartition, list[Any]]) -> None:
        self.phase = "route" if batches else "idle"
        consumer = self._consumer
        mine = consumer.assignment() if consumer else ()
        for place, records in batches.items():
            if place not in mine or consumer is None:
                continue
            if self._specs[place.topic].kind in self._breaker.parked():
                consumer.seek(place, max(records[0].offset, self._expected.get(place, 0)))
                continue
            if records[0].offset < self._expected.get(place, 0):
                records = await self._fresh(place, records)
                if not records:
                    continue
            await self._unbroken(place, records[0].offset)
            self._take(consumer, place, records)

    def _take(self, consumer: AIOKafkaConsumer, place: TopicPartition, records: list[Any]) -> None:
        """Routes records slice by slice; goes no further where the feed is parked."""
        spec = self._specs[place.topic]
        for start in range(0, len(records), SLICE):
            part = records[start : start + SLICE]
            at = (place.topic, place.partition)
            self._router.take(spec, [Inbound(*at, r.offset, r.timestamp, r.key, r.value, r.headers) for r in part])
            following = self._expected[place] = self._positions[place] = part[-1].offset + 1
            self._figures.add(place, spec.kind, part, self._router.last)
            if self._breaker.count(spec.kind, at[1], following, self._router.last.rows, self._router.last.bad):
                consumer.seek(place, following)
                return

    def _pause(self, consumer: AIOKafkaConsumer) -> None:
        """Parked feeds are not fetched; their offsets stay where they are."""
        parked = self._breaker.parked()
        if not parked and not self._paused:
            return
        mine = consumer.assignment()
        wanted = {place for place in mine if place.topic in self._specs and self._specs[place.topic].kind in parked}
        consumer.pause(*wanted)
        consumer.resume(*((self._paused & mine) - wanted))
        self._paused = wanted

    async def _fresh(self, place: TopicPartition, records: list[Any]) -> list[Any]:
        """Leaves out what was polled before a rebalance and again after it: rows of a batch count once.

        Where the topic itself is shorter than what we expected, it was made anew: everything in it is fresh.
        """
        expected = self._expected[place]
        if self._consumer is not None and (await self._consumer.end_offsets([place]))[place] < expected:
            return records
        return [record for record in records if record.offset >= expected]

    async def _unbroken(self, place: TopicPartition, offset: int) -> None:
        """Raises Stop when the broker dropped messages nobody read; a transaction's marker is no gap."""
        expected = self._expected.get(place, 0)
        if offset <= expected or self._consumer is None:
            return
        first = (await self._consumer.beginning_offsets([place]))[place]
        if first > expected:
            gone = f"消息服务已丢弃 {place.topic}/{place.partition} 的 {first - expected} 条未读消息，停止以免漏数"
            raise Stop(gone if self._config.embedded else gone + way_on("intake"))

    async def _deliver(self) -> None:
        letters, hints, counts = self._router.drain()
        if letters:
            self.phase = "outputs"
            half = len(letters) // 2
            await self._delivery.send(letters[:half])
            failpoint("intake.mid_outputs")
            await self._delivery.send(letters[half:])
        if hints := hints + self._breaker.letters():
            await self._delivery.send(hints)
        if letters:
            failpoint("intake.after_outputs")
        measure(counts)

    async def _commit(self) -> None:
        self._committed_at = time.monotonic()
        METRICS.set("lidm_loop_progress_timestamp_seconds", time.time(), stage="intake")
        if not self._positions or self._consumer is None:
            return
        self.phase = "commit"
        if figures := self._figures.letters():
            await self._delivery.send(figures)
        mine = self._consumer.assignment()
        offsets = {
            place: OffsetAndMetadata(position, self._open_batches(place))
            for place, position in self._positions.items()
            if place in mine
        }
        try:
            if offsets:
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError, RebalanceInProgressError) as error:
            log.warning("commit_lost_to_rebalance", error=type(error).__name__)  # the next owner repeats; no loss
            return
        self._positions = {}
        self.phase = "idle"
        failpoint("intake.after_commit")

    def _open_batches(self, place: TopicPartition) -> str:
        return encode_batches(self._router.open.get((place.topic, place.partition), {}))

    async def _take_over(self, places: set[TopicPartition]) -> None:
        """Begins each place at its committed position with the open batches committed with it, whatever was read."""
        consumer = self._consumer
        if consumer is None:
            return
        mine = [place for place in places if place.topic in self._specs]
        fetched = await consumer._coordinator.fetch_committed_offsets(mine)  # noqa: SLF001 - only way to the metadata
        async with self._lock:
            for place in mine:
                committed = fetched.get(place)
                known = committed is not None and committed.offset >= 0
                self._positions.pop(place, None)
                self._figures.forget(place)
                self._expected[place] = committed.offset if known else 0
                self._router.open.pop((place.topic, place.partition), None)
                if known and (note := decode_note(committed.metadata or "")):
                    tell(note, "intake", place.topic, place.partition, METRICS)
                elif known and committed.metadata:
                    self._router.open[place.topic, place.partition] = decode_batches(committed.metadata)
                consumer.seek(place, self._expected[place])
            self._tenure = object()

    async def _hand_over(self) -> None:
        async with self._lock:
            self._tenure = None
            await self._deliver()
            await self._commit()
            self._positions = {}

    async def _learn_memberships(self) -> None:
        self._hints = await open_hints(self._config)
        async for record in to_the_end(self._hints):
            self._learn(record)
        log.info("memberships_known", persons=len(self._registry))

    def _learn(self, record: Any) -> None:
        learn(record, self._registry, self._breaker, self._router.doubts)


class _Handover(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka logs what a listener raises and goes on; going on would break a guarantee."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await _or_stop(self._intake._hand_over())  # noqa: SLF001 - one unit

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await _or_stop(self._intake._take_over(assigned))  # noqa: SLF001 - one unit


async def _or_stop(work: Awaitable[None]) -> None:
    try:
        await work
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        stop_process("intake", error)
