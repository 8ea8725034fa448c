"""The pure half of intake: decoded feed messages become blocks for households, routing hints and dead letters."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

import msgspec

from schemas.doubts import DOUBTED, Doubts
from schemas.envelope import Delivery, Manifest, Problem
from schemas.facts import AnyFact, Membership
from schemas.feed import FeedSpec
from schemas.feed_reports import ClosedPart
from schemas.partition import partition_of
from schemas.provisional import EXTEND_DAYS, is_provisional, silent_until
from schemas.records import BatchBegunRecord, BatchPartRecord, FactBody, FactRecord, Record, Route, encode_block
from schemas.topics import HOUSEHOLD_EVENTS, MEMBERS, Catalogue
from streams.batches import Batches, OpenBatch, batch_name, begin
from streams.config import StreamConfig
from streams.counts import Counts, SliceCounts
from streams.delivery import Headers, Letter
from streams.manifests import begun, ended
from streams.provisional import Lines, ending, opening
from streams.registry import Registry, Stay, Targets, encode_stay, stay_key, stay_of
from streams.rejected import Coordinates, dead_letters

BLOCK_RECORDS = 200
EPOCH_DAY = date(1970, 1, 1).toordinal()
DAY_MS = 86_400_000


class Inbound(msgspec.Struct, frozen=True, gc=False):
    """One message of a feed topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Router:
    """Routes facts to every household they belong to. De-duplicates nothing: the ledgers do."""

    def __init__(
        self,
        registry: Registry,
        partitions: int,
        public_key: bytes,
        *,
        catalogue: Catalogue | None = None,
        area: str = "",
    ) -> None:
        """`area`: who answers for provisional households whose fact names none."""
        self._lines, self._area, self._catalogue = Lines(catalogue), area, catalogue
        self._registry = registry
        self._partitions = partitions
        self._public_key = public_key
        self._blocks: list[list[Record]] = [[] for _ in range(partitions)]
        self._times = [0] * partitions
        self._letters: list[Letter] = []
        self._hints: list[Letter] = []
        self._partition_of: dict[str, int] = {}
        self._refused: list[Problem] = []
        self.open: dict[tuple[str, int], Batches] = {}
        self.doubts = Doubts()
        self.last = SliceCounts()
        self._reset_counts()

    @classmethod
    def of(cls, config: StreamConfig, registry: Registry) -> "Router":
        """The router of a worker."""
        return cls(registry, config.partitions, config.seal_public_key, catalogue=config.catalogue, area=config.area)

    def take(self, spec: FeedSpec, messages: Iterable[Inbound]) -> None:
        """Decodes and routes messages of one feed partition, in order."""
        feed = spec.kind
        events = out_of_scope = newest = known_at = 0
        place, decode = self._registry.targets, self.doubts.decode(spec)
        last = self.last = SliceCounts()
        for message in messages:
            topic, partition, offset, known_at = message.topic, message.partition, message.offset, message.timestamp_ms
            for item in decode(message.value or b"", known_at):
                if type(item) is Delivery:
                    events += 1
                    if item.batchid:
                        self._count_row(topic, partition, item.batchid)
                    if item.operation != "record":
                        last.corrected += item.operation == "correct"
                        last.reversed += item.operation == "reverse"
                    fact = item.fact
                    person = item.person
                    if type(fact) is Membership:
                        self._take_membership(message, fact)
                        continue
                    known = self._registry.person(person)
                    if known != person or fact.people:
                        fact, person = self._registry.renamed(fact, person), known
                    newest = max(newest, fact.day)
                    targets = place(person, fact.day)
                    if targets is None or targets.until is not None:
                        targets = self._provisional(message, feed, person, fact, targets)
                        if targets is None:
                            out_of_scope += 1
                            continue
                    body = FactBody(person, fact, targets.route)
                    for household in targets.households:
                        self._put(FactRecord(household, known_at, topic, partition, offset, body))
                elif isinstance(item, Manifest):
                    self._take_manifest(message, item)
                elif isinstance(item, Problem):
                    events += 1
                    if item.batchid and item.code != DOUBTED:  # other refused rows were still sent
                        self._count_row(topic, partition, item.batchid)
                    self._refuse(feed, item)
            if self._refused:
                self._seal(message)
        last.rows, last.out_of_scope = events, out_of_scope
        self._events[feed] += events
        if newest:
            self._ages[feed] = max(0.0, known_at / 1000 - (newest - EPOCH_DAY) * 86_400)
        if out_of_scope:
            self._out_of_scope[feed] += out_of_scope

    def drain(self) -> tuple[list[Letter], list[Letter], Counts]:
        """Household blocks and dead letters; routing hints (to be delivered after them); counts. Starts afresh."""
        for partition, block in enumerate(self._blocks):
            if block:
                self._close_block(partition)
        letters, self._letters = self._letters, []
        hints, self._hints = self._hints, []
        counts = Counts(self._events, self._routed, self._rejected, self._out_of_scope, self._ages)
        self._reset_counts()
        return letters, hints, counts

    def _reset_counts(self) -> None:
        self._events: Counter[str] = Counter()
        self._routed: Counter[str] = Counter()
        self._rejected: Counter[tuple[str, str]] = Counter()
        self._out_of_scope: Counter[str] = Counter()
        self._ages: dict[str, float] = {}

    def _put(self, record: FactRecord) -> None:
        household = record.household
        partition = self._partition_of.get(household)
        if partition is None:
            if len(self._partition_of) > 1_000_000:
                self._partition_of.clear()
            partition = self._partition_of[household] = partition_of(household, self._partitions)
        block = self._blocks[partition]
        block.append(record)
        self._times[partition] = record.known_at
        if len(block) >= BLOCK_RECORDS:
            self._close_block(partition)

    def _close_block(self, partition: int) -> None:
        block = self._blocks[partition]
        self._letters.append(Letter(HOUSEHOLD_EVENTS, partition, None, encode_block(block), self._times[partition]))
        self._routed["all"] += len(block)
        self._blocks[partition] = []

    def _provisional(
        self, message: Inbound, feed: str, person: str, fact: AnyFact, targets: Targets | None
    ) -> Targets | None:
        """Where a fact of somebody unwatched, or watched for a time, goes; None = nowhere."""
        if targets is None or targets.until is None or fact.day >= targets.until:
            today = message.timestamp_ms // DAY_MS + EPOCH_DAY
            if not self._lines.crossed(feed, fact) or silent_until(fact.day) <= today:
                return None
            self._take_membership(message, opening(person, fact, fact.day, self._area))
        elif silent_until(fact.day) >= targets.until + EXTEND_DAYS:
            stay = self._registry.current(person)
            if stay is not None:
                self._take_membership(message, opening(person, fact, stay.since, self._area))
        return self._registry.targets(person, fact.day)

    def _take_membership(self, message: Inbound, fact: Membership) -> None:
        """As told; where the register names somebody watched for a time, that ends."""
        known = self._registry.person(fact.person)
        if known != fact.person:
            fact = msgspec.structs.replace(fact, key=fact.key.replace(fact.person, known), person=known)
        self._tell_membership(message, fact)
        if not fact.gone and not is_provisional(fact.household):
            for stay in self._registry.provisional(fact.person):
                self._tell_membership(message, ending(stay, fact))

    def _tell_membership(self, message: Inbound, fact: Membership) -> None:
        """To the household it names, and to those the person was in, so that they learn where the person went."""
        before = self._registry.current(fact.person)
        stay = stay_of(fact)
        households = dict.fromkeys([fact.household, *self._registry.households_of(fact.person)])
        changed = self._registry.merge(stay)
        after = self._registry.current(fact.person)
        previous = before.household if before and before.household != fact.household else None
        route = Route(seen=after.version if after else None, previous=previous)
        body = FactBody(fact.person, fact, route)
        for household in households:
            self._put(
                FactRecord(household, message.timestamp_ms, message.topic, message.partition, message.offset, body)
            )
        if changed:
            self._hints.append(self._hint(stay, message.timestamp_ms))

    def _hint(self, stay: Stay, timestamp_ms: int) -> Letter:
        partition = partition_of(stay.person, self._partitions)
        return Letter(MEMBERS, partition, stay_key(stay), encode_stay(stay), timestamp_ms)

    def _take_manifest(self, message: Inbound, manifest: Manifest) -> None:
        batches = self.open.setdefault((message.topic, message.partition), {})
        if manifest.what == "begin":
            if not begin(batches, manifest.batchid, manifest.recorded_ms, manifest.source):
                self._refuse(manifest.feed, _taken(manifest))
                return
            record = begun(message, manifest, self._partitions, self._catalogue)
            if record is not None:
                self._put_everywhere(record)
            return
        name = batch_name(manifest.batchid)
        batch = batches.get(name)
        if batch is not None and not batch.belongs_to(manifest.source):
            self._refuse(manifest.feed, _taken(manifest))
            return
        batches.pop(name, None)
        if batch is None:
            text = "批次没有开始清单就结束了，或同时打开的批次过多而被放弃，请整批重发"
            problem = Problem("UNKNOWN_BATCH", "/batchid", text, batchid=manifest.batchid)
        elif batch.rows != manifest.rows:
            text = f"批次少数据：清单说本分区 {manifest.rows} 行，实收 {batch.rows} 行（金额待核的不算），请整批重发"
            problem = Problem("BATCH_SHORT", "/data/rows", text, batchid=manifest.batchid)
        else:
            self._close_batch(message, manifest, batch)
            return
        self._refuse(manifest.feed, problem)

    def _close_batch(self, message: Inbound, manifest: Manifest, batch: OpenBatch) -> None:
        part = ClosedPart(manifest.batchid, manifest.period, manifest.mode, batch.rows, manifest.source)
        self.last.closed.append(part)
        self._put_everywhere(ended(message, manifest, batch, self._partitions, self._catalogue))

    def _put_everywhere(self, record: BatchPartRecord | BatchBegunRecord) -> None:
        for partition in range(self._partitions):
            self._blocks[partition].append(record)
            self._times[partition] = record.known_at
            if len(self._blocks[partition]) >= BLOCK_RECORDS:
                self._close_block(partition)

    def _count_row(self, topic: str, partition: int, batchid: str) -> None:
        batches = self.open.get((topic, partition))
        if batches:
            batch = batches.get(batch_name(batchid))
            if batch is not None:
                batch.rows += 1

    def _refuse(self, feed: str, problem: Problem) -> None:
        self._rejected[(feed, problem.code)] += 1
        self.last.refused[problem.code] = self.last.refused.get(problem.code, 0) + 1
        self._refused.append(problem)

    def _seal(self, message: Inbound) -> None:
        """Keeps a message sealed, once, whatever number of its elements was refused."""
        refused, self._refused = self._refused, []
        self.last.refused_at.add(message.offset)
        if all(each.code == DOUBTED for each in refused):
            self.last.doubted_at.add(message.offset)
        first = refused[0]
        at = Coordinates(message.topic, message.partition, message.offset, message.timestamp_ms)
        self._letters.extend(
            dead_letters(
                first.code,
                first.pointer,
                first.message_zh,
                at,
                message.key,
                message.value,
                self._public_key,
                self._partitions,
                [(p.code, p.pointer if p.index is None else f"/{p.index}{p.pointer}") for p in refused],
                message.headers,
                next((p.batchid for p in refused if p.batchid), None),
            )
        )


def _taken(manifest: Manifest) -> Problem:
    text = "另一来源的同号批次还没有结束：请换一个批次编号整批重发"
    return Problem("BATCH_REUSED", "/batchid", text, batchid=manifest.batchid)
