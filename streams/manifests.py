"""What intake tells households of a batch: that one which replaces begins; that a feed partition of one is complete."""

from typing import Protocol

from households.holding import WHOLE
from schemas.envelope import Manifest
from schemas.records import BatchBegunBody, BatchBegunRecord, BatchPartBody, BatchPartRecord
from schemas.topics import Catalogue
from streams.batches import OpenBatch


class Place(Protocol):
    """Where a manifest was read."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp_ms(self) -> int: ...


def begun(at: Place, manifest: Manifest, of: int, catalogue: Catalogue | None) -> BatchBegunRecord | None:
    """Before any row of a batch that may be held: what is there now is what may be missing from it. None of others."""
    if hold_above(manifest, catalogue) is None:
        return None
    body = BatchBegunBody(
        feed=manifest.feed,
        batchid=manifest.batchid,
        of=of,
        period=manifest.period,
        areas=tuple(manifest.areas),
        mode=manifest.mode,
        begun_ms=manifest.recorded_ms,
        source=manifest.source,
    )
    return BatchBegunRecord("", at.timestamp_ms, at.topic, at.partition, at.offset, body)


def ended(at: Place, manifest: Manifest, batch: OpenBatch, of: int, catalogue: Catalogue | None) -> BatchPartRecord:
    """After every row that a feed partition has of a batch."""
    body = BatchPartBody(
        feed=manifest.feed,
        batchid=manifest.batchid,
        q=at.partition,
        of=of,
        period=manifest.period,
        areas=tuple(manifest.areas),
        mode=manifest.mode,
        rows=batch.rows,
        begun_ms=batch.begun_ms,
        hold_above=hold_above(manifest, catalogue),
        source=manifest.source,
    )
    return BatchPartRecord("", at.timestamp_ms, at.topic, at.partition, at.offset, body)


def hold_above(manifest: Manifest, catalogue: Catalogue | None) -> int | None:
    """How many in a thousand may be missing from a batch, as the catalogue says now; None: any number."""
    return catalogue.hold_above(manifest.feed) if catalogue is not None and manifest.mode in WHOLE else None
