"""The city's plan: who lives there, which file each department delivers when, and what must come of it.

The same configuration gives the same bytes. Rows are made while a file is written; what is kept in memory is the
population, the planted scripts and twelve months of sums per household.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path

from load_tests.city.background import Background
from load_tests.city.calendar import Span, at
from load_tests.city.files import write_rows
from load_tests.city.households import Household, Population
from load_tests.city.lines import Lines, load_lines
from load_tests.city.people import Numbers
from load_tests.city.registers import Registers
from load_tests.city.roster import RosterLine, write_roster
from load_tests.city.rows import Row
from load_tests.city.scenarios.catalogue import EVERY, PLANTED, plant, scenarios
from load_tests.city.scenarios.stage import RosterChange, Script, first_lines
from load_tests.city.schedule import CADENCE, CADENCES, MORE_CADENCES, Slot, slots_of_week
from load_tests.city.truth import Truth

FIRST_MONTH = date(2025, 1, 1)
ROSTER = "roster"
EXCEL_UP_TO = 10_000  # households; a larger export comes as CSV


@dataclass(frozen=True, slots=True)
class Config:
    """Size and seed of a city; `first` is the first simulated month.

    `every_rule`: rules on trial are planted and go live too, and their departments deliver. `only`: the rules whose
    stories are planted, none named: all.
    """

    households: int
    months: int
    seed: int = 1
    first: date = FIRST_MONTH
    every_rule: bool = False
    only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as it reaches the gateway at `at`. `closes`: the period (`2025-03`) it completes, None for a delta."""

    feed: str
    path: Path
    at: datetime
    source: str
    batchid: str
    closes: str | None
    mode: str
    areas: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Week:
    """What arrives before the tick of `tick` (00:00 of that day)."""

    number: int
    first: date
    tick: date
    deliveries: tuple[Delivery, ...]


@dataclass(slots=True)
class Counts:
    """What the files held, counted while they were written."""

    rows: dict[str, int] = field(default_factory=dict)
    strangers: int = 0

    @property
    def total(self) -> int:
        """Rows of all files, roster included."""
        return sum(self.rows.values())


