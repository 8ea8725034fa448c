"""Registers of the whole city: who is insured, who goes to school, whose rent is relieved, whose pension was paid.

Rules that ask what is missing need complete files about everybody, quiet and planted alike. Whoever a scenario is about
it tells of itself (`Script.apart`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from random import Random

from load_tests.city import records, rows
from load_tests.city.calendar import years_after
from load_tests.city.households import Household, Population
from load_tests.city.people import Person
from load_tests.city.rows import Row
from load_tests.city.scenarios.stage import Script
from load_tests.city.schedule import Slot

_SUBSIDISED = ("TEKUN", "DIBAO", "DIBIAN")
_RELIEVED = ("TEKUN", "DIBAO")
_SCHOOL_FROM, _JUNIOR_FROM, _SCHOOL_UNTIL = 6, 12, 16
_PENSION_FROM = 60
_METERED = 5
"""One household in so many has an electricity meter that reports."""
_CALLERS = 31
"""One household in so many calls the hotline once in the simulated time."""


class Registers:
    """Rows of the registers, slot by slot."""

    def __init__(self, scripts: Iterable[Script], quiet: Sequence[Household], population: Population) -> None:
        self._seed, self._lines, self._first = population.seed, population.lines, population.first
        self._quiet = quiet
        self._everybody: list[Person] = []
        self._apart: set[tuple[str, str]] = set()
        self._relieved = [each for each in quiet if each.contract is not None and each.scheme in _RELIEVED]
        for script in scripts:
            self._apart |= script.apart
            self._everybody += [person for household in script.households for person in household.members]
        self._everybody += [person for household in quiet for person in household.members]
        self._feeds: dict[str, Callable[[Slot], Iterator[Row]]] = {
            "medical.enrolment": self._insured,
            "education.enrolment": self._pupils,
            "housing.security": self._reliefs,
            "pension.payment": self._pensions,
            "utility.bill": self._meters,
            "hotline.ticket": self._tickets,
        }

    def rows(self, slot: Slot) -> Iterator[Row]:
        """The rows of one delivery."""
        feed = self._feeds.get(slot.feed)
        if feed is not None:
            yield from feed(slot)

    def _of(self, feed: str) -> Iterator[Person]:
        return (person for person in self._everybody if (feed, person.identity) not in self._apart)

    def _insured(self, slot: Slot) -> Iterator[Row]:
        """Everybody is insured from New Year on: told in the first file and in each December's."""
        if slot.month == self._first:
            yield from self._year(slot.month.year, slot.feed)
        if slot.month.month == 12:
            yield from self._year(slot.month.year + 1, slot.feed)

    def _year(self, year: int, feed: str) -> Iterator[Row]:
        for person in self._of(feed):
            yield records.insured(person.identity, year, subsidised=person.scheme in _SUBSIDISED)

    def _pupils(self, slot: Slot) -> Iterator[Row]:
        """Who is of age goes to school: told in the first file, and in September of those who begin."""
        begins = date(slot.month.year, 9, 1)
        last = begins if self._first >= begins else date(begins.year - 1, 9, 1)
        for person in self._of(slot.feed):
            entry = school_entry(person)
            if person.age_on(self._first) >= _SCHOOL_UNTIL:
                continue
            if slot.month == self._first and entry <= last:
                yield records.school(person.identity, last, _stage(person, last))
            elif slot.month == begins and entry == begins:
                yield records.school(person.identity, begins, _stage(person, begins))

    def _reliefs(self, slot: Slot) -> Iterator[Row]:
        for household in self._relieved:
            head = household.members[0].identity
            yield rows.relief(head, household.tenancy, slot.month, household.rent_fen // 10)

    def _pensions(self, slot: Slot) -> Iterator[Row]:
        """Of quiet households in which nobody works: enough that nobody asks about their income, and not more."""
        for household in self._quiet:
            old = [person for person in household.members if person.age_on(self._first) >= _PENSION_FROM]
            if not old or any(person.employer for person in household.members):
                continue
            if household.scheme in _RELIEVED:
                yield from (records.pension(person.identity, slot.month, 22_000, basic_fen=20_000) for person in old)
                continue
            fen = self._lines.quiet_wages_fen(len(household.members), len(old), household.scheme)
            yield from (records.pension(person.identity, slot.month, fen) for person in old)

    def _meters(self, slot: Slot) -> Iterator[Row]:
        due = slot.month + timedelta(days=50)
        for household in self._quiet:
            if household.number % _METERED == 0:
                fen = Random(f"{self._seed}/meter/{household.number}/{slot.month}").randrange(4_000, 25_000)
                head = household.members[0].identity
                yield records.power(head, f"D{household.number:07d}", slot.month, fen, fen, due)

    def _tickets(self, slot: Slot) -> Iterator[Row]:
        """A call now and then, each household at most once."""
        week = (slot.covers_from - self._first).days // 7
        for household in self._quiet:
            if household.number % _CALLERS == 0 and household.number // _CALLERS % 52 == week:
                head = household.members[0].identity
                number = f"RX{household.number:07d}"
                yield records.ticket(head, number, slot.covers_from, household.town, "LIVING")


def school_entry(person: Person) -> date:
    """The first 1 September on which somebody has reached school age."""
    day = years_after(person.born, _SCHOOL_FROM)
    return date(day.year if (day.month, day.day) <= (9, 1) else day.year + 1, 9, 1)


def _stage(person: Person, day: date) -> str:
    return "PRIMARY" if person.age_on(day) < _JUNIOR_FROM else "JUNIOR"
