"""Drives a service through the simulated months of a city: files in, time forward, officers at work.

One week at a time: publish its files, wait until intake has committed them, then say in every partition that the week
is over. The driver sets every timestamp; what comes out does not depend on how fast anything runs.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import msgspec
import zstandard

from gateway.events import BatchPlan, Mode
from gateway.identities import Linkage
from gateway.publish import publish_file, publish_nothing
from gateway.roster import load_roster
from gateway.vault import Vault
from load_tests.city.calendar import at, millis
from load_tests.city.garbage import garbage
from load_tests.city.officer import Officer
from load_tests.city.planner import ROSTER, City, Delivery, Week
from load_tests.city.service import Service
from load_tests.city.truth import Report, Resolver, compare, standing
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.case_commands import CaseCommand, encode_command
from schemas.case_words import EventType
from schemas.cases import CaseEvent
from schemas.partition import partition_of
from schemas.records import GoliveBody, GoliveRecord, PolicyBody, PolicyRecord, Record, encode_block
from schemas.topics import ALIASES, CASE_COMMANDS, HOUSEHOLD_EVENTS
from streams.delivery import Letter
from streams.hints import AliasRecord
from streams.ticks import case_ticks, household_ticks

EVENTS_PER_MESSAGE = {"civil.benefit": 20, "employment.contribution": 20}
PER_DAY = 50

OpenContact = Callable[[CaseEvent, str], None]
Told = Callable[["Progress"], None]


@dataclass(slots=True)
class Progress:
    """What has happened so far, for people who watch."""

    week: int = 0
    weeks: int = 0
    day: date | None = None
    rows: int = 0
    files: int = 0
    bad_rows: int = 0
    garbage: int = 0
    case_events: int = 0
    cases_opened: int = 0
    cases_closed: int = 0
    contacts_opened: int = 0
    refused: int = 0


@dataclass(slots=True)
class Driver:
    """One run of one city against one service. `open_contact` opens the vault when a case allows it."""

    city: City
    service: Service
    linkage: Linkage
    vault: Vault
    bundle: Bundle
    open_contact: OpenContact = lambda event, actor: None
    told: Told = lambda progress: None
    officer: Officer = field(default_factory=Officer)
    progress: Progress = field(default_factory=Progress)

    def run(self) -> Report:
        """The whole simulation. Returns the comparison with the truth; raises what the service raises."""
        self.begin()
        self.progress.weeks = sum(1 for _ in self.city.span.weeks())
        live = False
        for week in self.city.weeks():
            self.week(week)
            if not live and week.tick >= self.city.golive:
                self.golive(week.tick)
                live = True
        self.finish()
        return self.report(self.service.alerts())

    def begin(self) -> None:
        """Time begins, the policy is activated, the roster loaded, later numbers of known people made known."""
        start = millis(at(self.city.span.first, 0))
        self._tick(start)
        packed = zstandard.compress(self.bundle.canonical())
        self._control(PolicyRecord("", start, "", 0, 0, PolicyBody(self.bundle.hash, packed)), start)
        self.service.send(self._aliases(start))
        self.service.settle("monitor")
        self.deliver(self.city.roster())
        self.service.settle("intake")

    def golive(self, day: date) -> None:
        """Planted detectors go live in the city; what is in force is released as baseline. A foreign client errs."""
        moment = millis(at(day, 1))
        for code in self.city.detectors:
            body = GoliveBody(self.city.lines.city, code, PER_DAY)
            self._control(GoliveRecord("", moment, "", 0, 0, body), moment)
        wrong = garbage(at(day, 1), moment, self.service.partition_count)
        self.progress.garbage += len(wrong)
        self.service.send(wrong)

    def week(self, week: Week) -> None:
        """One week: its files, then the tick, then what the officers do about it."""
        for delivery in week.deliveries:
            self.deliver(delivery)
        self.service.settle("intake")
        self._tick(millis(at(week.tick, 0)))
        self.officers(millis(at(week.tick, 0)))
        self.progress.week, self.progress.day = week.number + 1, week.tick
        self.told(self.progress)

    def finish(self) -> None:
        """Everything is read; the officers finish what they can without time passing."""
        moment = millis(at(self.city.span.last_tick, 0))
        self.service.settle("intake", "monitor", "cases")
        while self.officers(moment):
            self.service.settle("cases")
        self.service.settle("intake", "monitor", "cases", "archive")

    def report(self, alerts: Iterable[Alert]) -> Report:
        """What came out against what was planned."""
        resolver = Resolver(self.linkage, self.city.lines.city)
        return compare(self.city.truth, standing(alerts), resolver)

    def deliver(self, delivery: Delivery) -> None:
        """One file through the gateway, as its clerk would send it."""
        moment = millis(delivery.at)
        self.progress.files += 1
        self.progress.rows += delivery.rows
        if delivery.feed == ROSTER:
            self._roster(delivery, moment)
            return
        plan = _plan(delivery)
        if plan is not None and not delivery.rows:
            publish_nothing(
                delivery.feed, publisher=self.service.publisher, recorded=delivery.at, batch=plan,
                source=delivery.source, timestamp_ms=moment,
            )  # fmt: skip
            return
        published = publish_file(
            delivery.path, delivery.feed, publisher=self.service.publisher, linkage=self.linkage,
            recorded=delivery.at, batch=plan, source=delivery.source,
            array=EVENTS_PER_MESSAGE.get(delivery.feed, 1), timestamp_ms=moment,
        )  # fmt: skip
        self.progress.bad_rows += published.receipt.bad

    def officers(self, at_ms: int) -> int:
        """Answers every case event since the last time. Returns the number of commands sent."""
        commands: list[CaseCommand] = []
        for event in self.service.case_events():
            self._count(event)
            if event.type is EventType.CONTACT_OPENED:
                self.open_contact(event, self.officer.actor)
            commands.extend(self.officer.answer(event))
        self.service.send(self._command(command, at_ms) for command in commands)
        return len(commands)

    def _count(self, event: CaseEvent) -> None:
        progress = self.progress
        progress.case_events += 1
        progress.cases_opened += event.type is EventType.OPENED
        progress.cases_closed += event.type is EventType.CLOSED
        progress.contacts_opened += event.type is EventType.CONTACT_OPENED
        progress.refused += event.type is EventType.REFUSED

    def _command(self, command: CaseCommand, at_ms: int) -> Letter:
        key = command.household.encode()
        partition = partition_of(key, self.service.partition_count)
        return Letter(CASE_COMMANDS, partition, key, encode_command(command), at_ms)

    def _roster(self, delivery: Delivery, moment: int) -> None:
        loaded = load_roster(
            delivery.path, publisher=self.service.publisher, linkage=self.linkage, vault=self.vault,
            recorded=delivery.at, issuing_area=self.city.lines.city, source=delivery.source, timestamp_ms=moment,
        )  # fmt: skip
        self.progress.bad_rows += len(loaded.problems)

    def _tick(self, at_ms: int) -> None:
        everywhere = range(self.service.partition_count)
        self.service.send([*household_ticks(everywhere, at_ms), *case_ticks(everywhere, at_ms)])

    def _control(self, record: Record, at_ms: int) -> None:
        value = encode_block([record])
        self.service.send(
            Letter(HOUSEHOLD_EVENTS, p, None, value, at_ms) for p in range(self.service.partition_count)
        )

    def _aliases(self, at_ms: int) -> Iterator[Letter]:
        for later, first in self.city.aliases:
            key = self.linkage.person(later).encode()
            value = msgspec.json.encode(AliasRecord(self.linkage.person(first)))
            yield Letter(ALIASES, partition_of(key, self.service.partition_count), key, value, at_ms)


def _plan(delivery: Delivery) -> BatchPlan | None:
    if delivery.closes is None:
        return None
    return BatchPlan(delivery.closes, delivery.areas, cast(Mode, delivery.mode), batchid=delivery.batchid)


