"""The life of one household as its partition hears of it: facts on the days they became known, files that close, days.

A life is told to a monitor in any order, and what the monitor says is read off. Everything is live and every rule that
is named runs, those on trial too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import zstandard
from hypothesis import strategies as st

from detectors.registry import Detector, load_detectors
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.facts import AnyFact, month_of
from schemas.records import (
    BatchPartBody,
    BatchPartRecord,
    FactBody,
    FactRecord,
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    TickBody,
    TickRecord,
    encode_block,
)
from schemas.topics import HOUSEHOLD_EVENTS
from streams.watch import Watch
from tests.detectors.test_laws import CITY, FACTS, HOUSEHOLD, PEOPLE, WIDE, households, stay
from tests.streams.making import alerts, config

FIRST, LAST = date(2025, 9, 1).toordinal(), date(2026, 1, 31).toordinal()
DELIVERED = 6
"""Day of the month on which the files of the month before are complete."""
Rolls = tuple[list[tuple[int, int | None, int | None]], int]


class Known(NamedTuple):
    """A fact and the day on which it came to be known."""

    day: int
    person: str
    fact: AnyFact


class Life(NamedTuple):
    """Who lives together, and what became known of them when."""

    rolls: Rolls
    told: tuple[Known, ...]


def lives(*codes: str, least: int = 4, most: int = 14) -> st.SearchStrategy[Life]:
    """Lives full of what these rules read; facts are known at once or up to five months late, some before their day."""
    facts = st.one_of(*(FACTS[code] for code in codes))
    lag = st.sampled_from([0, 0, 1, 7, 40, 150])
    known = st.builds(lambda each, late: Known(max(FIRST, min(LAST - 1, each[1].day + late)), *each), facts, lag)
    return st.builds(Life, households, st.lists(known, min_size=least, max_size=most).map(tuple))


def memberships(life: Life) -> list[Record]:
    """The household's registrations."""
    about, income = life.rolls
    return [
        fact_record(Known(FIRST, person, stay(person, born, status, None if person == PEOPLE[0] else until, income)))
        for person, (born, status, until) in zip(PEOPLE, about, strict=True)
    ]


def fact_record(known: Known) -> Record:
    """A fact as intake writes it."""
    return FactRecord(HOUSEHOLD, moment(known.day), "", 0, 0, FactBody(known.person, known.fact))


def moment(day: int, hour: int = 9) -> int:
    """Milliseconds of an hour of a day."""
    begins = datetime.combine(date.fromordinal(day), datetime.min.time(), SHANGHAI)
    return int(begins.timestamp() * 1000) + hour * 3_600_000


@cache
def policy() -> Record:
    """The invented city's, with every window and subject asked about."""
    return PolicyRecord("", moment(FIRST, 0), "", 0, 0, PolicyBody(WIDE.hash, zstandard.compress(WIDE.canonical())))


@cache
def closing(month: int) -> tuple[Record, ...]:
    """Every feed whose silence some rule reads closes a month."""
    feeds = sorted(frozenset().union(*(each.absence for each in load_detectors().values())))
    period = f"{month // 12}-{month % 12 + 1:02d}"
    return tuple(
        BatchPartRecord("", moment(FIRST), "", 0, 0, BatchPartBody(feed, period, 0, 1, period, (), "delta", 0, 0))
        for feed in feeds
    )


class Partition:
    """A monitor of one partition that is told lives."""

    def __init__(self, detectors: Mapping[str, Detector], kind: type[Watch] = Watch) -> None:
        self._detectors, self._kind = detectors, kind
        self.watch = kind(0, config(), detectors)
        self._offset = 0
        self._state: dict[bytes, Any] = {}
        self.said: list[Alert] = []

    def take(self, records: Iterable[Record], at_ms: int) -> None:
        """One block."""
        records = list(records)
        if records:
            self.watch.fold(HOUSEHOLD_EVENTS, self._offset, at_ms, encode_block(records))
            self._offset += 1

    def checkpoint(self) -> None:
        """Everything is delivered and durable."""
        drained = self.watch.drain()
        self.watch.keep(drained.state)
        self._state |= {item.key: item for item in drained.state}
        self.said += alerts(drained)

    def restart(self) -> None:
        """Another worker goes on with what is durable."""
        self.checkpoint()
        self.watch = self._kind(0, config(), self._detectors)
        for item in self._state.values():
            self.watch.restore(item.key, item.value)
        self.watch.opened()

    def begin(self, life: Life) -> None:
        """Policy, golives, files of the past, the household."""
        at = moment(FIRST, 0)
        live = [GoliveRecord("", at, "", 0, 0, GoliveBody(CITY, code, 5)) for code in self._detectors]
        past = range(month_of(FIRST) - 20, month_of(FIRST) - 1)
        self.take([policy(), TickRecord("", at, "", 0, 0, TickBody(at)), *live], at)
        self.take([record for month in past for record in closing(month)], at)
        self.take(memberships(life), at)

    def day(self, day: int, known: Sequence[Record]) -> None:
        """What became known on a day, the files due on it, its evening."""
        self.take(known, moment(day))
        when = date.fromordinal(day)
        if when.day == DELIVERED:
            self.take(closing(month_of(day) - 1), moment(day, 10))
        self.take([TickRecord("", moment(day, 20), "", 0, 0, TickBody(moment(day, 20)))], moment(day, 20))

    def live_through(self, life: Life) -> None:
        """Every day from the first to the last."""
        self.begin(life)
        for day in range(FIRST, LAST + 1):
            self.day(day, [fact_record(each) for each in life.told if each.day == day])
        self.checkpoint()

    def standing(self) -> set[tuple[object, ...]]:
        """The episodes in force, without those a rule cannot judge today."""
        household, on = self.watch.household(HOUSEHOLD), date.fromordinal(LAST)
        unsure = {
            code for code, each in self._detectors.items() if each.evaluate(household, on, WIDE.on(on)).insufficient
        }
        return {
            (each.detector, each.cause, each.since, each.severity, each.measure, each.person)
            for each in household.head.episodes
            if each.ended is None and each.detector not in unsure
        }


def words(said: Iterable[Alert]) -> list[dict[str, Any]]:
    """Alerts without the moment at which what caused them was known."""
    return [each.model_dump(exclude={"known_at"}) for each in said]
