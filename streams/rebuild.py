"""Cold rebuild: the same fold over an ordered log, from Kafka or from the archive. Produces nothing into any topic."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
from kafka import KafkaConsumer, TopicPartition

from households import codec
from schemas.errors import Stop
from schemas.facts import Membership
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS, STATE
from streams.config import StreamConfig
from streams.control import Marker
from streams.delivery import Letter
from streams.metrics import METRICS
from streams.registry import Registry, stay_of
from streams.watch import Watch

KEEP_EVERY = 500


class LoggedBlock(NamedTuple):
    """One block and its place. A new `generation` begins again at offset 0."""

    generation: str
    partition: int
    offset: int
    known_at: int
    block: bytes


def whole(blocks: Iterable[LoggedBlock], until: Mapping[int, int]) -> Iterator[LoggedBlock]:
    """These blocks of one generation. Raises Stop unless every partition begins at 0 and goes on up to its end.

    Retention may have cut the log, and the archive may be behind: a state made of a part of the log is no state.
    """
    following = dict.fromkeys(until, 0)
    for block in blocks:
        expected = following[block.partition]
        if block.offset != expected:
            raise _incomplete(block.partition, f"缺少{expected}至{block.offset - 1}号消息")
        following[block.partition] = expected + 1
        yield block
    for partition, end in sorted(until.items()):
        if following[partition] < end:
            raise _incomplete(partition, f"只到{following[partition]}，监测环节已处理到{end}")


def _incomplete(partition: int, what: str) -> Stop:
    return Stop(f"台账日志不完整，不能据此重建：分区{partition}{what}（可能已过保留期，或归档落后）")


def fold_log(
    blocks: Iterable[LoggedBlock], config: StreamConfig, outputs: Callable[[list[Letter]], None] = lambda letters: None
) -> dict[int, Watch]:
    """The state of every partition after these blocks, which come in order per partition. `outputs` is shown what was
    written when they were first folded; nothing is written or counted again."""
    watches = {p: Watch(p, config) for p in range(config.partitions)}
    generations: dict[int, str] = {}
    with METRICS.muted():
        for count, block in enumerate(blocks, 1):
            watch = watches[block.partition]
            if generations.setdefault(block.partition, block.generation) != block.generation:
                _keep(watch, outputs)
                watch.next_generation()
                generations[block.partition] = block.generation
            watch.fold(HOUSEHOLD_EVENTS, block.offset, block.known_at, block.block)
            if count % KEEP_EVERY == 0:
                _keep(watch, outputs)
        for watch in watches.values():
            _keep(watch, outputs)
    return watches


def registry_of(blocks: Iterable[LoggedBlock]) -> Registry:
    """The routing hints that the membership facts of a log give."""
    registry = Registry()
    for block in blocks:
        for record in decode_block(block.block):
            if isinstance(record, FactRecord) and isinstance(record.body.fact, Membership):
                registry.merge(stay_of(record.body.fact))
    return registry


def read_log(config: StreamConfig, until: dict[int, int]) -> Iterator[LoggedBlock]:
    """`households.events.v1` from the start up to an offset per partition."""
    for message in _read(config, HOUSEHOLD_EVENTS, until):
        yield LoggedBlock(config.generation, message.partition, message.offset, message.timestamp, message.value)


def read_state(config: StreamConfig, ends: dict[int, int]) -> dict[int, Watch]:
    """The state topic as a monitor would load it. Raises Stop when other code folded it."""
    watches = read_stored(config, ends)
    for watch in watches.values():
        watch.opened()
    return watches


def read_stored(config: StreamConfig, ends: dict[int, int]) -> dict[int, Watch]:
    """The records of the state topic, whoever folded them: to compare and replace, not to ask."""
    watches = {p: Watch(p, config) for p in range(config.partitions)}
    for message in _read(config, STATE, ends):
        watches[message.partition].restore(message.key, message.value)
    return watches


def keys_of(config: StreamConfig, topic: str, ends: dict[int, int]) -> dict[int, set[bytes]]:
    """The keys of a state topic up to these ends, by partition; what was deleted is named as well."""
    found: dict[int, set[bytes]] = {}
    for message in _read(config, topic, ends):
        found.setdefault(message.partition, set()).add(message.key)
    return found


def marker_of(watch: Watch) -> Marker | None:
    """The marker among a partition's durable records."""
    raw = next((raw for key, raw in watch.control_records() if key.startswith("ckpt/")), None)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Marker)


def foreign(watch: Watch) -> bool:
    """Whether other code folded these records, or a rebuild ended before it had written them all."""
    marker = marker_of(watch)
    return marker is not None and (marker.codec, marker.fold) != (codec.CODEC_VERSION, codec.FOLD_VERSION)


def reach(committed: Mapping[int, int], stored: Mapping[int, Watch]) -> dict[int, int]:
    """How far to fold: state is durable before its offset is committed, and a state that reaches less far never wins
    against it."""
    markers = {p: marker.next for p, watch in stored.items() if (marker := marker_of(watch)) is not None}
    return {p: max(committed.get(p, 0), markers.get(p, 0)) for p in sorted(committed.keys() | markers.keys())}


def differences(one: Watch, other: Watch) -> list[str]:
    """Keys whose records differ in content; the position a page was written at depends on when checkpoints fell.

    Records of other code say nothing about ours: where one side is foreign every key differs, and its marker.
    """
    mine, theirs = ({key: raw[8:] for key, raw in watch.records()} for watch in (one, other))
    if foreign(one) or foreign(other):
        return sorted({*mine, *theirs, "ckpt"})
    return sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))


def _keep(watch: Watch, outputs: Callable[[list[Letter]], None]) -> None:
    drained = watch.drain()
    outputs(drained.outputs)
    watch.keep(drained.state)


def _read(config: StreamConfig, topic: str, until: dict[int, int]) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(
        bootstrap_servers=config.broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    places = [TopicPartition(topic, p) for p, end in until.items() if end > 0]
    consumer.assign(places)
    for place in places:
        consumer.seek_to_beginning(place)
    open_places = set(places)
    try:
        while open_places:
            for place, messages in consumer.poll(timeout_ms=500, max_records=2000).items():
                yield from (m for m in messages if m.offset < until[place.partition])
            open_places = {place for place in open_places if consumer.position(place) < until[place.partition]}
    finally:
        consumer.close()
