"""Records of `households.events.v1`: msgpack blocks of `[kind, household, known_at, topic, partition, offset, body]`.

A block is one Kafka message without a key; its partition is murmur2(household) set by whoever writes it. Control
records (tick, batch.*, policy.activated, golive, detector.switch, detector.shadow,
sweep.part) carry an empty household: they mean the partition.
`known_at` is the broker time of the feed message in milliseconds since 1970; in `driven` clock mode the driver's time.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from schemas.facts import AnyFact, Membership, Version


class Home(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Where a household is on record, as one of its memberships (`key`) says; `area` "": it says nothing of that."""

    key: str
    recorded_ms: int
    sequence: int
    event_id: str
    gone: bool
    day: int
    until: int | None
    area: str


Homes = dict[str, tuple[Home, ...]]
"""By household."""


class Route(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What the router knew: the version of the person's newest membership, the household left, forwards so far."""

    seen: Version | None = None
    previous: str | None = None
    hops: int = 0


class FactBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A fact, the person it belongs to and how it was routed (None: by the person's only known membership)."""

    person: str
    fact: AnyFact
    route: Route | None = None


class Carried(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An episode that goes with a person: enough to continue it under the same alert_id; `detail`: its last words."""

    detector: str
    cause: str
    alert_id: str
    revision: int
    since: int
    first_since: int
    opened_on: int
    severity: int
    measure: int
    threshold_fen: int
    digest: str
    emitted: bool
    baseline: bool
    ended: str | None
    ended_on: int | None
    detail: bytes = b""


class TransferBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A person's facts and episodes, written by the household left. transfer_id = UUIDv5(person, membership version).

    `asks`: the sender waits for the receiver's transfer of this person. `homes`: where the sender, and households the
    person was in before, are on record; so the receiver knows which whole batches spoke of the person there.
    """

    transfer_id: str
    person: str
    left: str
    membership: Version
    facts: tuple[AnyFact, ...]
    episodes: tuple[Carried, ...]
    asks: bool = False
    snapshots: dict[str, dict[str, dict[int, int]]] = {}  # in logs of fold 2; now every partition knows them itself
    homes: Homes = {}


class TickBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """It is at least `at_ms`."""

    at_ms: int


class BatchPartBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Feed partition `q` of a batch is delivered up to its end manifest; `of` parts make the batch closed.

    `hold_above`: it is held for a person when more than so many in a thousand of what was there before are missing
    from it; None: it never is. `source`: of the manifests, whose facts the batch speaks of; "" in older logs: of all.
    """

    feed: str
    batchid: str
    q: int
    of: int
    period: str
    areas: tuple[str, ...]
    mode: str
    rows: int
    begun_ms: int
    hold_above: int | None = None
    source: str = ""


class BatchBegunBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A batch that replaces what it does not repeat begins: none of its rows is in this partition yet."""

    feed: str
    batchid: str
    of: int
    period: str
    areas: tuple[str, ...]
    mode: str
    begun_ms: int
    source: str = ""


class BatchCountBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What household partition `partition` (of `of`) held of what a batch speaks of; its first word counts.

    `gone` None: told when the batch began. Else how many of these the batch did not repeat, and `before` is what was
    there plus what came.
    """

    feed: str
    batchid: str
    of: int
    partition: int
    before: int
    gone: int | None = None
    source: str = ""
    period: str = ""


class BatchVerdictBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Somebody decided about a batch that was held: `release` lets it take effect, `refuse` never."""

    feed: str
    batchid: str
    verdict: str
    actor: str
    reason: str
    source: str = ""
    period: str = ""


class PolicyBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The whole canonical policy bundle, zstd, and its hash.

    `pace`: households of a partition that are asked again at a time (`SweepBody`); 0: all of them at once.
    """

    hash: str
    bundle: bytes
    pace: int = 0


class GoliveBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Detector goes live in an area (and below); cases release at most `per_day` baseline breaches a day.

    `pace`: as in `PolicyBody`. What was there before is told in a household's turn; what is found from now on, at once.
    """

    area: str
    detector: str
    per_day: int
    pace: int = 0


class SweepBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The turn of the households named after `after`, up to `until` (None: all the rest), in a sweep under way.

    The partition writes it to itself, the next one when this is done: so what is asked when follows from the log, and
    facts are folded in between. One that does not begin where the sweep stands was said before, and is passed over.
    """

    sweep: str
    after: str
    until: str | None


class SwitchBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A person takes a live detector off (`to` = `stop`) in an area and below, or lets it speak there again (`resume`).

    Both name the same area: resuming a town does not lift the stop of its city.
    """

    area: str
    detector: str
    to: Literal["stop", "resume"]
    actor: str
    reason: str


class ShadowBody(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """From here on these rules also run beside the live ones in an area and below, and what they say goes to a topic of
    its own; or (`to` = `stop`) no longer. A run's name is used once.

    `bundle`: the canonical draft they count with, zstd, and its hash; empty: the policy in force. `pace`: as in
    `PolicyBody`.
    """

    name: str
    to: Literal["start", "stop"]
    area: str
    detectors: tuple[str, ...]
    hash: str
    bundle: bytes
    actor: str
    reason: str
    pace: int = 0


class _Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    household: str
    known_at: int
    topic: str
    partition: int
    offset: int


class FactRecord(_Record, array_like=True, frozen=True, gc=False, tag="fact"):
    """A fact for a household, from intake."""

    body: FactBody


class ForwardRecord(_Record, array_like=True, frozen=True, gc=False, tag="forward"):
    """A late fact sent on by the household a person left; at most `MAX_HOPS` times."""

    body: FactBody


class TransferRecord(_Record, array_like=True, frozen=True, gc=False, tag="transfer"):
    """What goes with a person to the new household."""

    body: TransferBody


class TickRecord(_Record, array_like=True, frozen=True, gc=False, tag="tick"):
    """The clock of the partition."""

    body: TickBody


class BatchPartRecord(_Record, array_like=True, frozen=True, gc=False, tag="batch.part"):
    """One feed partition of a batch is complete."""

    body: BatchPartBody


class BatchBegunRecord(_Record, array_like=True, frozen=True, gc=False, tag="batch.begun"):
    """A batch that may end or reverse facts begins."""

    body: BatchBegunBody


class BatchCountRecord(_Record, array_like=True, frozen=True, gc=False, tag="batch.count"):
    """One partition's count for a batch, for all partitions."""

    body: BatchCountBody


class BatchVerdictRecord(_Record, array_like=True, frozen=True, gc=False, tag="batch.verdict"):
    """A held batch takes effect, or never."""

    body: BatchVerdictBody


class PolicyRecord(_Record, array_like=True, frozen=True, gc=False, tag="policy.activated"):
    """From here on this policy holds."""

    body: PolicyBody


class GoliveRecord(_Record, array_like=True, frozen=True, gc=False, tag="golive"):
    """From here on this detector speaks in this area."""

    body: GoliveBody


class SweepRecord(_Record, array_like=True, frozen=True, gc=False, tag="sweep.part"):
    """Some households of the partition are asked again."""

    body: SweepBody


class ShadowRecord(_Record, array_like=True, frozen=True, gc=False, tag="detector.shadow"):
    """Rules that only watch begin, or end."""

    body: ShadowBody


class SwitchRecord(_Record, array_like=True, frozen=True, gc=False, tag="detector.switch"):
    """From here on this detector says nothing in this area, or speaks there again."""

    body: SwitchBody


BatchRecord = BatchPartRecord | BatchBegunRecord | BatchCountRecord | BatchVerdictRecord
RuleRecord = PolicyRecord | GoliveRecord | SwitchRecord
PersonRecord = FactRecord | ForwardRecord | TransferRecord
EverybodysRecord = TickRecord | BatchRecord | RuleRecord | SweepRecord | ShadowRecord
"""Records that concern every household of a partition."""
Record = PersonRecord | EverybodysRecord

MAX_HOPS = 4

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])


def encode_block(records: Iterable[Record]) -> bytes:
    """The message value of a block."""
    return _encoder.encode(list(records))


def decode_block(value: bytes) -> list[Record]:
    """The records of a block. Raises msgspec.DecodeError (or ValidationError) when the bytes are not a block."""
    return _decoder.decode(value)


__all__ = ["Membership", "Record", "decode_block", "encode_block"]
