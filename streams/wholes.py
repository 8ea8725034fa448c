"""Batches in a partition of the monitor: counted, held, closed; what of them goes to other partitions and to people."""

from collections.abc import Callable

import structlog

from households.coverage import Closed
from households.holding import Told
from households.ledger import NOTHING, Household
from households.volumes import Least
from policy.areas import NATIONAL
from schemas.feed_reports import HoldReport, encode_report
from schemas.feed_units import is_unit
from schemas.partition import partition_of
from schemas.records import (
    BatchBegunRecord,
    BatchCountBody,
    BatchCountRecord,
    BatchPartRecord,
    BatchRecord,
)
from schemas.topics import FEED_REPORTS
from streams.control import date_of
from streams.delivery import Letter
from streams.folding import Folding
from streams.metrics import METRICS

FEED_HEALTH = "feed_health"
log = structlog.get_logger("lidm.monitor")
TELLING = 0
"""All partitions come to the same answer about a batch; this one says it to people."""


class Wholes(Folding):
    """What a partition does with records about batches."""

    def _take_batch(self, record: BatchRecord) -> None:
        coverage, body = self._control.coverage, record.body
        if isinstance(record, BatchBegunRecord):
            if (whole := coverage.begin(record.body)) is not None:
                self._tell_count(record, whole, ended=False)
            return
        areas = record.body.areas if isinstance(record, BatchPartRecord) else coverage.areas_of(body.feed, body.batchid)
        missed = self._missed(body.feed, areas)
        coverage.least = self._least(areas)
        if isinstance(record, BatchPartRecord):
            closed = coverage.add_part(record.body)
            if closed is None and (whole := coverage.to_count(body.feed, body.batchid)) is not None:
                self._tell_count(record, whole, ended=True)
            if coverage.contradicts(body.feed, body.batchid):
                log.warning("batch_contradicts_itself", feed=body.feed, batchid=body.batchid, q=record.body.q)
        elif isinstance(record, BatchCountRecord):
            closed = coverage.count(record.body)
        else:
            closed = coverage.decide(record.body)
        self._tell_holds(record)
        if closed is not None:
            self._apply(closed, record, missed and not self._missed(body.feed, areas))

    def _apply(self, closed: Closed, record: BatchRecord, news: bool) -> None:
        """The batch takes effect: absence counts, and what a whole one did not repeat has ended or never was.

        `news`: the feed had been missing for its areas until now.
        """
        detectors = self._judge.concerned(closed.feed, listening=closed.replaces or news)

        def look(household: Household) -> bool:
            changed = closed.replaces and self._replace(household, closed, record)
            return self._judge.look(household, detectors, self._control, record.known_at) or changed

        if detectors or closed.replaces:
            self._sweep(closed.areas, look)

    def _replace(self, household: Household, closed: Closed, record: BatchRecord) -> bool:
        if is_unit(household.id):  # no department's batch speaks of what the service says itself
            return False
        apply = household.apply_snapshot if closed.snapshot else household.apply_floor
        outcome = apply(closed.feed, closed.month, closed.begun_ms)
        if outcome is NOTHING:
            return False
        if outcome.feeds and self._control.on is not None:
            self._judge.plan(household, self._control.on)
        self._owe(household, outcome, record)
        return True

    def _tell_count(self, record: BatchRecord, whole: Closed, *, ended: bool) -> None:
        """Counts what the batch speaks of here, and tells every partition."""
        before = gone = 0

        def look(household: Household) -> bool:
            nonlocal before, gone
            if is_unit(household.id):
                return False
            found = household.at_stake(whole.feed, whole.month, snapshot=whole.snapshot)
            before += len(found)
            gone += sum(fact.recorded_ms < whole.begun_ms for fact in found)
            return False

        self._sweep(whole.areas, look)
        body = BatchCountBody(
            whole.feed, whole.batchid, self._config.partitions, self._partition, before, gone if ended else None
        )
        place = (record.topic, record.partition, record.offset)
        self._outbox.post_everywhere(BatchCountRecord("", record.known_at, *place, body))

    def _tell_holds(self, record: BatchRecord) -> None:
        told, self._control.coverage.told = self._control.coverage.told, []
        if told:
            self._show_held()
        if self._partition == TELLING:
            for each in told:
                self._outbox.send(_letter(each, record.known_at, self._config.partitions))

    def _show_held(self) -> None:
        """The gauge; every partition knows of every held batch."""
        feeds = [batch.feed for batch in self._control.coverage.held()]
        for feed in self._shown | set(feeds):
            METRICS.set("lidm_batches_held", feeds.count(feed), feed=feed)
        self._shown = set(feeds)

    def _least(self, areas: tuple[str, ...]) -> Least | None:
        """From how many rows on a month is believed: the line of FEED-HEALTH, once somebody has signed it."""
        policy = self._control.policy
        rule = policy.known(FEED_HEALTH, areas[0] if areas and areas[0] != "*" else NATIONAL) if policy else None
        if rule is None or rule.status == "example":
            return None
        return Least(rule.number("volume_low"), rule.number("least_rows"))

    def _missed(self, feed: str, areas: tuple[str, ...]) -> bool:
        """Whether any of these areas lacks a month of the feed today."""
        on = self._control.on
        if on is None:
            return False
        return any(self._control.coverage.stale(feed, (area,), date_of(on)) for area in areas or ("*",))

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


def _letter(told: Told, at_ms: int, partitions: int) -> Letter:
    report = HoldReport(at_ms=at_ms, **told._asdict())
    key = told.feed.encode()
    return Letter(FEED_REPORTS, partition_of(key, partitions), key, encode_report(report), at_ms)
