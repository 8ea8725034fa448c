"""A batch while it is not closed: its parts, and whether too much of what was there before is missing from it.

One partition sees only its own households, so each tells all others what it counted, before the batch and after. The
sums are the same everywhere, and so is what follows: the batch takes effect, or it is held until somebody decides.
"""

from hashlib import sha256
from typing import Literal, NamedTuple, Protocol
from zlib import crc32

import msgspec

from schemas.records import BatchCountBody, BatchPartBody

WHOLE = ("replace_period", "full_snapshot")
Verdict = Literal["release", "refuse"]
State = Literal["held", "released", "refused", "superseded"]


class Numbered(Protocol):
    """What names a batch: a number says which one only within its feed, source and period."""

    @property
    def feed(self) -> str: ...
    @property
    def batchid(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def period(self) -> str: ...


def name_of(batch: Numbered) -> str:
    """A short name of a batch; records of older logs say no source, and name it by feed and number."""
    said = (batch.feed, batch.batchid, *((batch.source, batch.period) if batch.source else ()))
    return sha256("|".join(said).encode()).hexdigest()[:20]


def digest_of(areas: tuple[str, ...], mode: str) -> int:
    """What a batch says of itself, in short."""
    return crc32("|".join((mode, *sorted(areas))).encode())


class Batch(msgspec.Struct, array_like=True):
    """What is known of an open batch. `parts`: feed partition -> when it began there; `said`: period, areas, mode.

    `before`, `kept`, `gone` by household partition: what was there when it began; what was there or came by its end;
    and how much of that it did not repeat. `odd`: its manifests contradict each other, so it never closes. `verdict`:
    what somebody decided, by whom and why; it may be here before the last count is.
    """

    feed: str
    batchid: str
    of: int
    source: str = ""
    period: str = ""
    parts: dict[int, int] = {}
    said: tuple[str, tuple[str, ...], str] | None = None
    odd: bool = False
    rows: dict[int, int] = {}
    hold_above: int | None = None
    begun: bool = False
    counted: bool = False
    before: dict[int, int] = {}
    kept: dict[int, int] = {}
    gone: dict[int, int] = {}
    held: bool = False
    verdict: tuple[str, str, str] | None = None

    def begin(self) -> bool:
        """A part begins: whether that is the first word of the batch here, so that what is there is to be counted."""
        first = not (self.begun or self.parts)
        self.begun = True
        return first

    def add(self, body: BatchPartBody) -> None:
        """A part ended. The strictest limit holds, whoever wrote it."""
        self._say(body.period, body.areas, body.mode)
        self.parts[body.q] = max(body.begun_ms, self.parts.get(body.q, body.begun_ms))
        self.rows[body.q] = body.rows
        known, told = self.hold_above, body.hold_above
        self.hold_above = told if known is None else known if told is None else min(known, told)

    def count(self, body: BatchCountBody) -> None:
        """What a partition counted; its first word stands, because a replay may count what came later."""
        if body.gone is None:
            self.before.setdefault(body.partition, body.before)
        elif body.partition not in self.gone:
            self.kept[body.partition], self.gone[body.partition] = body.before, body.gone

    @property
    def complete(self) -> bool:
        """Whether every part ended and all say the same of the batch."""
        return len(self.parts) >= self.of and not self.odd

    @property
    def judged(self) -> bool:
        """Whether it has to be counted before it may take effect."""
        return self.hold_above is not None and self.said is not None and self.said[2] in WHOLE

    @property
    def begun_ms(self) -> int:
        """Facts recorded before this may be replaced: when the first partition began."""
        return min(self.parts.values(), default=0)

    @property
    def all_counted(self) -> bool:
        """Whether every partition has told what is gone."""
        return len(self.gone) >= self.of

    @property
    def sums(self) -> tuple[int, int]:
        """(what was there before, what of it is gone), over all partitions."""
        return sum(self.before.get(p, kept) for p, kept in self.kept.items()), sum(self.gone.values())

    @property
    def excessive(self) -> bool:
        """Whether more than the set share is gone."""
        before, gone = self.sums
        return gone * 1000 > (self.hold_above or 0) * before

    def _say(self, period: str, areas: tuple[str, ...], mode: str) -> None:
        said = (period, areas, mode)
        self.odd |= self.said is not None and self.said != said
        self.said = self.said or said


class Told(NamedTuple):
    """That a batch is held, or what became of one that was; for people."""

    state: State
    feed: str
    batchid: str
    period: str
    areas: tuple[str, ...]
    mode: str
    rows: int
    before: int
    gone: int
    hold_above: int
    actor: str = ""
    reason: str = ""
    source: str = ""


def told_of(batch: Batch, state: State, actor: str = "", reason: str = "") -> Told:
    """What to say of a batch."""
    period, areas, mode = batch.said or ("", (), "")
    before, gone = batch.sums
    rows, limit = sum(batch.rows.values()), batch.hold_above or 0
    said = (state, batch.feed, batch.batchid, period, areas, mode, rows, before, gone, limit)
    return Told(*said, actor, reason, batch.source)
