"""A stack of its own with worker processes, and the driver that plays a workload into it on a driven clock."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from kafka import KafkaProducer

from deploy.local.stack import Stack
from gateway.keys import init_keys
from lidm.cluster import admin_of, apply
from lidm.compose import clickhouse_store, stream_config
from lidm.control_records import PACE, activate, append_everywhere
from lidm.settings import Settings
from load_tests.chaos.events import CITY, Message
from load_tests.chaos.fleet import Fleet, Worker, wait_until
from load_tests.chaos.pace import Pace
from load_tests.chaos.topics import Reader
from load_tests.chaos.workload import Week, Workload
from load_tests.city.officer import Officer
from policy.bundle import Bundle
from schemas.calendar import SHANGHAI
from schemas.case_commands import encode_command
from schemas.cases import CaseEvent, decode_event
from schemas.partition import partition_of
from schemas.records import GoliveBody, GoliveRecord
from schemas.topics import CASE_COMMANDS, CASE_EVENTS, Catalogue
from sinks.store import AlertStore
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.lag import Lag
from streams.ticks import case_ticks, household_ticks

STAGES = ("intake", "monitor", "cases", "archive")
DETECTORS = ("MED-SELFPAY", "RENT-ARREARS", "JOB-LOSS", "MEMBER-DEATH", "DEATH-ON-BENEFIT")
SESSION_SECONDS = "10"
QUIET_SECONDS = 600.0


@dataclass
class Lab:
    """Broker, store and workers under one folder."""

    stack: Stack
    settings: Settings
    config: StreamConfig
    fleet: Fleet
    producer: KafkaProducer
    lag: Lag
    store: AlertStore
    officer: Officer = field(default_factory=Officer)
    _case_events: Reader | None = None

    def open(self, workload: Workload) -> None:
        """Policy, time, roster, and every detector live: nothing is in force yet, so nothing is baseline."""
        self.begin(workload.begin_ms)
        for code in DETECTORS:
            self.golive(code, workload.begin_ms)
        self.publish(workload.roster())
        self.quiet("intake", "monitor")

    def begin(self, at_ms: int) -> None:
        """Policy and time."""
        at = datetime.fromtimestamp(at_ms / 1000, SHANGHAI)
        activate(self.settings, Bundle.load(self.settings.policy_dir), at)
        self.tick(at_ms)

    def golive(self, code: str, at_ms: int, per_day: int = 50) -> None:
        """A detector speaks in the invented city from now on."""
        at = datetime.fromtimestamp(at_ms / 1000, SHANGHAI)
        append_everywhere(self.settings, _golive(GoliveBody(CITY, code, per_day, PACE)), at)

    def play(self, week: Week, pace: Pace | None = None) -> None:
        """Publishes a week step by step, each read to the end; then time passes, and officers work.

        Alerts and commands are two topics: each is read before the other goes on, or their order would be chance.
        """
        for step in week.steps:
            self.publish(step, pace)
            self.quiet("intake", "monitor")
        self.tick(week.tick_ms)
        self.quiet("monitor", "cases")
        self.case_tick(week.tick_ms)
        self.quiet("cases")
        self._answer(week.tick_ms)
        self.quiet("cases")

    def publish(self, messages: Iterable[Message], pace: Pace | None = None) -> int:
        """Sends messages in order, at this pace at most; returns when the broker has them."""
        began, sent = time.monotonic(), 0
        for sent, message in enumerate(messages, 1):
            if pace and sent % 20 == 0:
                time.sleep(max(0.0, began + pace.seconds(sent) - time.monotonic()))
            self.send(message)
        self.producer.flush(60)
        return sent

    def send(self, message: Message) -> None:
        """Sends one message; certain after `publish` or `flush`."""
        self.producer.send(
            message.topic,
            message.value,
            message.key,
            partition=message.partition,
            timestamp_ms=message.timestamp_ms,
        )

    def quiet(self, *stages: str, seconds: float = QUIET_SECONDS) -> None:
        """Returns when these stages have read everything, twice in a row (what one writes another reads)."""
        calm = 0

        def still() -> bool:
            nonlocal calm
            calm = calm + 1 if self.lag.total(*stages) == 0 else 0
            return calm >= 2

        wait_until(still, seconds, f"{stages} still behind")

    def ready(self, worker: Worker, seconds: float = 60.0) -> None:
        """Returns when a worker has its share of partitions."""
        wait_until(lambda: worker.ready() or not worker.alive, seconds, f"{worker.stage} is not ready")
        if not worker.alive:
            raise AssertionError(f"{worker.stage} ended: {worker.last_words()}")

    def tick(self, at_ms: int) -> None:
        """It is at least this late, for households."""
        self._letters(household_ticks(range(self.config.partitions), at_ms))

    def case_tick(self, at_ms: int) -> None:
        """It is at least this late, for cases."""
        self._letters(case_ticks(range(self.config.partitions), at_ms))

    def _answer(self, at_ms: int) -> None:
        """Officers answer what happened to cases."""
        if self._case_events is None:
            self._case_events = Reader(self.config.broker, self.config.partitions, CASE_EVENTS)
        events = sorted((decode_event(message.value) for message in self._case_events.news()), key=_place)
        letters = []
        for command in (command for event in events for command in self.officer.answer(event)):
            key = command.household.encode()
            place = partition_of(key, self.config.partitions)
            letters.append(Letter(CASE_COMMANDS, place, key, encode_command(command), at_ms))
        self._letters(letters)

    def _letters(self, letters: Iterable[Letter]) -> None:
        for each in letters:
            self.producer.send(
                each.topic, each.value, each.key, partition=each.partition, timestamp_ms=each.timestamp_ms
            )
        self.producer.flush(60)


@contextmanager
def lab(
    folder: Path, *, workers: tuple[str, ...] | Literal[False] = STAGES, session: str = SESSION_SECONDS
) -> Iterator[Lab]:
    """Starts a stack under `folder` with topics, tables and keys, and ends everything it started."""
    stack = Stack(folder)
    announced = stack.up(clock="driven", size="trial")
    try:
        settings = Settings(data_dir=folder, session_seconds=float(session))
        init_keys(settings.keys_dir, synthetic=True)
        with admin_of(announced.broker) as admin:
            apply(admin, Catalogue.load(), "trial", "driven")
        store = clickhouse_store(settings)
        store.migrate()
        config = stream_config(settings)
        producer = KafkaProducer(bootstrap_servers=announced.broker, acks="all", linger_ms=5)
        lag = Lag(announced.broker, config.partitions)
        fleet = Fleet(folder, {"LIDM_SESSION_SECONDS": session})
        try:
            with fleet:
                for stage in workers or ():
                    fleet.start(stage)
                yield Lab(stack, settings, config, fleet, producer, lag, store)
        finally:
            producer.close(5)
            lag.close()
            store.close()
    finally:
        stack.down()


def _golive(body: GoliveBody) -> Callable[[int], GoliveRecord]:
    return lambda known_at: GoliveRecord("", known_at, "", 0, 0, body)


def _place(event: CaseEvent) -> tuple[str, int]:
    return (event.case_id, event.seq)
