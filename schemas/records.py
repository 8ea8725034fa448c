"""Records of `households.events.v1`: msgpack blocks of `[kind, household, known_at, topic, partition, offset, body]`.

A block is one Kafka message without a key; its partition is murmur2(household) set by whoever writes it. Control
records (tick, batch.*, policy.activated, golive, detector.switch, detector.shadow, sweep.part, incident.area) carry an
empty household: they mean the partition. Their bodies (`schemas.record_bodies`) may be imported from here too.
`known_at` is the broker time of the feed message in milliseconds since 1970; in `driven` clock mode the driver's time.
"""

from collections.abc import Iterable

import msgspec

from schemas.facts import AnyFact, Membership, Version
from schemas.record_bodies import (
    BatchBegunBody,
    BatchCountBody,
    BatchPartBody,
    BatchVerdictBody,
    GoliveBody,
    IncidentBody,
    PolicyBody,
    ShadowBody,
    SweepBody,
    SwitchBody,
    TickBody,
)


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


class IncidentRecord(_Record, array_like=True, frozen=True, gc=False, tag="incident.area"):
    """An incident struck an area, or did not after all."""

    body: IncidentBody


BatchRecord = BatchPartRecord | BatchBegunRecord | BatchCountRecord | BatchVerdictRecord
RuleRecord = PolicyRecord | GoliveRecord | SwitchRecord
PersonRecord = FactRecord | ForwardRecord | TransferRecord
EverybodysRecord = TickRecord | BatchRecord | RuleRecord | SweepRecord | ShadowRecord | IncidentRecord
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


__all__ = [  # what is passed on
    "BatchBegunBody",
    "BatchCountBody",
    "BatchPartBody",
    "BatchVerdictBody",
    "GoliveBody",
    "IncidentBody",
    "Membership",
    "PolicyBody",
    "Record",
    "ShadowBody",
    "SweepBody",
    "SwitchBody",
    "TickBody",
    "decode_block",
    "encode_block",
]
