"""What a partition knows besides its households: its clock, closed batches, the policy in force, what is live."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec
import zstandard

from households import codec
from households.coverage import Cadence, Coverage
from policy.areas import AreaUnknown
from policy.bundle import Bundle
from policy.parameters import Policy
from schemas.calendar import SHANGHAI
from schemas.errors import Stop
from schemas.records import GoliveBody, PolicyBody, ShadowBody, SwitchBody
from streams.statelog import Item
from streams.sweeps import Sweep


class Halt(msgspec.Struct):
    """A stop in force: since when, and where the detector went live meanwhile (area, baseline breaches a day).

    `reached`: of a golive under way when it was stopped, the last household that had been told of what was there.
    """

    since_ms: int
    golives: dict[str, int] = {}
    reached: dict[str, str] = {}


class Shadow(msgspec.Struct):
    """Rules that only watch in an area, under the draft with this hash ("": under the policy in force).

    One that ended stays known, because its name is not used again.
    """

    area: str
    detectors: tuple[str, ...]
    policy: str
    until_ms: int | None = None


class Kept(msgspec.Struct):
    """The durable part, as the record `control`. `next` = first offset not yet folded; `coverage` is zstd.

    Years of batches repeat the same names month after month: packed they stay far below the largest message.
    """

    next: int = 0
    clock_ms: int = 0
    policy: str = ""
    live: dict[str, dict[str, int]] = {}
    coverage: bytes = b""
    stopped: dict[str, dict[str, Halt]] = {}
    sweeps: list[Sweep] = []
    shadows: dict[str, Shadow] = {}


class Marker(msgspec.Struct, array_like=True):
    """Last record of a checkpoint, `ckpt/<partition>`."""

    next: int
    codec: int
    fold: int


class Control:
    """The partition's own state; changes only by records of the partition."""

    def __init__(self, partition: int, cadences: Mapping[str, Cadence]) -> None:
        self._partition = partition
        self._cadences = cadences
        self._stored: dict[str, bytes] = {}
        self.kept = Kept()
        self.coverage = self._covering(b"")
        self.bundle: Bundle | None = None
        self.on: int | None = None
        self.drafts: dict[str, Bundle] = {}
        self._fresh: dict[str, bytes] = {}
        self._covered = b""
        self._dirty = False

    def _covering(self, packed: bytes) -> Coverage:
        known = zstandard.decompress(packed) if packed else b""
        coverage = Coverage.decode(known, self._cadences) if known else Coverage(self._cadences)
        coverage.chain = self.chain_on
        return coverage

    # ---- durability -------------------------------------------------------------------------------------------------

    @staticmethod
    def owns(key: str) -> bool:
        """Whether a state record is the partition's own rather than a household's."""
        return key == "control" or key.startswith(("ckpt/", "policy/"))

    def restore(self, key: str, value: bytes | None) -> None:
        """Takes one record; of control and marker the one that came further wins, whichever was written later."""
        if value is not None and _newer(key, value, self._stored.get(key)):
            self._stored[key] = value

    def read(self) -> None:
        """Goes back to what is durable. Raises Stop when other code folded it."""
        marker = self._stored.get(f"ckpt/{self._partition}")
        if marker is not None:
            found = msgspec.msgpack.decode(marker, type=Marker)
            if (found.codec, found.fold) != (codec.CODEC_VERSION, codec.FOLD_VERSION):
                raise Stop("台账由另一版本的程序写成，请停止监测环节，运行 lidm rebuild --switch 后再启动")
        raw = self._stored.get("control")
        self.kept = msgspec.msgpack.decode(raw, type=Kept) if raw else Kept()
        self.coverage, self._covered = self._covering(self.kept.coverage), b""
        self.on = day_of(self.kept.clock_ms) if self.kept.clock_ms else None
        self.bundle = self._stored_bundle(self.kept.policy)
        drafts = {name: self._stored_bundle(each.policy) for name, each in self.shadows().items()}
        self.drafts = {name: each for name, each in drafts.items() if each is not None}
        self._fresh = {}
        self._dirty = False

    def drain(self) -> list[Item]:
        """Records since the last drain, the marker last."""
        if not self._dirty:
            return []
        items = [Item(f"policy/{name}".encode(), bundle) for name, bundle in self._fresh.items()]
        self._cover()
        items.append(Item(b"control", msgspec.msgpack.encode(self.kept)))
        marker = Marker(self.kept.next, codec.CODEC_VERSION, codec.FOLD_VERSION)
        items.append(Item(f"ckpt/{self._partition}".encode(), msgspec.msgpack.encode(marker)))
        self._fresh = {}
        self._dirty = False
        return items

    def _stored_bundle(self, name: str) -> Bundle | None:
        raw = self._stored.get(f"policy/{name}") if name else None
        return Bundle.from_canonical(zstandard.decompress(raw)) if raw else None

    def _cover(self) -> None:
        """Packs the coverage where it differs from what was packed last: most checkpoints change nothing of it."""
        covered = self.coverage.encode()
        if covered != self._covered:
            self._covered, self.kept.coverage = covered, zstandard.compress(covered)

    def keep(self, item: Item) -> None:
        """This record is durable now."""
        self._stored[item.key.decode()] = item.value or b""

    def records(self) -> list[tuple[str, bytes]]:
        """Durable records, the marker last."""
        return sorted(self._stored.items(), key=lambda record: record[0].startswith("ckpt/"))

    def unfinished(self) -> list[tuple[str, bytes]]:
        """A marker as far as ours that no version of the program accepts; ours takes its place."""
        return [(f"ckpt/{self._partition}", msgspec.msgpack.encode(Marker(self.kept.next, 0, 0)))]

    # ---- changes ----------------------------------------------------------------------------------------------------

    def advance(self, offset: int) -> None:
        """Everything up to `offset` is folded."""
        self.kept.next = offset + 1
        self._dirty = True

    def activate(self, body: PolicyBody) -> bool:
        """From here on this policy holds; False when it already did."""
        if body.hash == self.kept.policy:
            return False
        self.bundle = Bundle.from_canonical(zstandard.decompress(body.bundle))
        self.kept.policy = body.hash
        self._fresh[body.hash] = body.bundle
        self.coverage.forget()
        return True

    def go_live(self, body: GoliveBody) -> None:
        """From here on this detector speaks in this area; where it is stopped, from when it no longer is."""
        news = not self.live(body.detector, body.area)
        self.kept.live.setdefault(body.detector, {})[body.area] = body.per_day
        for halt in self.kept.stopped.get(body.detector, {}).values() if news else ():
            halt.golives[body.area] = body.per_day

    def stop(self, body: SwitchBody, known_at: int) -> None:
        """From here on this detector says nothing in this area; a stop in force stays the one it is.

        What a golive has not told yet is told at its end.
        """
        sweeps = [each for each in self.kept.sweeps if each.detector == body.detector]
        golives, reached = {each.area: each.per_day for each in sweeps}, {each.area: each.reached for each in sweeps}
        self.kept.stopped.setdefault(body.detector, {}).setdefault(body.area, Halt(known_at, golives, reached))

    def resume(self, body: SwitchBody) -> Halt | None:
        """The stop of exactly this area is over; None when there was none."""
        halts = self.kept.stopped.get(body.detector, {})
        halt = halts.pop(body.area, None)
        if not halts:
            self.kept.stopped.pop(body.detector, None)
        return halt

    def shadow(self, body: ShadowBody, known_at: int) -> bool:
        """Rules begin to watch, or no longer do; whether that is news."""
        known = self.kept.shadows.get(body.name)
        if body.to == "stop":
            if known is None or known.until_ms is not None:
                return False
            known.until_ms = known_at
            self.drafts.pop(body.name, None)
            return True
        if known is not None:
            return False
        self.kept.shadows[body.name] = Shadow(body.area, body.detectors, body.hash)
        if body.hash:
            self._fresh[body.hash] = body.bundle
            self.drafts[body.name] = Bundle.from_canonical(zstandard.decompress(body.bundle))
        return True

    # ---- questions --------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy | None:
        """What holds today; None before there is a policy or a day."""
        return None if self.bundle is None or self.on is None else self.bundle.on(date_of(self.on))

    def chain(self, area: str) -> tuple[str, ...]:
        """An area and those above it today; the area alone while nothing is known."""
        return (area,) if self.on is None else self.chain_on(area, self.on)

    def chain_on(self, area: str, day: int) -> tuple[str, ...]:
        """The same on any day, by the policy known now."""
        if not area or self.bundle is None:
            return (area,)
        try:
            return self.bundle.areas.chain(area, date_of(day))
        except AreaUnknown:
            return (area,)

    def live(self, detector: str, area: str) -> bool:
        """Whether a detector speaks for households of an area."""
        areas = self.kept.live.get(detector)
        return areas is not None and any(each in areas for each in self.chain(area))

    def awaits(self, detector: str, area: str, household: str) -> bool:
        """Whether a household's turn is still to come in the sweep of a golive: what was there is told then."""
        return bool(self.kept.sweeps) and any(
            each.kind == "golive" and each.detector == detector and each.awaits(household)
            and each.area in self.chain(area)
            for each in self.kept.sweeps
        )  # fmt: skip

    def watches(self, run: str, area: str, household: str) -> bool:
        """Whether a shadow run looks at a household: from when its turn came."""
        here = self.kept.shadows[run].area in self.chain(area)
        return here and not any(each.kind == "shadow" and each.run == run and each.awaits(household)
                                for each in self.kept.sweeps)  # fmt: skip

    def shadows(self) -> dict[str, Shadow]:
        """The shadow runs under way."""
        return {name: each for name, each in self.kept.shadows.items() if each.until_ms is None}

    def stopped(self, detector: str, area: str) -> bool:
        """Whether somebody stopped a detector for households of an area."""
        areas = self.kept.stopped.get(detector)
        return areas is not None and any(each in areas for each in self.chain(area))


_DATES: dict[int, date] = {}


def date_of(day: int) -> date:
    """The date of an ordinal, kept because a partition asks for few."""
    known = _DATES.get(day)
    if known is None:
        known = _DATES[day] = date.fromordinal(day)
    return known


def day_of(at_ms: int) -> int:
    """The day ordinal of a moment, in China."""
    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).toordinal()


def _newer(key: str, value: bytes, known: bytes | None) -> bool:
    if known is None or key.startswith("policy/"):
        return True
    kind: type[Kept] | type[Marker] = Kept if key == "control" else Marker
    return msgspec.msgpack.decode(value, type=kind).next >= msgspec.msgpack.decode(known, type=kind).next
