"""CloudEvents as the gateway writes them: rows with pseudonyms, and the manifests that open and close a batch."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Literal

import msgspec

from schemas.calendar import SHANGHAI
from schemas.errors import CallError
from schemas.explain import NO_SNAPSHOT
from schemas.feed import FEEDS
from schemas.plain_identity import carries_identity

Mode = Literal["delta", "replace_period", "full_snapshot"]
_NAMESPACE = uuid.UUID("5f0c1b9e-6d0e-5b0e-9d53-0d5a6b8f7c11")
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_encode = msgspec.json.Encoder().encode


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """One good row: the person by pseudonym, the feed's data, and what the envelope needs. No identity in it."""

    row: int
    person: str
    data: bytes
    day: str | None
    recorded: datetime | None = None
    operation: str = "record"
    sequence: int | None = None
    event_id: str | None = None
    keyed: bool = True


@dataclass(frozen=True)
class BatchPlan:
    """What a batch says of itself: the month it is about, the areas it covers, what becomes of what it does not repeat.

    `replace_period`: of the month, that counts as reversed; `full_snapshot`: it has ended with the month's first day.
    """

    period: str
    areas: tuple[str, ...]
    mode: Mode = "delta"
    nothing_happened: bool = False
    batchid: str | None = None

    def __post_init__(self) -> None:
        """Raises CallError when the plan contradicts itself."""
        year, dash, month = self.period.partition("-")
        if not (dash and len(year) == 4 and (year + month).isdecimal() and 1 <= int(month) <= 12 and len(month) == 2):
            raise CallError("所属期应为 YYYY-MM，如 2026-05")
        if not self.areas or not all(len(a) == 12 and a.isdigit() for a in self.areas):
            raise CallError("批次须写明地区：12 位统计用区划代码，可多个")

    @property
    def whole(self) -> bool:
        """Whether what the batch does not repeat no longer counts."""
        return self.mode != "delta"

    def check(self, feed: str) -> None:
        """Raises CallError where a feed does not take such a batch."""
        if self.mode == "full_snapshot" and not FEEDS[feed].fact.snapshots:
            raise CallError(f"{feed} {NO_SNAPSHOT}")

    def named(self, source: str, feed: str, recorded: datetime) -> str:
        """The batch id: given, or the same for the same plan begun at the same time."""
        if self.batchid:
            return self.batchid
        parts = (source, feed, self.period, self.mode, *self.areas, recorded.isoformat())
        return f"b-{uuid5_of('|'.join(parts).encode())}"


@dataclass(frozen=True)
class Envelope:
    """Writes the events of one file. `recorded` stands for rows that do not say when they were recorded."""

    feed: str
    source: str
    recorded: datetime
    batchid: str | None = None
    floor: datetime | None = None

    def __post_init__(self) -> None:
        """Raises CallError where every message, manifests too, would carry a number in its source or batch id."""
        if carries_identity(self.source) or carries_identity(self.batchid or ""):
            raise CallError("来源标识和批次编号里不能有证件号码")

    @cached_property
    def _now(self) -> str:
        return _stated(self.recorded)

    def event(self, row: Parsed) -> bytes:
        """One CloudEvent. A row without an id of its own gets one made of what it says, the same every time."""
        recorded = row.recorded
        if recorded is None or (self.floor is not None and recorded < self.floor):
            stated = self._now  # a period restated now: an older time would fall under the batch's own replacement
        else:
            stated = _stated(recorded)
        fields: dict[str, object] = {
            "specversion": "1.0",
            "id": row.event_id or self._id_of(row, stated),
            "source": self.source,
            "type": f"lidm.{self.feed}",
            "subject": row.person,
            # A month paid for in advance happens, for the envelope, when it is recorded.
            "time": f"{row.day}T00:00:00+08:00" if row.day and row.day <= stated[:10] else stated,
            "recordedtime": stated,
            "operation": row.operation,
            "sequence": row.row if row.sequence is None else row.sequence,
            "data": msgspec.Raw(row.data),
        }
        if self.batchid is not None:
            fields["batchid"] = self.batchid
        return _encode(fields)

    def _id_of(self, row: Parsed, stated: str) -> str:
        # Where the id is the natural key itself, sending the row again must give the same id at any time.
        when = stated if row.keyed else ""
        text = "|".join((self.source, self.feed, row.person, when, row.operation)).encode()
        return uuid5_of(text + row.data)

    def manifest(self, what: Literal["begin", "end"], plan: BatchPlan, rows: int, at: datetime) -> bytes:
        """The begin or end of a batch for one partition; `rows` is that partition's count."""
        return _encode(
            {
                "specversion": "1.0",
                "id": f"{self.batchid}-{what}",
                "source": self.source,
                "type": f"lidm.batch.{what}",
                "time": _stated(at),
                "recordedtime": _stated(at),
                "batchid": self.batchid,
                "data": {
                    "feed": self.feed,
                    "period": plan.period,
                    "areas": list(plan.areas),
                    "mode": plan.mode,
                    "rows": rows,
                    "nothing_happened": plan.nothing_happened,
                },
            }
        )


def uuid5_of(name: bytes) -> str:
    """The text of a UUIDv5 in the gateway's namespace; a third of the time of `uuid.uuid5`."""
    h = hashlib.sha1(_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


@lru_cache(maxsize=50_000)
def _stated(when: datetime) -> str:
    return when.astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def envelope_of(kind: str, source: str, recorded: datetime, batch: BatchPlan | None) -> Envelope:
    """The envelope of what is published now. Raises CallError where the feed does not take such a batch."""
    if recorded.tzinfo is None:
        raise ValueError("recorded must be aware")
    if batch is not None:
        batch.check(kind)
    return Envelope(
        kind,
        source,
        recorded,
        batchid=batch.named(source, kind, recorded) if batch else None,
        floor=recorded if batch and batch.whole else None,
    )
