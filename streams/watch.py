"""One partition of `households.events.v1` as the monitor folds it: ledgers, detectors, episodes, the partition's clock.

Pure: what it answers depends on the records of the partition and on nothing else. Validation comes before mutation;
alerts, transfers, forwards and rejections are outputs of the next checkpoint. `applied` guards against our own replay,
fact keys against intake's repeats.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from detectors.registry import Detector, load_detectors
from households.ledger import NOTHING, FoldResult, Household
from schemas.errors import Stop
from schemas.facts import FACT_KINDS
from schemas.records import (
    BatchPartRecord,
    FactRecord,
    ForwardRecord,
    GoliveRecord,
    PolicyRecord,
    Record,
    TickRecord,
    TransferBody,
    TransferRecord,
    decode_block,
)
from streams.checkpoint import Drained
from streams.config import StreamConfig
from streams.control import Control, date_of, day_of
from streams.judge import ANY, Judge
from streams.outbox import Outbox, PersonRecord
from streams.shelf import Shelf
from streams.statelog import Item

MEMBERSHIP = "civil.household"
NO_FEEDS: frozenset[str] = frozenset()
FEEDS_OF = {kind: frozenset((kind.feed,)) for kind in FACT_KINDS}


class Watch:
    """A partition's ledgers and episodes; what it does is a function of the blocks it is given."""

    def __init__(self, partition: int, config: StreamConfig, detectors: Mapping[str, Detector] | None = None) -> None:
        self._partition = partition
        self._config = config
        self._judge = Judge(detectors if detectors is not None else load_detectors())
        feeds = {feed for d in self._judge.detectors.values() for feed in d.listens | d.absence}
        self._control = Control(partition, {feed: config.catalogue.cadence(feed) for feed in sorted(feeds)})
        self._shelf = Shelf(max(1000, config.decoded_households // config.partitions))
        self._base = 0
        self._offset = -1
        self._known_at = 0
        self._outbox = Outbox(partition, config)
        self._touched: dict[str, frozenset[str]] = {}
        self._ahead: dict[str, int] = {}
        self._entered: dict[str, Household | None] = {}

    # ---- the checkpoint's side --------------------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """Households to write at the next checkpoint."""
        return self._shelf.dirty

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Takes one record of the state log."""
        name = key.decode()
        if self._control.owns(name):
            self._control.restore(name, value)
        else:
            self._shelf.restore(name, value)

    def opened(self) -> None:
        """Everything is restored. Raises Stop when the state was folded by other code."""
        self._control.read()
        self._shelf.index()

    def reset(self) -> bool:
        """Forgets what is not durable."""
        self._outbox.clear()
        self._judge.alerts = []
        self._touched, self._ahead, self._entered = {}, {}, {}
        self._shelf.reset()
        self._control.read()
        return True

    def drain(self) -> Drained:
        """Alerts, rejections and mail; then households, control and marker."""
        alerts, self._judge.alerts = self._judge.alerts, []
        return Drained(self._outbox.drain(alerts), self._shelf.drain() + self._control.drain())

    def keep(self, state: list[Item]) -> None:
        """These records are durable now."""
        own = len(state)
        while own and self._control.owns(state[own - 1].key.decode()):  # they come last
            own -= 1
        for item in state[own:]:
            self._control.keep(item)
        self._shelf.keep(state[:own])

    def next_generation(self) -> None:
        """The log begins again at offset 0 (a new embedded broker): what is folded stays folded."""
        self._base = self._control.kept.next

    # ---- questions --------------------------------------------------------------------------------------------------

    def records(self) -> Iterable[tuple[str, bytes]]:
        """Every durable record of households, for comparison."""
        return self._shelf.records()

    def control_records(self) -> list[tuple[str, bytes]]:
        """Durable records of the partition itself, the marker last."""
        return self._control.records()

    def unfinished(self) -> list[tuple[str, bytes]]:
        """What a rebuild writes before anything else: a marker that no version of the program accepts."""
        return self._control.unfinished()

    def names(self) -> list[str]:
        """Every household of the partition."""
        return self._shelf.names()

    def household(self, name: str) -> Household:
        """A household as it stands, for questions; not to be changed."""
        return self._shelf.get(name, self._control.coverage)

    # ---- folding ----------------------------------------------------------------------------------------------------

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        """Takes one block. Only our own stages write blocks: one that cannot be read stops the process."""
        offset += self._base
        if offset < self._control.kept.next:
            return
        try:
            records = decode_block(value)
        except msgspec.MsgspecError as error:
            raise Stop(f"{topic}/{self._partition}/{offset} 不是一个数据块") from error
        self._offset = offset
        self._entered = {}
        for record in records:
            if record.__class__ is FactRecord and self._add(record):
                continue
            if isinstance(record, PersonRecord):
                self._take(record)
            else:
                self._settle()
                self._take_control(record)
        self._settle()
        self._control.advance(offset)

    def _enter(self, name: str) -> Household | None:
        """The household, None when it has applied this block before a crash."""
        if name in self._entered:
            return self._entered[name]
        household = self._shelf.get(name, self._control.coverage)
        entered = None if household.head.applied >= self._offset else household
        self._entered[name] = entered
        return entered

    def _add(self, record: FactRecord) -> bool:
        """Nearly every record: a new fact, up to today, of somebody who never left. False: nothing was done."""
        name = record.household
        household = self._entered.get(name) or self._enter(name)
        if household is None:
            return True
        body, on = record.body, self._control.on
        fact = body.fact
        if on is None or fact.day > on or not household.add(body.person, fact):
            return False
        news, feeds = FEEDS_OF[fact.__class__], self._touched.get(name)
        if feeds is not news:
            self._touched[name] = news if feeds is None else feeds | news
        self._known_at = record.known_at
        return True

    def _take(self, record: PersonRecord) -> None:
        name = record.household
        household = self._enter(name)
        if household is None:
            return
        body = record.body
        on, news = self._control.on, NO_FEEDS
        outcome = household.merge_transfer(body) if isinstance(body, TransferBody) else household.fold(body)
        if outcome is NOTHING:
            return
        if on is None or isinstance(body, TransferBody) or body.fact.day <= on:
            news = outcome.feeds
        elif outcome.fresh and not household.contested(body.fact):  # nothing differs until that day comes
            self._ahead[name] = min(body.fact.day, self._ahead.get(name, body.fact.day))
        else:
            news = outcome.feeds
            self._ahead[name] = min(on + 1, self._ahead.get(name, on + 1))
        feeds = self._touched.get(name)
        if feeds is None:
            self._touched[name] = news
        elif feeds is not news:
            self._touched[name] = feeds | news
        self._known_at = record.known_at
        if outcome.transfers or outcome.forwards or outcome.moved or outcome.problem:
            self._owe(household, outcome, record)

    def _settle(self) -> None:
        """Evaluates every household touched since the last settling, once."""
        touched, self._touched = self._touched, {}
        control, shelf, offset = self._control, self._shelf, self._offset
        policy = control.policy
        for name, feeds in touched.items():
            household = self._entered[name]
            if household is None:
                continue
            if policy is not None and name not in self._ahead and self._judge.unmoved(household, feeds, policy):
                household.head.applied = offset
                shelf.note(household)
                continue
            self._reconsider(household, feeds)
            self._changed(household)
        self._ahead.clear()

    def _reconsider(self, household: Household, feeds: frozenset[str]) -> None:
        control = self._control
        if control.on is None or control.bundle is None:
            household.head.rechecks[ANY] = 1
            household.dirty_head = True
            return
        if MEMBERSHIP in feeds:
            for feed, month, begun_ms in control.coverage.floors(control.chain(household.responsible_area)):
                household.apply_floor(feed, month, begun_ms)
        if MEMBERSHIP in feeds:
            self._judge.plan(household, control.on)
        if (day := self._ahead.get(household.id)) is not None:
            household.head.rechecks[ANY] = min(day, household.head.rechecks.get(ANY, day))
            household.dirty_head = True
        self._judge.look(household, self._judge.listening(feeds), control, self._known_at)

    def _changed(self, household: Household) -> None:
        head = household.head
        head.applied = self._offset
        self._shelf.touch(household, min(head.rechecks.values()) if head.rechecks else None)

    # ---- what others get --------------------------------------------------------------------------------------------

    def _owe(self, household: Household, outcome: FoldResult, record: PersonRecord) -> None:
        """Puts what is owed to other households in the mail; alerts of episodes that left say where they went."""
        known_at, topic, partition, offset = record.known_at, record.topic, record.partition, record.offset
        for target, transfer in outcome.transfers:
            self._outbox.post(TransferRecord(target, known_at, topic, partition, offset, transfer))
        for target, late in outcome.forwards:
            self._outbox.post(ForwardRecord(target, known_at, topic, partition, offset, late))
        self._judge.depart(household, outcome, self._control, known_at)
        if outcome.problem is not None:
            self._outbox.reject(outcome.problem, "事实在多户之间转送超过限度，请核对成员关系", record)

    # ---- the partition's own records --------------------------------------------------------------------------------

    def _take_control(self, record: Record) -> None:
        self._known_at = record.known_at
        control, judge, known_at = self._control, self._judge, record.known_at
        if isinstance(record, TickRecord):
            self._tick(record.body.at_ms)
        elif isinstance(record, BatchPartRecord):
            self._close(record)
        elif isinstance(record, PolicyRecord) and control.activate(record.body):
            self._sweep((), lambda h: judge.look(h, judge.detectors.values(), control, known_at))
        elif isinstance(record, GoliveRecord):
            body = record.body
            control.go_live(body)
            self._sweep((body.area,), lambda h: judge.release(h, body.detector, control, body.per_day, known_at))

    def _tick(self, at_ms: int) -> None:
        """It is at least `at_ms`: what became due meanwhile is looked at on the day it was due, in date order."""
        control = self._control
        if at_ms <= control.kept.clock_ms:
            return
        control.kept.clock_ms = at_ms
        today = day_of(at_ms)
        before = control.on if control.on is not None else today
        while control.bundle is not None and (due := self._shelf.pop_due(today)) is not None:
            day, names = due
            control.on = before = max(day, before)
            for name in names:
                self._look_again(name, control.on)
        control.on = today

    def _look_again(self, name: str, on: int) -> None:
        household = self._enter(name)
        if household is None:
            done = self._shelf.get(name, self._control.coverage)
            self._shelf.schedule(done, done.head.recheck_on)
            return
        detectors = self._judge.due(household, on)
        self._judge.plan(household, on)
        self._judge.look(household, detectors, self._control, self._known_at)
        self._changed(household)

    def _close(self, record: BatchPartRecord) -> None:
        """When this part closes its batch, absence counts; a whole month may have replaced older rows."""
        missed = self._missed(record)
        closed = self._control.coverage.add_part(record.body)
        if closed is None:
            return
        listening = closed.replaces or (missed and not self._missed(record))
        detectors = self._judge.concerned(closed.feed, listening=listening)

        def look(household: Household) -> bool:
            changed = False
            if closed.replaces:
                changed = household.apply_floor(closed.feed, closed.month, closed.begun_ms) is not NOTHING
            return self._judge.look(household, detectors, self._control, record.known_at) or changed

        if detectors:
            self._sweep(closed.areas, look)

    def _missed(self, record: BatchPartRecord) -> bool:
        """Whether any area of a batch lacks a month of its feed today."""
        on = self._control.on
        if on is None:
            return False
        areas = record.body.areas or ("*",)
        return any(self._control.coverage.stale(record.body.feed, (area,), date_of(on)) for area in areas)

    def _sweep(self, areas: tuple[str, ...], look: Callable[[Household], bool]) -> None:
        """Looks at every household of these areas (none named: all), in order of their names."""
        everywhere, wanted = not areas or "*" in areas, set(areas)
        for name in self._shelf.names():
            cached = self._shelf.holds(name)
            household = self._enter(name)
            if household is None:
                continue
            concerned = everywhere or not wanted.isdisjoint(self._control.chain(household.responsible_area))
            if concerned and look(household):
                self._changed(household)
            elif not cached:  # a sweep must not hold the whole partition decoded
                del self._entered[name]
                self._shelf.release(name)