class City:
    """A planned city. `roster()` first, then every week of `weeks()` in order, once."""

    def __init__(self, config: Config, folder: Path, lines: Lines | None = None) -> None:
        self.config = config
        self.lines = lines or load_lines()
        self.span = Span(config.first, config.months)
        self.golive = golive_of(self.span)
        self.counts = Counts()
        self._folder = folder
        population = Population(config.seed, self.lines, config.first, Numbers())
        self.detectors = EVERY if config.every_rule else PLANTED
        self._cadences = (*CADENCES, *MORE_CADENCES) if config.every_rule else CADENCES
        wanted = [each for each in scenarios(config.every_rule) if not config.only or each.rule in config.only]
        self.scripts = plant(population, self.span, self.golive, config.households, wanted)
        planted = sum(len(script.households) for script in self.scripts)
        if planted > config.households:
            raise ValueError(f"a city of {config.households} households cannot hold {planted} planted ones")
        self.background = [population.background(n) for n in range(planted + 1, config.households + 1)]
        self._rows = Background(self.background, population)
        self._registers = Registers(self.scripts, self.background, population) if config.every_rule else None
        self._queues = _queues(self.scripts)
        self._changes = sorted(
            (change for script in self.scripts for change in script.changes), key=lambda change: change.day
        )

    @property
    def truth(self) -> Truth:
        """What must come of the plan."""
        return Truth(
            expected=tuple(expected for script in self.scripts for expected in script.expected),
            look_alikes={
                household.official: script.scenario
                for script in self.scripts
                if script.look_alike
                for household in script.households
            },
            ordinary=len(self.background),
        )

    @property
    def aliases(self) -> tuple[tuple[str, str], ...]:
        """(later identity number, the number somebody was first known by)."""
        return tuple(alias for script in self.scripts for alias in script.aliases)

    def households(self) -> Iterator[Household]:
        """Every household: planted ones first."""
        for script in self.scripts:
            yield from script.households
        yield from self.background

    def roster(self) -> Delivery:
        """The first official export; it reaches the gateway as the simulation begins."""
        known = {number: lines for script in self.scripts for number, lines in script.first.items()}
        lines = (
            line
            for household in self.households()
            for line in known.get(household.number) or first_lines(household, self.span)
        )
        suffix = "xlsx" if self.config.households <= EXCEL_UP_TO else "csv"
        return self._roster_file(f"名册-首次.{suffix}", at(self.span.first, 0, 30), lines)

    def weeks(self) -> Iterator[Week]:
        """Writes one week of files at a time."""
        for number, first, after in self.span.weeks():
            deliveries = list(self._roster_changes(first, after))
            for slot in slots_of_week(first, after, self.span, self._cadences):
                deliveries.extend(self._deliver(slot))
            yield Week(number, first, after, tuple(sorted(deliveries, key=lambda delivery: delivery.at)))

    def _roster_changes(self, first: date, after: date) -> Iterator[Delivery]:
        due: dict[int, RosterChange] = {}
        while self._changes and self._changes[0].day < after:
            change = self._changes.pop(0)
            due[change.household] = change
        if due:
            lines = (line for change in due.values() for line in change.lines)
            yield self._roster_file(f"名册-变更-{first:%Y%m%d}.csv", at(after - timedelta(days=1), 18), lines)

    def _roster_file(self, name: str, moment: datetime, lines: Iterable[RosterLine]) -> Delivery:
        path = self._folder / ROSTER / name
        rows = write_roster(path, lines, self.span.first)
        self._count(ROSTER, rows)
        return Delivery(ROSTER, path, moment, "urn:xinghe:civil", path.stem, None, "delta", (self.lines.city,), rows)

    def _deliver(self, slot: Slot) -> Iterator[Delivery]:
        cadence, day = CADENCE[slot.feed], slot.at.date()
        everybody = self._registers.rows(slot) if self._registers else ()
        own = chain(_due(self._queues.get((slot.feed, None)), day), self._rows.rows(slot), everybody)
        yield from self._file(slot, cadence.source, slot.batchid, own, slot.at, slot.closes)
        for feed, system in sorted(key for key in self._queues if key[0] == slot.feed and key[1]):
            rows = _due(self._queues[feed, system], day)
            batchid, source = f"{slot.batchid}-{system}", f"urn:xinghe:{system}"
            yield from self._file(slot, source, batchid, rows, slot.at + timedelta(hours=1), None)

    def _file(
        self, slot: Slot, source: str, batchid: str, rows: Iterable[Row], moment: datetime, closes: date | None
    ) -> Iterator[Delivery]:
        path, count = write_rows(self._folder / slot.feed, batchid, CADENCE[slot.feed].layout, slot.feed, rows)
        self._count(slot.feed, count)
        self.counts.strangers = self._rows.strangers_sent
        period = f"{closes:%Y-%m}" if closes is not None else None
        if count or period:
            yield Delivery(slot.feed, path, moment, source, batchid, period, "delta", (self.lines.city,), count)

    def _count(self, feed: str, rows: int) -> None:
        self.counts.rows[feed] = self.counts.rows.get(feed, 0) + rows


def golive_of(span: Span) -> date:
    """The tick after which detectors speak: the middle of the third month (sooner in a short simulation)."""
    wanted = span.month(min(2, span.months // 4)) + timedelta(days=14)
    return next(after for _, _, after in span.weeks() if after >= wanted)


_Queue = list[tuple[date, int, Row]]


def _queues(scripts: Iterable[Script]) -> dict[tuple[str, str | None], _Queue]:
    queues: dict[tuple[str, str | None], _Queue] = {}
    order = 0
    for script in scripts:
        for sending in script.sendings:
            order += 1
            heapq.heappush(
                queues.setdefault((sending.row.feed, sending.system), []), (sending.arrives, order, sending.row)
            )
    return queues


def _due(queue: _Queue | None, day: date) -> Iterator[Row]:
    while queue and queue[0][0] <= day:
        yield heapq.heappop(queue)[2]
