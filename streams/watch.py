"""One partition of `households.events.v1` as the monitor folds it: ledgers, detectors, episodes, the partition's clock.

Pure: what it answers depends on the records of the partition and on nothing else. Validation comes before mutation;
alerts, transfers, forwards and rejections are outputs of the next checkpoint. `applied` guards against our own replay,
fact keys against intake's repeats.
"""

from collections.abc import Iterable

import msgspec

from households.incidents import struck
from households.ledger import Household
from schemas.errors import Stop
from schemas.records import (
    BatchRecord,
    FactRecord,
    GoliveRecord,
    IncidentRecord,
    PersonRecord,
    PolicyRecord,
    Record,
    ShadowRecord,
    SweepRecord,
    SwitchRecord,
    TickRecord,
    decode_block,
)
from streams.checkpoint import Drained
from streams.control import Control, day_of
from streams.metrics import METRICS
from streams.paced import Paced
from streams.statelog import Item


class Watch(Paced):
    """A partition's ledgers and episodes; what it does is a function of the blocks it is given."""

    # ---- the checkpoint's side --------------------------------------------------------------------------------------

    @property
    def dirty(self) -> int:
        """Households to write at the next checkpoint."""
        return self._shelf.dirty

    @property
    def reached(self) -> int:
        """The first offset of this generation of the log that is not folded yet."""
        return self._control.kept.next - self._base

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
        self._follow_shadows()
        self._shelf.index()
        self._show_held()
        self._show_stopped()

    def reset(self) -> bool:
        """Forgets what is not durable."""
        self._outbox.clear()
        self._judge.alerts = []
        self._touched, self._ahead, self._entered, self._linked = {}, {}, {}, set()
        self._shelf.reset()
        self._control.read()
        self._shadow_said.clear()
        self._follow_shadows()
        self._show_held()
        self._show_stopped()
        return True

    def drain(self) -> Drained:
        """Alerts, rejections and mail; then households, control and marker."""
        alerts, self._judge.alerts = self._judge.alerts, []
        watched = list(self._shadow_said)
        self._shadow_said.clear()
        return Drained(self._outbox.drain(alerts, watched), self._shelf.drain() + self._control.drain())

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

    @property
    def size(self) -> int:
        """How many households these are."""
        return len(self._shelf)

    @property
    def speaking(self) -> bool:
        """Whether alerts wait for the next drain."""
        return bool(self._judge.alerts or self._shadow_said)

    @property
    def known(self) -> Control:
        """What the partition knows besides its households: clock, coverage, policy; not to be changed."""
        return self._control

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
        self._offset, self._at_ms = offset, timestamp_ms
        self._entered, self._said = {}, 0
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

    # ---- the partition's own records --------------------------------------------------------------------------------

    def _take_control(self, record: Record) -> None:
        self._known_at = record.known_at
        if isinstance(record, TickRecord):
            self._tick(min(record.body.at_ms, self._at_ms))  # a writer's clock may be ahead: the broker's bounds it
            self._remind(record)
        elif isinstance(record, BatchRecord):
            self._take_batch(record)
        elif isinstance(record, PolicyRecord):
            self._take_policy(record)
        elif isinstance(record, GoliveRecord):
            self._take_golive(record)
        elif isinstance(record, ShadowRecord):
            self._take_shadow(record)
        elif isinstance(record, SweepRecord):
            self._take_turn(record)
        elif isinstance(record, SwitchRecord):
            self._switch(record)
        elif isinstance(record, IncidentRecord):
            self._take_incident(record)

    def _take_incident(self, record: IncidentRecord) -> None:
        """Everybody it concerns is told as if by intake, household by household, and asked at once."""
        place = (record.known_at, record.topic, record.partition, record.offset)

        def tell(household: Household) -> bool:
            told = struck(household, record.body, self._control.chain_on, record.known_at)
            for each in told:
                self._take(FactRecord(household.id, *place, each))
            self._settle()
            return bool(told)

        self._sweep(lambda each: True, tell)

    def _switch(self, record: SwitchRecord) -> None:
        """Somebody stopped a detector in an area, or it speaks there again and catches up."""
        body, control, judge, known_at = record.body, self._control, self._judge, record.known_at
        if body.to == "stop":
            control.stop(body, known_at)
        elif (halt := control.resume(body)) is not None:
            here = self._living_in((body.area,))
            self._sweep(here, lambda h: judge.resume(h, body.detector, control, halt, known_at))
        self._show_stopped()

    def _show_stopped(self) -> None:
        """The gauge; every partition knows of every stop."""
        stopped = self._control.kept.stopped
        for code in self._silenced | stopped.keys():
            METRICS.set("lidm_detectors_stopped", len(stopped.get(code, ())), detector=code)
        self._silenced = set(stopped)

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
        due = {each: each.due(household, on) for each in self._judges()}
        self._judge.plan(household, on)
        self._look(household, due.__getitem__, self._known_at)
        _drop_past(household, on)
        self._changed(household)


def _drop_past(household: Household, on: int) -> None:
    """Forgets days that came for a rule nobody asks here any more; the household would be due on them for ever."""
    rechecks = household.head.rechecks
    for slot in [slot for slot, day in rechecks.items() if day <= on]:
        del rechecks[slot]
        household.dirty_head = True
