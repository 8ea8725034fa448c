"""Blocks of invented households for tests of one partition, and a partition that folds, crashes and comes back."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import zstandard

from load_tests.chaos.events import Message
from load_tests.chaos.workload import Week, Workload
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.feed import FEEDS
from schemas.records import GoliveBody, GoliveRecord, PolicyBody, PolicyRecord, Record, encode_block
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS
from streams.checkpoint import Drained
from streams.config import StreamConfig
from streams.delivery import Letter
from streams.registry import Registry
from streams.routing import Inbound, Router
from streams.statelog import Item
from streams.ticks import household_ticks
from streams.watch import Watch

POLICY = Path(__file__).resolve().parents[2] / "policy"
DETECTORS = ("MED-SELFPAY", "RENT-ARREARS", "JOB-LOSS", "MEMBER-DEATH")
PUBLIC_KEY = bytes(range(1, 33))
BY_TOPIC = {spec.topic: spec for spec in FEEDS.every}
Block = tuple[int, int, bytes]
"""Offset, timestamp, value."""
Said = Callable[[int], Record]


def config(partitions: int = 1) -> StreamConfig:
    """A stage without a broker."""
    return StreamConfig(broker="none", partitions=partitions, clock="driven", seal_public_key=PUBLIC_KEY)


def policy_record(at_ms: int) -> PolicyRecord:
    """The invented city's policy."""
    bundle = Bundle.load(POLICY)
    return PolicyRecord("", at_ms, "", 0, 0, PolicyBody(bundle.hash, zstandard.compress(bundle.canonical())))


def inbound(messages: Iterable[Message], start: int = 0) -> dict[str, list[Inbound]]:
    """Messages as a poll gives them, by topic; offsets count over all of them."""
    polled: dict[str, list[Inbound]] = {}
    for offset, each in enumerate(messages, start):
        message = Inbound(each.topic, each.partition, offset, each.timestamp_ms, each.key, each.value)
        polled.setdefault(each.topic, []).append(message)
    return polled


class Log:
    """`households.events.v1` of one partition, written as intake, driver and operators write it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.router = Router(Registry(), 1, PUBLIC_KEY)

    def control(self, record: Record) -> None:
        """A control record."""
        self._append(record.known_at, encode_block([record]))

    def feed(self, messages: Iterable[Message], chunk: int = 40) -> None:
        """Messages, read in small polls."""
        waiting = list(messages)
        for start in range(0, len(waiting), chunk):
            for topic, polled in inbound(waiting[start : start + chunk], start).items():
                self.router.take(BY_TOPIC[topic], polled)
            self.letters(self.router.drain()[0])

    def letters(self, letters: Iterable[Letter]) -> None:
        """Whatever goes to households."""
        for letter in letters:
            if letter.topic == HOUSEHOLD_EVENTS:
                self._append(letter.timestamp_ms or 0, letter.value or b"")

    def tick(self, at_ms: int) -> None:
        """Time passes."""
        self.letters(household_ticks([0], at_ms))

    def _append(self, at_ms: int, value: bytes) -> None:
        self.blocks.append((len(self.blocks), at_ms, value))


def story(
    households: int = 12, weeks: int = 10, said: Mapping[int, Iterable[Said]] | None = None, mute: str = ""
) -> Log:
    """A log of some weeks; what the monitor mails to itself is in it where a running one would have put it.

    `said`: control records at the end of a week, made from their moment; `mute`: a detector that does not go live.
    """
    workload, log, watch = Workload(households, weeks, partitions=1, small=1.0), Log(), Watch(0, config())
    log.control(policy_record(workload.begin_ms))
    log.tick(workload.begin_ms)
    for code in (each for each in DETECTORS if each != mute):
        log.control(GoliveRecord("", workload.begin_ms, "", 0, 0, GoliveBody("339901000000", code, 5)))
    log.feed(workload.roster())
    done = 0
    for week in workload.weeks():
        done = _week(log, watch, week, done)
        for make in (said or {}).get(week.number, ()):
            log.control(make(week.tick_ms + 1))
        done = settle(log, watch, done)
    return log


def _week(log: Log, watch: Watch, week: Week, done: int) -> int:
    for step in week.steps:
        log.feed(step)
        done = settle(log, watch, done)
    log.tick(week.tick_ms)
    return settle(log, watch, done)


def settle(log: Log, watch: Watch, done: int) -> int:
    """Folds what is new until the monitor owes nothing more."""
    while done < len(log.blocks):
        fold(watch, log.blocks[done:])
        done = len(log.blocks)
        drained = watch.drain()
        watch.keep(drained.state)
        log.letters(drained.outputs)
    return done


def fold(watch: Watch, blocks: Iterable[Block]) -> None:
    """Folds blocks in order."""
    for offset, at_ms, value in blocks:
        watch.fold(HOUSEHOLD_EVENTS, offset, at_ms, value)


def restored(items: Iterable[Item]) -> Watch:
    """A monitor that begins with this state."""
    watch = Watch(0, config())
    for item in items:
        watch.restore(item.key, item.value)
    watch.opened()
    return watch


def alerts(drained: Drained) -> list[Alert]:
    """The alerts among the outputs."""
    return [Alert.model_validate_json(each.value or b"") for each in drained.outputs if each.topic == ALERTS]


def content(watch: Watch) -> dict[str, bytes]:
    """Records without the position they were written at."""
    return {key: raw[8:] for key, raw in watch.records()}
