"""Batches in a partition of the monitor: counted, held, closed; what of them goes to other partitions and to people."""

from collections.abc import Callable, Iterable

import structlog

from households.closings import Closed
from households.coverage import month_name
from households.holding import Told
from households.ledger import Household
from households.links import LINKED
from households.volumes import Least
from households.wholes import at_stake, concerns
from policy.areas import NATIONAL
from schemas.facts import KIND_OF_FEED
from schemas.feed_reports import HoldReport, encode_report
from schemas.feed_units import is_unit
from schemas.labels import ProblemCode
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
from streams.judge import ANY
from streams.metrics import METRICS

FEED_HEALTH = "feed_health"
REUSED = "这个批次编号在同一数据类、来源和所属期已经用过，内容不同：整批没有生效，请换一个编号重发"
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
        areas = record.body.areas if isinstance(record, BatchPartRecord) else coverage.areas_of(record.body)
        missed = self._missed(body.feed, areas)
        coverage.least = self._least(areas)
        if isinstance(record, BatchPartRecord):
            closed = self._take_part(record)
        elif isinstance(record, BatchCountRecord):
            closed = coverage.count(record.body)
        else:
            closed = coverage.decide(record.body)
        self._tell_holds(record)
        if closed is not None:
            self._apply(closed, record, missed and not self._missed(body.feed, areas))

    def _take_part(self, record: BatchPartRecord) -> Closed | None:
        coverage, body = self._control.coverage, record.body
        if coverage.reuses(body):
            if body.q == 0 and self._partition == TELLING:  # every delivery has one such part
                self._outbox.reject(ProblemCode.BATCH_REUSED, REUSED, record)
            return None
        closed = coverage.add_part(body)
        if closed is None and (whole := coverage.to_count(body)) is not None:
            self._tell_count(record, whole, ended=True)
        if coverage.contradicts(body):
            log.warning("batch_contradicts_itself", feed=body.feed, batchid=body.batchid, q=body.q)
        return closed

    def _apply(self, closed: Closed, record: BatchRecord, news: bool) -> None:
        """The batch takes effect: absence counts, and what a whole one did not repeat has ended or never was.

        `news`: the feed had been missing for its areas until now.
        """
        asked = {each: each.concerned(closed.feed, listening=closed.replaces or news) for each in self._judges()}
        living = self._living_in(closed.areas)

        def look(household: Household) -> bool:
            planned = closed.replaces and not is_unit(household.id) and self._look_anew(household, closed)
            return self._look(household, asked.__getitem__, record.known_at) or planned

        if any(asked.values()) or closed.replaces:
            self._sweep(lambda each: living(each) or (closed.replaces and concerns(each, closed)), look)
            self._said += 1

    def _look_anew(self, household: Household, closed: Closed) -> bool:
        """What a whole batch left out may end here; whether the household is due on another day than before."""
        household.forget_views()
        before, on = household.head.rechecks.get(ANY), self._control.on
        if on is not None and not KIND_OF_FEED[closed.feed].paged:
            self._judge.plan(household, on)
        if closed.feed in LINKED:
            self._show_links(household)
        return household.head.rechecks.get(ANY) != before

    def _tell_count(self, record: BatchRecord, whole: Closed, *, ended: bool) -> None:
        """Counts what the batch speaks of here, and tells every partition."""
        before = gone = 0

        def look(household: Household) -> bool:
            nonlocal before, gone
            if is_unit(household.id):  # no department's batch speaks of what the service says itself
                return False
            found = at_stake(household, whole)
            before += len(found)
            gone += sum(fact.recorded_ms < whole.begun_ms for fact in found)
            return False

        self._sweep(lambda each: concerns(each, whole), look)
        body = BatchCountBody(
            feed=whole.feed,
            batchid=whole.batchid,
            of=self._config.partitions,
            partition=self._partition,
            before=before,
            gone=gone if ended else None,
            source=whole.source,
            period=month_name(whole.month) or "",
        )
        place = (record.topic, record.partition, record.offset)
        self._outbox.post_everywhere(BatchCountRecord("", record.known_at, *place, body))

    def _tell_holds(self, record: BatchRecord) -> None:
        coverage = self._control.coverage
        told, coverage.told = coverage.told, []
        forgotten, coverage.forgotten = coverage.forgotten, []
        if self._partition == TELLING:
            for batch in forgotten:
                log.warning("batch_given_up", feed=batch.feed, batchid=batch.batchid, period=batch.period)
                METRICS.count("lidm_batches_given_up_total", feed=batch.feed)
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
        """From how many rows on a month is believed: the lines of FEED-HEALTH somebody has signed, the strictest."""
        policy = self._control.policy
        named = [NATIONAL if area == "*" else area for area in areas or ("*",)]
        rules = [policy.known(FEED_HEALTH, area) for area in named] if policy else []
        signed = [rule for rule in rules if rule is not None and rule.status != "example"]
        if not signed:
            return None
        return Least(
            max(rule.number("volume_low") for rule in signed), min(rule.number("least_rows") for rule in signed)
        )

    def _missed(self, feed: str, areas: tuple[str, ...]) -> bool:
        """Whether any of these areas lacks a month of the feed today."""
        on = self._control.on
        if on is None:
            return False
        return any(self._control.coverage.stale(feed, (area,), date_of(on)) for area in areas or ("*",))

    def _living_in(self, areas: tuple[str, ...]) -> Callable[[Household], bool]:
        """Whether a household is declared in these areas today (none named: anywhere)."""
        everywhere, wanted = not areas or "*" in areas, set(areas)
        chain = self._control.chain
        return lambda each: everywhere or not wanted.isdisjoint(chain(each.responsible_area))

    def _sweep(
        self,
        concerned: Callable[[Household], bool],
        look: Callable[[Household], bool],
        names: Iterable[str] | None = None,
    ) -> None:
        """Looks at every household concerned (of these alone, when they are named), in order of their names."""
        for name in self._shelf.names() if names is None else names:
            cached = self._shelf.holds(name)
            household = self._enter(name)
            if household is None:
                continue
            if concerned(household) and look(household):
                self._changed(household)
            elif not cached:  # a sweep must not hold the whole partition decoded
                del self._entered[name]
                self._shelf.release(name)


def _letter(told: Told, at_ms: int, partitions: int) -> Letter:
    report = HoldReport(at_ms=at_ms, **told._asdict())
    key = told.feed.encode()
    return Letter(FEED_REPORTS, partition_of(key, partitions), key, encode_report(report), at_ms)
