"""Records about people, folded into their households: each household touched is looked at once per block.

Validation comes before mutation; what others have to hear goes to the outbox. `applied` guards against our own replay,
fact keys against intake's repeats.
"""

from collections.abc import Callable, Iterable, Mapping

from detectors.registry import Detector, candidates, running
from households.ledger import NOTHING, FoldResult, Household
from households.links import LINKED, shown
from schemas.facts import FACT_KINDS
from schemas.feed import FEEDS
from schemas.links import Saying
from schemas.records import FactRecord, ForwardRecord, PersonRecord, Record, TransferBody, TransferRecord
from streams.config import StreamConfig
from streams.control import Control
from streams.judge import ANY, Judge, Said
from streams.outbox import Outbox
from streams.shadows import ShadowRun
from streams.shelf import Shelf

MEMBERSHIP = "civil.household"
NO_FEEDS: frozenset[str] = frozenset()
SAID_BITS = 12
"""A block has fewer records than this many bits can number, and so fewer moments at which something is shown."""
FEEDS_OF = {kind: frozenset((kind.feed,)) for kind in FACT_KINDS}


class Folding:
    """Ledgers, detectors and what is underway in the block being folded."""

    def __init__(self, partition: int, config: StreamConfig, detectors: Mapping[str, Detector] | None = None) -> None:
        self._partition = partition
        self._config = config
        self._judge = Judge(detectors if detectors is not None else running(config.trial))
        self._runs: dict[str, ShadowRun] = {}
        self._shadow_said: list[Said] = []
        ours = (*self._judge.detectors.values(), *candidates().values())
        asked = [each for each in ours if each.about == "household"]
        feeds = {feed for each in asked for feed in each.listens | each.absence if feed in FEEDS}
        self._control = Control(partition, {feed: config.catalogue.cadence(feed) for feed in sorted(feeds)})
        self._shelf = Shelf(max(1000, config.decoded_households // config.partitions))
        self._base = 0
        self._offset = -1
        self._at_ms = 0
        self._known_at = 0
        self._outbox = Outbox(partition, config)
        self._touched: dict[str, frozenset[str]] = {}
        self._ahead: dict[str, int] = {}
        self._linked: set[str] = set()
        self._said = 0
        self._entered: dict[str, Household | None] = {}
        self._shown: set[str] = set()
        self._silenced: set[str] = set()

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
        if not LINKED.isdisjoint(outcome.feeds):  # whatever its day: what is shown has days of its own
            self._linked.add(name)
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
            quiet = name not in self._ahead and MEMBERSHIP not in feeds
            unmoved = quiet and policy is not None and self._judge.unmoved(household, feeds, policy)
            if unmoved and not (self._runs and self._watched(household, feeds)):
                household.head.applied = offset
                shelf.note(household)
                continue
            self._reconsider(household, feeds)
            self._changed(household)
        self._ahead.clear()
        if self._linked:
            linked, self._linked = self._linked, set()
            for name in sorted(linked):
                if (household := self._entered[name]) is not None:
                    self._show_links(household)
            self._said += 1

    def _show_links(self, household: Household) -> None:
        """Tells the links stage what the household shares, as it stands; told twice it is the same."""
        at = self._offset << SAID_BITS | self._said
        for each in shown(household):
            self._outbox.show(Saying(each.kind, each.key, household.id, at, self._known_at, *each[2:]))

    def _reconsider(self, household: Household, feeds: frozenset[str]) -> None:
        control = self._control
        if control.on is None or control.bundle is None:
            household.head.rechecks[ANY] = 1
            household.dirty_head = True
            return
        if MEMBERSHIP in feeds:
            self._judge.plan(household, control.on)
        if (day := self._ahead.get(household.id)) is not None:
            household.head.rechecks[ANY] = min(day, household.head.rechecks.get(ANY, day))
            household.dirty_head = True
        self._look(household, lambda judge: judge.listening(feeds), self._known_at)

    def _look(self, household: Household, asked: Callable[[Judge], Iterable[Detector]], known_at: int) -> bool:
        """Asks rules of the judge, and the same of every shadow run that looks at the household."""
        changed = self._judge.look(household, asked(self._judge), self._control, known_at)
        for name, run in self._runs.items():
            if self._control.watches(name, household.responsible_area, household.id):
                changed |= run.judge.look(household, asked(run.judge), run.ground, known_at)
        return changed

    def _judges(self) -> list[Judge]:
        return [self._judge, *(run.judge for run in self._runs.values())]

    def _watched(self, household: Household, feeds: frozenset[str]) -> bool:
        """Whether a shadow run may have something to say."""
        area = household.responsible_area
        here = (run for name, run in self._runs.items() if self._control.watches(name, area, household.id))
        listening = (run for run in here if run.judge.listening(feeds))
        policies = ((run, run.ground.policy) for run in listening)
        return any(policy and not run.judge.unmoved(household, feeds, policy) for run, policy in policies)

    def _changed(self, household: Household) -> None:
        head = household.head
        head.applied = self._offset
        self._shelf.touch(household, min(head.rechecks.values()) if head.rechecks else None)

    def _owe(self, household: Household, outcome: FoldResult, record: Record) -> None:
        """Puts what is owed to other households in the mail; alerts of episodes that left say where they went."""
        known_at, topic, partition, offset = record.known_at, record.topic, record.partition, record.offset
        for target, transfer in outcome.transfers:
            self._outbox.post(TransferRecord(target, known_at, topic, partition, offset, transfer))
        for target, late in outcome.forwards:
            self._outbox.post(ForwardRecord(target, known_at, topic, partition, offset, late))
        self._judge.depart(household, outcome, self._control, known_at)
        for run in self._runs.values():
            run.judge.depart(household, outcome, run.ground, known_at)
        if outcome.problem is not None:
            self._outbox.reject(outcome.problem, "事实在多户之间转送超过限度，请核对成员关系", record)
