"""One partition of `households.events.v1` as the monitor folds it: ledgers, detectors, episodes, the partition's clock.

Pure: what it answers depends on the records of the partition and on nothing else. Validation comes before mutation;
alerts, transfers, forwards and rejections are outputs of the next checkpoint. `applied` guards against our own replay,
fact keys against intake's repeats.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone

import msgspec
import structlog
import zstandard

from detectors import episodes
from detectors.findings import Findings, Insufficient
from detectors.registry import Detector, load_detectors
from households import codec
from households.coverage import Closed, Coverage
from households.horizon import next_change
from households.ledger import NOTHING, FoldResult, Household
from policy.bundle import Bundle
from policy.parameters import PolicyMissing
from schemas.alerts import Alert
from schemas.errors import Stop
from schemas.partition import partition_of
from schemas.records import (
    BatchPartRecord,
    FactRecord,
    ForwardRecord,
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    TickRecord,
    TransferBody,
    TransferRecord,
    decode_block,
    encode_block,
)
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS
from streams.checkpoint import Drained
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.shelf import Shelf
from streams.metrics import METRICS
from streams.rejected import Coordinates, dead_letters
from streams.statelog import Item

log = structlog.get_logger("lidm.monitor")
BEIJING = timezone(timedelta(hours=8))
MEMBERSHIP = "civil.household"
ANY = "*"
"""Recheck slot of the household itself: facts, memberships and statuses that begin or end in the future."""


class Control(msgspec.Struct):
    """What a partition knows besides its households. `next` = first offset not yet folded."""

    next: int = 0
    clock_ms: int = 0
    policy: str = ""
    live: dict[str, dict[str, int]] = {}
    coverage: bytes = b""


class Marker(msgspec.Struct, array_like=True):
    """Last record of a checkpoint."""

    next: int
    codec: int
    fold: int


class Watch:
    """A partition's ledgers and episodes; what it does is a function of the blocks it is given."""

    def __init__(
        self, partition: int, config: StreamConfig, detectors: Mapping[str, Detector] | None = None
    ) -> None:
        self._partition = partition
        self._config = config
        self._detectors = detectors if detectors is not None else load_detectors()
        self._listening = _by_feed(self._detectors)
        self._cadences = {d: config.catalogue.cadence(d) for d in self._listening}
        self._shelf = Shelf(config.decoded_households)
        self._stored: dict[str, bytes] = {}
        self._base = 0
        self.alerts_emitted = 0
        self._forget_fresh()

    # ---- the checkpoint's side --------------------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """Households to write at the next checkpoint."""
        return self._shelf.dirty

    @property
    def households(self) -> int:
        """Households of this partition."""
        return len(self._shelf)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Takes one record of the state log."""
        name = key.decode()
        if name == "control" or name.startswith(("ckpt/", "policy/")):
            if value is not None and _newer(name, value, self._stored.get(name)):
                self._stored[name] = value
        else:
            self._shelf.restore(name, value)

    def opened(self) -> None:
        """Everything is restored. Raises Stop when the state was folded by other code."""
        marker = self._stored.get(f"ckpt/{self._partition}")
        if marker is not None:
            found = msgspec.msgpack.decode(marker, type=Marker)
            if (found.codec, found.fold) != (codec.CODEC_VERSION, codec.FOLD_VERSION):
                raise Stop("台账由另一版本的程序写成，请先运行 lidm rebuild")
        self._shelf.index()
        self._read_control()

    def reset(self) -> bool:
        """Forgets what is not durable."""
        self._shelf.reset()
        self._forget_fresh()
        return True

    def drain(self) -> Drained:
        """Outputs, then households, control and marker."""
        outputs, self._outputs = self._outputs, []
        outputs.extend(self._owed_letters())
        state = self._shelf.drain()
        if self._new_policy is not None:
            state.append(Item(f"policy/{self._control.policy}".encode(), self._new_policy))
            self._new_policy = None
        if self._control_dirty:
            self._control.coverage = self._coverage.encode()
            state.append(Item(b"control", msgspec.msgpack.encode(self._control)))
        if state or self._control_dirty:
            marker = Marker(self._control.next, codec.CODEC_VERSION, codec.FOLD_VERSION)
            state.append(Item(f"ckpt/{self._partition}".encode(), msgspec.msgpack.encode(marker)))
        self._control_dirty = False
        return Drained(outputs, state)

    def keep(self, state: list[Item]) -> None:
        """These records are durable now."""
        households = []
        for item in state:
            name = item.key.decode()
            if name == "control" or name.startswith(("ckpt/", "policy/")):
                self._stored[name] = item.value or b""
            else:
                households.append(item)
        self._shelf.keep(households)

    def next_generation(self) -> None:
        """The log begins again at offset 0 (a new embedded broker): what is folded stays folded."""
        self._base = self._control.next

    def records(self) -> Iterable[tuple[str, bytes]]:
        """Every durable record of households, for comparison."""
        return self._shelf.records()

    def household(self, name: str) -> Household:
        """A household as it stands, for questions; not to be changed."""
        return self._shelf.get(name, self._coverage)

    def names(self) -> list[str]:
        """Every household of the partition."""
        return self._shelf.names()

    # ---- folding ----------------------------------------------------------------------------------------------------

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        """Takes one block. A block that cannot be read is nobody's but ours: it stops the process."""
        offset += self._base
        if offset < self._control.next:
            return
        try:
            records = decode_block(value)
        except msgspec.MsgspecError as error:
            raise Stop(f"{topic}/{self._partition}/{offset} 不是一个数据块") from error
        self._offset = offset
        self._entered = {}
        for record in records:
            kind = type(record)
            if kind is FactRecord or kind is ForwardRecord or kind is TransferRecord:
                self._take(record)
            else:
                self._settle()
                self._take_control(record)
        self._settle()
        self._control.next = offset + 1
        self._control_dirty = True

    def _enter(self, name: str) -> Household | None:
        """The household, None when it has applied this block before a crash."""
        try:
            return self._entered[name]
        except KeyError:
            household = self._shelf.get(name, self._coverage)
            entered = None if household.head.applied >= self._offset else household
            self._entered[name] = entered
            return entered

    def _take(self, record: FactRecord | ForwardRecord | TransferRecord) -> None:
        household = self._enter(record.household)
        if household is None:
            return
        body = record.body
        if isinstance(body, TransferBody):
            outcome = household.merge_transfer(body)
        else:
            outcome = household.fold(body)
            if self._on is not None and body.fact.day > self._on:
                self._ahead.add(record.household)
        if outcome is NOTHING:
            return
        touched = self._touched.get(record.household)
        if touched is None:
            self._touched[record.household] = outcome.feeds
        elif touched is not outcome.feeds:
            self._touched[record.household] = touched | outcome.feeds
        self._known_at = record.known_at
        if outcome.transfers or outcome.forwards or outcome.moved or outcome.problem:
            self._owe(household, outcome, record)

    def _settle(self) -> None:
        """Evaluates every household touched since the last settling, once."""
        touched, self._touched = self._touched, {}
        for name, feeds in touched.items():
            household = self._entered[name]
            if household is None:
                continue
            self._reconsider(household, feeds)
            self._changed(household)
        self._ahead.clear()

    def _reconsider(self, household: Household, feeds: frozenset[str]) -> None:
        on = self._on
        if on is None or self._bundle is None:
            household.head.rechecks[ANY] = 1
            return
        if MEMBERSHIP in feeds:
            for feed, month, begun_ms in self._coverage.floors(self._chain(household.responsible_area)):
                household.apply_floor(feed, month, begun_ms)
        if MEMBERSHIP in feeds or household.id in self._ahead:
            self._plan(household, on)
        if len(feeds) == 1:
            self._evaluate(household, self._listening.get(next(iter(feeds)), ()), on, self._known_at)
        elif feeds:
            self._evaluate(household, [d for d in self._detectors.values() if d.listens & feeds], on, self._known_at)

    def _changed(self, household: Household) -> None:
        household.head.applied = self._offset
        self._shelf.touch(household, household.head.recheck_on)

    def _evaluate(self, household: Household, detectors: Iterable[Detector], on: int, known_at: int) -> bool:
        """Runs detectors and moves episodes; True when anything of the household changed."""
        bundle = self._bundle
        if bundle is None:
            return False
        day = _date(on)
        policy = bundle.on(day)
        area = household.responsible_area
        rechecks = household.head.rechecks
        changed = False
        for detector in detectors:
            findings = self._find(detector, household, day, bundle)
            if findings is None:
                continue
            alerts = episodes.step(
                household,
                detector,
                findings,
                on=day,
                policy=policy,
                live=self._live(detector.code, area, day),
                known_at=known_at,
                evaluate_at=lambda when, d=detector: self._find_at(d, household, when, bundle),
            )
            if alerts.changed:
                changed = True
                self._emit(alerts.alerts, known_at)
            again = _earliest(findings.recheck_on, policy.next_change(detector.rule, area))
            after = max(again.toordinal(), on + 1) if again else None
            if rechecks.get(detector.code) != after:
                changed = True
                if after is None:
                    rechecks.pop(detector.code, None)
                else:
                    rechecks[detector.code] = after
        return changed

    def _find(self, detector: Detector, household: Household, day: date, bundle: Bundle) -> Findings | None:
        """The detector's answer; None where its parameters are missing: then its episodes stand as they are."""
        try:
            return detector.evaluate(household, day, bundle.on(day))
        except PolicyMissing:
            METRICS.count("lidm_policy_missing_total", detector=detector.code)
            return None
        except Exception as error:  # a faulty rule must not stop the other rules; it is seen in metrics and log
            METRICS.count("lidm_detector_failures_total", detector=detector.code)
            log.error("detector_failed", detector=detector.code, error=type(error).__name__)
            return None

    def _find_at(self, detector: Detector, household: Household, day: date, bundle: Bundle) -> Findings:
        found = self._find(detector, household, day, bundle)
        if found is not None:
            return found
        return Findings(insufficient=[Insufficient(detector.rule, None)])

    def _emit(self, alerts: Iterable[Alert], known_at: int) -> None:
        for alert in alerts:
            self.alerts_emitted += 1
            METRICS.count("lidm_alerts_total", detector=alert.detector, state=alert.state)
            self._outputs.append(
                Letter(ALERTS, self._partition, alert.household.encode(), alert.model_dump_json().encode(), known_at)
            )

    # ---- people who move --------------------------------------------------------------------------------------------

    def _owe(self, household: Household, outcome: FoldResult, record: FactRecord | ForwardRecord | TransferRecord) -> None:
        """Puts what is owed to other households in the mail; alerts of episodes that left say where they went."""
        known_at, topic, partition, offset = record.known_at, record.topic, record.partition, record.offset
        for target, transfer in outcome.transfers:
            self._post(TransferRecord(target, known_at, topic, partition, offset, transfer))
        for target, late in outcome.forwards:
            self._post(ForwardRecord(target, known_at, topic, partition, offset, late))
        if outcome.moved and self._bundle is not None and self._on is not None:
            policy = self._bundle.on(_date(self._on))
            self._emit(
                episodes.moved(household, outcome.moved, self._detectors, on=policy.day, policy=policy, known_at=known_at),
                known_at,
            )
        if outcome.problem is not None:
            self._reject(outcome.problem, record)

    def _reject(self, code: str, record: Record) -> None:
        METRICS.count("lidm_events_rejected_total", feed=HOUSEHOLD_EVENTS, code=code)
        at = Coordinates(record.topic, record.partition, record.offset, record.known_at)
        text = "事实在多户之间转送超过限度，请核对成员关系"
        self._outputs.extend(
            dead_letters(
                code,
                "",
                text,
                at,
                record.household.encode(),
                encode_block([record]),
                self._config.seal_public_key,
                self._config.partitions,
            )
        )

    def _post(self, record: TransferRecord | ForwardRecord) -> None:
        self._mail.setdefault(partition_of(record.household, self._config.partitions), []).append(record)

    def _owed_letters(self) -> list[Letter]:
        """Transfers and forwards as blocks of the partitions they go to."""
        letters = []
        for partition, records in sorted(self._mail.items()):
            for start in range(0, len(records), 200):
                chunk = records[start : start + 200]
                letters.append(Letter(HOUSEHOLD_EVENTS, partition, None, encode_block(chunk), chunk[-1].known_at))
        self._mail = {}
        return letters

    # ---- the partition's own records --------------------------------------------------------------------------------

    def _take_control(self, record: Record) -> None:
        self._known_at = record.known_at
        self._control_dirty = True
        if isinstance(record, TickRecord):
            self._tick(record.body.at_ms)
        elif isinstance(record, BatchPartRecord):
            closed = self._coverage.add_part(record.body)
            if closed is not None:
                self._close(closed)
        elif isinstance(record, PolicyRecord):
            self._activate(record.body)
        elif isinstance(record, GoliveRecord):
            self._go_live(record.body)

    def _tick(self, at_ms: int) -> None:
        """It is at least `at_ms`: what became due meanwhile is looked at on the day it was due, in date order."""
        if at_ms <= self._control.clock_ms:
            return
        self._control.clock_ms = at_ms
        today = datetime.fromtimestamp(at_ms / 1000, BEIJING).toordinal()
        before = self._on if self._on is not None else today
        self._on = before
        if self._bundle is None:
            self._on = today
            return
        while (due := self._shelf.pop_due(today)) is not None:
            day, names = due
            self._on = max(day, before)
            for name in names:
                self._look_again(name, self._on, at_ms)
        self._on = today

    def _look_again(self, name: str, on: int, known_at: int) -> None:
        household = self._enter(name)
        if household is None:
            done = self._shelf.get(name, self._coverage)
            self._shelf.schedule(done, done.head.recheck_on)
            return
        self._plan(household, on)
        self._evaluate(household, self._detectors.values(), on, known_at)
        self._changed(household)

    def _plan(self, household: Household, on: int) -> None:
        """When the household looks different by itself: something known begins or ends after today."""
        ahead = next_change(household, on)
        if ahead is None:
            household.head.rechecks.pop(ANY, None)
        else:
            household.head.rechecks[ANY] = ahead

    def _close(self, closed: Closed) -> None:
        """A batch is complete: absence counts now, and a whole month may have replaced older rows."""
        detectors = [d for d in self._detectors.values() if closed.feed in d.listens or closed.feed in d.absence]

        def look(household: Household) -> bool:
            changed = False
            if closed.replaces:
                changed = household.apply_floor(closed.feed, closed.month, closed.begun_ms) is not NOTHING
            if self._on is None:
                return changed
            return self._evaluate(household, detectors, self._on, self._known_at) or changed

        self._sweep(closed.areas, look)

    def _activate(self, body: PolicyBody) -> None:
        if body.hash == self._control.policy:
            return
        self._bundle = Bundle.from_canonical(zstandard.decompress(body.bundle))
        self._control.policy = body.hash
        self._new_policy = body.bundle
        if self._on is not None:
            on = self._on
            self._sweep((), lambda h: self._evaluate(h, self._detectors.values(), on, self._known_at))

    def _go_live(self, body: GoliveBody) -> None:
        """The detector speaks from here on; breaches already in force are told as baseline."""
        self._control.live.setdefault(body.detector, {})[body.area] = body.per_day
        detector = self._detectors.get(body.detector)
        if detector is None or self._on is None or self._bundle is None:
            return
        day, bundle = _date(self._on), self._bundle

        def release(household: Household) -> bool:
            findings = self._find(detector, household, day, bundle)
            if findings is None:
                return False
            released = episodes.release(
                household,
                detector,
                findings,
                on=day,
                policy=bundle.on(day),
                known_at=self._known_at,
                per_day=body.per_day,
            )
            self._emit(released.alerts, self._known_at)
            return released.changed

        self._sweep((body.area,), release)

    def _sweep(self, areas: tuple[str, ...], look: Callable[[Household], bool]) -> None:
        """Looks at every household of these areas (none named: all), in order of their names."""
        for name in self._shelf.names():
            household = self._enter(name)
            if household is None:
                continue
            if areas and "*" not in areas and not set(areas) & set(self._chain(household.responsible_area)):
                continue
            if look(household):
                self._changed(household)

    def _chain(self, area: str) -> tuple[str, ...]:
        if not area or self._bundle is None or self._on is None:
            return (area,)
        try:
            return self._bundle.areas.chain(area, _date(self._on))
        except LookupError:
            return (area,)

    def _live(self, detector: str, area: str, day: date) -> bool:
        areas = self._control.live.get(detector)
        return bool(areas) and any(each in areas for each in self._chain(area))

    # ---- state of the partition -------------------------------------------------------------------------------------

    def _forget_fresh(self) -> None:
        self._outputs: list[Letter] = []
        self._mail: dict[int, list[Record]] = {}
        self._touched: dict[str, frozenset[str]] = {}
        self._ahead: set[str] = set()
        self._entered: dict[str, Household | None] = {}
        self._offset = -1
        self._known_at = 0
        self._new_policy: bytes | None = None
        self._control_dirty = False
        self._read_control()

    def _read_control(self) -> None:
        raw = self._stored.get("control")
        self._control = msgspec.msgpack.decode(raw, type=Control) if raw else Control()
        coverage = self._control.coverage
        self._coverage = Coverage.decode(coverage, self._cadences) if coverage else Coverage(self._cadences)
        clock = self._control.clock_ms
        self._on: int | None = datetime.fromtimestamp(clock / 1000, BEIJING).toordinal() if clock else None
        bundle = self._stored.get(f"policy/{self._control.policy}")
        self._bundle: Bundle | None = Bundle.from_canonical(zstandard.decompress(bundle)) if bundle else None


def _by_feed(detectors: Mapping[str, Detector]) -> dict[str, tuple[Detector, ...]]:
    feeds = {feed for detector in detectors.values() for feed in detector.listens}
    return {feed: tuple(d for d in detectors.values() if feed in d.listens) for feed in sorted(feeds)}


def _newer(name: str, value: bytes, known: bytes | None) -> bool:
    """Control and marker of the owner that came further win, whichever was written later."""
    if known is None or name.startswith("policy/"):
        return True
    kind = Control if name == "control" else Marker
    return msgspec.msgpack.decode(value, type=kind).next >= msgspec.msgpack.decode(known, type=kind).next


_DATES: dict[int, date] = {}


def _date(day: int) -> date:
    known = _DATES.get(day)
    if known is None:
        known = _DATES[day] = date.fromordinal(day)
    return known


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)
