"""One household folded again from the log, alone: the same records, the policy of then, the same alert or what differs.

What a household says depends on its own records and on those of its whole partition (ticks, closed batches, policies,
golives), and on nothing else. So everybody else's records can be left out, and the answer must be the same. Only
`known_at` may be a neighbour's: a block is looked at once, as known at the last record in it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
import zstandard

from households.coverage import month_name
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.errors import Stop
from schemas.records import PolicyBody, PolicyRecord, Record, ShadowBody, ShadowRecord, decode_block, encode_block
from schemas.sealing import new_key_pair
from schemas.topics import ALERTS, ALERTS_SHADOW, HOUSEHOLD_EVENTS
from streams.config import StreamConfig
from streams.metrics import METRICS
from streams.rebuild import LoggedBlock
from streams.watch import Watch


class OwnBlock(NamedTuple):
    """What a block holds for one household; `known_ms`: when any record of the whole block was known."""

    generation: str
    partition: int
    offset: int
    at_ms: int
    records: tuple[Record, ...]
    known_ms: frozenset[int]


class Said(NamedTuple):
    """An alert of the replay and the block it followed from."""

    alert: Alert
    block: OwnBlock


class Covered(NamedTuple):
    """A feed at the moment of the replay: the last month closed for the household's area, and whether it was late."""

    feed: str
    last_closed: str | None
    stale: bool


class Replay(NamedTuple):
    """What folding again came to. `reached`: the revision asked for; after it nothing more is folded."""

    said: tuple[Said, ...]
    reached: Said | None
    covered: tuple[Covered, ...]


class Difference(NamedTuple):
    """One field of an alert that came out otherwise."""

    field: str
    then: object
    again: object


def opened(block: LoggedBlock) -> list[Record]:
    """The records of an archived block. Raises Stop on bytes that are no block."""
    try:
        return decode_block(block.block)
    except msgspec.MsgspecError as error:
        raise Stop(f"归档里分区{block.partition}的{block.offset}号消息不是一个数据块") from error


def own_blocks(blocks: Iterable[LoggedBlock], household: str) -> Iterator[OwnBlock]:
    """The records of these blocks that concern a household. Raises Stop on bytes that are no block."""
    for block in blocks:
        records = opened(block)
        own = tuple(each for each in records if each.household in ("", household))
        if own:
            yield OwnBlock(*block[:4], own, frozenset(each.known_at for each in records))


def replay(
    blocks: Iterable[OwnBlock], alert_id: str, revision: int, feeds: Iterable[str], *, shadow: bool = False
) -> Replay:
    """Folds until this revision is said, or to the end. `feeds`: whose coverage to tell as it was then.

    `shadow`: what shadow runs said, and nothing else.
    """
    watch: Watch | None = None
    topic = ALERTS_SHADOW if shadow else ALERTS
    said: list[Said] = []
    reached: Said | None = None
    with METRICS.muted():
        for watch, block in _folding(blocks, shadow):
            fresh = [Said(alert, block) for alert in _drain(watch, topic)] if watch.speaking else []
            said += fresh
            reached = next((s for s in fresh if (s.alert.alert_id, s.alert.revision) == (alert_id, revision)), None)
            if reached is not None:
                break
    return Replay(tuple(said), reached, _covered(watch, feeds, reached))


def folded(blocks: Iterable[OwnBlock]) -> Watch | None:
    """The partition as these blocks leave it, for questions about the household they are about; None without any."""
    watch: Watch | None = None
    with METRICS.muted():
        for watch, _ in _folding(blocks):
            if watch.speaking:
                _drain(watch)
    return watch


def _folding(blocks: Iterable[OwnBlock], shadows: bool = False) -> Iterator[tuple[Watch, OwnBlock]]:
    """Folds block by block."""
    watch: Watch | None = None
    generation = ""
    for block in blocks:
        watch = watch or Watch(block.partition, to_nobody(block.partition + 1, shadows=shadows))
        if generation not in ("", block.generation):
            watch.next_generation()
        generation = block.generation
        watch.fold(HOUSEHOLD_EVENTS, block.offset, block.at_ms, encode_block(block.records))
        yield watch, block


def differences(then: Alert, again: Said) -> list[Difference]:
    """Fields in which the stored alert and the replayed one differ; none: the same."""
    before, after = then.model_dump(mode="json"), again.alert.model_dump(mode="json")
    if round(then.known_at.timestamp() * 1000) in again.block.known_ms:
        after["known_at"] = before["known_at"]
    return [Difference(name, before[name], after[name]) for name in before if before[name] != after[name]]


def policy_of(blocks: Iterable[OwnBlock], version: str) -> Bundle | None:
    """The bundle with this short hash, as it was activated or a shadow run's draft; None when the log holds none."""
    bodies: dict[str, PolicyBody | ShadowBody] = {}
    for block in blocks:
        told = (each.body for each in block.records if isinstance(each, (PolicyRecord, ShadowRecord)))
        bodies |= {body.hash: body for body in told if body.hash}
    found = next((body for digest, body in bodies.items() if version and digest.startswith(version)), None)
    return Bundle.from_canonical(zstandard.decompress(found.bundle)) if found is not None else None


def _drain(watch: Watch, topic: str = ALERTS) -> list[Alert]:
    drained = watch.drain()
    watch.keep(drained.state)
    return [Alert.model_validate_json(each.value or b"") for each in drained.outputs if each.topic == topic]


def _covered(watch: Watch | None, feeds: Iterable[str], reached: Said | None) -> tuple[Covered, ...]:
    if watch is None or reached is None:
        return ()
    known, areas = watch.known, reached.alert.areas
    chain, on = known.chain(areas.responsible if areas else ""), reached.alert.on
    return tuple(
        Covered(feed, month_name(known.coverage.last_closed(feed, chain)), known.coverage.stale(feed, chain, on))
        for feed in sorted(set(feeds))
    )


def to_nobody(partitions: int, trial: tuple[str, ...] = ("*",), *, shadows: bool = False) -> StreamConfig:
    """No broker, and a seal nobody can open: a replay delivers nothing. Whatever spoke then speaks again."""
    _, public = new_key_pair()
    return StreamConfig(broker="", partitions=partitions, seal_public_key=public, trial=trial, shadows=shadows)
