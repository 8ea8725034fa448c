"""Intake and every partition of the monitor without a broker: what each sends arrives where it should, until quiet."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cache

from households.ledger import Household
from load_tests.chaos.events import SOURCE, Json, Message, Pen, membership
from schemas.calendar import SHANGHAI
from schemas.feed_reports import HoldReport, decode_report
from schemas.partition import partition_of
from schemas.records import BatchVerdictBody, BatchVerdictRecord, Record, TickBody, TickRecord, encode_block
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS, REJECTED, Catalogue
from streams.delivery import Letter
from streams.registry import Registry
from streams.routing import Router
from streams.watch import Watch
from tests.streams.making import BY_TOPIC, PUBLIC_KEY, Block, config, fold, inbound, policy_record

PARTITIONS = 3
BEGIN = datetime(2026, 5, 4, 9, tzinfo=SHANGHAI)
BORN, SINCE = date(1970, 1, 1), date(2020, 1, 1)


@cache
def policy() -> Record:
    """The invented city's, from the beginning."""
    return policy_record(int(BEGIN.timestamp() * 1000))


def person(number: int) -> str:
    """A pseudonym."""
    return f"p_{number:032x}"


def home(number: int) -> str:
    """The household of one person."""
    return f"h_{number:032x}"


class Town:
    """People who live alone, each in a household of the invented town."""

    def __init__(self, people: int, partitions: int = PARTITIONS) -> None:
        self.partitions, self.at = partitions, BEGIN
        self.router = Router(Registry(), partitions, PUBLIC_KEY, catalogue=Catalogue.load())
        self.watches = [Watch(p, config(partitions)) for p in range(partitions)]
        self.logs: list[list[Block]] = [[] for _ in range(partitions)]
        self.told: list[HoldReport] = []
        self.refused: list[str] = []
        self._folded = [0] * partitions
        self._offsets: dict[str, int] = {}
        self.everywhere(policy())
        self.everywhere(TickRecord("", self.ms, "", 0, 0, TickBody(self.ms)))
        self.read(
            self.pen.event("civil.household", f"m{n}", person(n), membership(home(n), SINCE, "HEAD", BORN), SINCE)
            for n in range(people)
        )

    @property
    def pen(self) -> Pen:
        """Writes events of now."""
        return Pen(self.at, self.partitions)

    @property
    def ms(self) -> int:
        """Now."""
        return int(self.at.timestamp() * 1000)

    def pass_time(self, hours: int = 1) -> None:
        """It is later."""
        self.at += timedelta(hours=hours)

    def batch(
        self, kind: str, rows: dict[int, tuple[Json, date]], name: str, mode: str, period: str = "2026-05"
    ) -> Iterator[Message]:
        """A whole batch, one row a person, as a publisher writes it."""
        pen, counts = self.pen, [0] * self.partitions
        events = [pen.event(kind, f"{name}-{n}", person(n), data, day, batch=name) for n, (data, day) in rows.items()]
        for event in events:
            counts[event.partition] += 1
        yield from pen.manifests("begin", kind, name, period, [0] * self.partitions, mode)
        yield from events
        yield from pen.manifests("end", kind, name, period, counts, mode)

    def read(self, messages: Iterable[Message], *, settle: bool = True) -> None:
        """Intake reads these in order; then everybody reads what the others sent."""
        for message in messages:
            start = self._offsets[message.topic] = self._offsets.get(message.topic, -1) + 1
            for topic, polled in inbound([message], start).items():
                self.router.take(BY_TOPIC[topic], polled)
        self.deliver(self.router.drain()[0])
        if settle:
            self.settle()

    def decide(self, kind: str, name: str, verdict: str) -> None:
        """What `lidm feed hold` writes."""
        held = next((each for each in self.told if each.batchid == name), None)
        source, period = (held.source, held.period) if held else (SOURCE, "2026-05")
        body = BatchVerdictBody(kind, name, verdict, "王某", "已核实", source, period)
        self.everywhere(BatchVerdictRecord("", self.ms, "", 0, 0, body))
        self.settle()

    def everywhere(self, record: Record) -> None:
        """A control record."""
        for log in self.logs:
            log.append((len(log), self.ms, encode_block([record])))

    def deliver(self, letters: Iterable[Letter]) -> None:
        """What anybody sends."""
        for letter in letters:
            if letter.topic == HOUSEHOLD_EVENTS:
                log = self.logs[letter.partition]
                log.append((len(log), letter.timestamp_ms or 0, letter.value or b""))
            elif letter.topic == REJECTED:
                self.refused.append(dict(letter.headers)["code"].decode())
            elif letter.topic == FEED_REPORTS:
                report = decode_report(letter.value or b"")
                assert isinstance(report, HoldReport)
                self.told.append(report)

    def settle(self) -> None:
        """Until nobody has anything to read."""
        while any(done < len(log) for done, log in zip(self._folded, self.logs, strict=True)):
            for p, watch in enumerate(self.watches):
                fresh = self.logs[p][self._folded[p] :]
                self._folded[p] = len(self.logs[p])
                fold(watch, fresh)
                drained = watch.drain()
                self.deliver(drained.outputs)
                watch.keep(drained.state)

    def household(self, number: int) -> Household:
        """Somebody's ledger."""
        return self.watches[partition_of(home(number), self.partitions)].household(home(number))
