"""What a partition does with records that ask everybody: at once, or some households at a time in turns of its own.

A turn is a record the partition mails to itself (`sweep.part`): the next one is written when this one is done, with the
checkpoint it belongs to. So no more than one turn is looked at between two checkpoints, facts are folded in between,
and a replay of one household alone asks it at the same place of the log.
"""

from collections.abc import Callable

from detectors.findings import Quota
from households.ledger import Household
from schemas.records import GoliveRecord, PolicyRecord, ShadowRecord, SweepBody, SweepRecord, TickRecord
from schemas.shadows import of_run
from streams.metrics import METRICS
from streams.shadows import runs_of
from streams.sweeps import Sweep, of_golive, of_policy, of_shadow, plan
from streams.wholes import Wholes

_Asks = PolicyRecord | GoliveRecord | ShadowRecord


class Paced(Wholes):
    """Policies, golives and shadow runs of a partition, and the sweeps that follow from them."""

    def _take_policy(self, record: PolicyRecord) -> None:
        """From here on this policy holds; what nobody asks about before their turn is as the old one left it."""
        if not self._control.activate(record.body):
            return
        self._shelf.forget_views()  # the tree of areas may be another, and so what whole batches speak of
        self._begin(of_policy(record), record)

    def _take_golive(self, record: GoliveRecord) -> None:
        self._control.go_live(record.body)
        self._begin(of_golive(record), record)

    def _take_shadow(self, record: ShadowRecord) -> None:
        """Rules begin to watch, or no longer do. Where nothing is sent, nobody watches."""
        if self._config.shadows and self._control.shadow(record.body, record.known_at):
            self._follow_shadows()
            self._begin(of_shadow(record), record)

    def _follow_shadows(self) -> None:
        self._runs = runs_of(self._control.shadows(), self._judge.detectors, self._control, self._shadow_said)
        METRICS.set("lidm_shadow_runs", len(self._runs))

    def _begin(self, wanted: Sweep, record: _Asks) -> None:
        sweeps, names = self._control.kept.sweeps, self._shelf.names()
        before = sweeps[0].name if sweeps else ""
        plan(sweeps, wanted)
        if not wanted.pace:
            self._ask(wanted, names, record.known_at)
        if sweeps and sweeps[0].name != before:
            self._next_turn(record, names)

    def _take_turn(self, record: SweepRecord) -> None:
        body, sweeps = record.body, self._control.kept.sweeps
        if not sweeps or (sweeps[0].name, sweeps[0].reached) != (body.sweep, body.after):
            return
        sweep, until, names = sweeps[0], body.until, self._shelf.names()
        turn = [name for name in names if sweep.awaits(name) and (until is None or name <= until)]
        self._ask(sweep, turn, record.known_at)
        if until is None:
            sweeps.pop(0)
        else:
            sweep.reached = until
        if sweeps:
            self._next_turn(record, names)

    def _remind(self, record: TickRecord) -> None:
        """A turn that was lost on its way is said again the next day; one that was not is passed over."""
        sweeps, on = self._control.kept.sweeps, self._control.on
        if sweeps and on is not None and sweeps[0].told_on < on:
            self._next_turn(record, self._shelf.names())

    def _next_turn(self, record: _Asks | SweepRecord | TickRecord, names: list[str]) -> None:
        sweep = self._control.kept.sweeps[0]
        left = [name for name in names if sweep.awaits(name)]
        until = left[sweep.pace - 1] if len(left) > sweep.pace else None
        known_at = max(record.known_at, self._control.kept.clock_ms)
        place = (record.topic, record.partition, record.offset)
        sweep.told_on = self._control.on or 0
        self._outbox.post_here(SweepRecord("", known_at, *place, SweepBody(sweep.name, sweep.reached, until)))

    def _ask(self, sweep: Sweep, names: list[str], known_at: int) -> None:
        areas = (sweep.area,) if sweep.area else ()
        self._sweep(self._living_in(areas), self._asking(sweep, known_at), names)

    def _asking(self, sweep: Sweep, known_at: int) -> Callable[[Household], bool]:
        judge, control = self._judge, self._control
        if sweep.kind == "policy":
            return lambda each: self._look(each, lambda asked: asked.detectors.values(), known_at)
        if sweep.kind == "forget":
            return lambda each: _forget(each, sweep.run)
        if sweep.kind == "shadow":
            run = self._runs[sweep.run]
            return lambda each: run.judge.look(each, run.judge.detectors.values(), run.ground, known_at)
        quota = Quota(sweep.area, sweep.per_day)
        return lambda each: judge.release(each, sweep.detector, control, quota, known_at)

    @property
    def awaited(self) -> int:
        """Looks that are still to come, over all sweeps planned."""
        sweeps = self._control.kept.sweeps
        return sum(sweep.awaits(name) for name in self._shelf.names() for sweep in sweeps) if sweeps else 0


def _forget(household: Household, run: str) -> bool:
    """Episodes and days of a shadow run go without a word; whether there were any."""
    head = household.head
    kept = [each for each in head.episodes if not of_run(each.detector, run)]
    slots = [slot for slot in head.rechecks if of_run(slot, run)]
    if len(kept) == len(head.episodes) and not slots:
        return False
    head.episodes[:] = kept
    for slot in slots:
        del head.rechecks[slot]
    household.dirty_head = True
    return True
