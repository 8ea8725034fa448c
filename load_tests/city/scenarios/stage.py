"""The stage a scenario is scripted on: households of its own, rows with the day they arrive, expected episodes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from load_tests.city import rows
from load_tests.city.calendar import Span, at, month_start, years_before
from load_tests.city.households import Household, Population
from load_tests.city.lines import Lines
from load_tests.city.people import Person
from load_tests.city.roster import Held, RosterLine
from load_tests.city.rows import Row
from load_tests.city.schedule import arrival
from load_tests.city.truth import End, Expected


@dataclass(frozen=True, slots=True)
class Sending:
    """A row and the day from which its department's next delivery holds it; `system`: who else but the department."""

    arrives: date
    row: Row
    system: str | None = None


@dataclass(frozen=True, slots=True)
class RosterChange:
    """A household as exported again because of something that happened on `day`."""

    day: date
    household: int
    lines: tuple[RosterLine, ...]


@dataclass(slots=True)
class Script:
    """Everything one planted scenario sends and what must come of it.

    `first`: households that stand otherwise in the first roster, by number. `apart`: (feed, identity) of whom the
    scenario itself tells what the registers of the whole city would tell.
    """

    scenario: str
    look_alike: bool
    households: list[Household] = field(default_factory=list)
    sendings: list[Sending] = field(default_factory=list)
    changes: list[RosterChange] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)
    first: dict[int, list[RosterLine]] = field(default_factory=dict)
    apart: set[tuple[str, str]] = field(default_factory=set)


class Stage:
    """Builds one Script. `variant` counts the repetitions of a scenario and spreads them over the months."""

    def __init__(
        self, script: Script, population: Population, span: Span, golive: date, variant: int, number: Callable[[], int]
    ) -> None:
        self.script = script
        self.span = span
        self.golive = golive
        self.variant = variant
        self._population = population
        self._number = number
        self._serial = 0
        self._roster: dict[int, list[RosterLine]] = {}
        self.rng = Random(f"{population.seed}/{script.scenario}/{variant}")

    @property
    def lines(self) -> Lines:
        """The lines of the city."""
        return self._population.lines

    def family(
        self,
        *people: tuple[str, int, bool],
        scheme: str | None = None,
        tenant: bool = False,
        income_fen: int | None = None,
    ) -> Household:
        """A household of (relation, age, works); its income is quiet unless given."""
        number = self._number()
        held = None if scheme == "OTHER" else scheme
        members = [
            self._population.person(number, place, relation, age, self.rng, held, works)
            for place, (relation, age, works) in enumerate(people, 1)
        ]
        income = income_fen or self.lines.quiet_income_fen(len(members), held) * 13 // 10
        household = self._population.household(number, members, held, income, tenant)
        self.script.households.append(household)
        return household

    def month(self, offset: int, day: int = 1) -> date:
        """A day of a simulated month; negative offsets count from the end (-1 is the last month)."""
        wanted = offset if offset >= 0 else self.span.months + offset
        return self.span.month(wanted) + timedelta(days=day - 1)

    def spread(self, first: int, last: int) -> int:
        """A month offset in [first, last] (negative: from the end), another one for every variant."""
        top = last if last >= 0 else self.span.months + last
        return first + self.variant % (top - first + 1)

    def spread_in_year(self, first: int, last: int, length: int) -> int:
        """As `spread`, where the whole stretch of `length` months after the offset lies in one calendar year."""
        top = last if last >= 0 else self.span.months + last
        fitting = [
            offset
            for offset in range(first, top + 1)
            if self.span.month(offset).year == self.span.month(offset + length).year
        ]
        return fitting[self.variant % len(fitting)]

    def midweek(self, offset: int) -> date:
        """A day of a month in the middle of a simulated week: what happens then is known some days later."""
        day = self.month(offset, 8)
        return day + timedelta(days=(3 - (day - self.span.first).days) % 7)

    def school_year(self, months_inside: int) -> date:
        """A 1 September after the first quarter that lies at least so many months before the end."""
        fitting = [
            self.span.month(offset)
            for offset in range(3, self.span.months - months_inside + 1)
            if self.span.month(offset).month == 9
        ]
        return fitting[self.variant % len(fitting)]

    def serial(self) -> str:
        """A number for a bill or a payment, unique in the city."""
        self._serial += 1
        return f"{self.script.households[0].number:07d}{self._serial:04d}"

    def send(self, row: Row, day: date, arrives: date | None = None, system: str | None = None) -> Row:
        """Sends a fact of `day`; it arrives when its department is punctual, or on the day given."""
        self.script.sendings.append(Sending(arrives or arrival(row.feed, day), row, system))
        return row

    def known(self, row: Row) -> Row:
        """Sends a fact of long ago with the first files."""
        return self.send(row, self.span.first, arrives=self.span.first)

    def bill(self, person: Person, day: date, fen: int, visit: str = "INPATIENT") -> Row:
        """A bill, sent punctually."""
        return self.send(rows.bill(person.identity, f"P{self.serial()}", day, fen, visit), day)

    def months(self, first: int, after: int) -> Iterable[date]:
        """First days of simulated months in [first, after)."""
        return [self.span.month(offset) for offset in range(first, after)]

    def works(
        self, person: Person, first: int, after: int, employer: str | None = None, base_fen: int | None = None
    ) -> None:
        """Contributions for months [first, after), sent punctually."""
        for month in self.months(first, after):
            row = rows.contribution(
                person.identity, month, employer or person.employer or "E33990100000", base_fen or person.base_fen
            )
            self.send(row, month)

    def stays_employed(self, household: Household, but: Person | None = None) -> None:
        """Every employed member but one is insured in every month."""
        for person in household.members:
            if person.employer is not None and person is not but:
                self.works(person, 0, self.span.months)

    def moves(self, person: Person, old: Household, new: Household, day: date, relation: str = "OTHER") -> None:
        """A person leaves one household and belongs to another from `day` on; both are exported again."""
        lines = self._lines(old)
        place = max(n for n, line in enumerate(lines) if line.person is person)
        lines[place] = replace(lines[place], until=day)
        held_since = month_start(self.span.first, -24)
        self._lines(new).append(RosterLine(new, person, relation, day, scheme_since=held_since))
        for household in (old, new):
            self.script.changes.append(RosterChange(day, household.number, tuple(self._lines(household))))

    def apart(self, feed: str, *people: Person) -> None:
        """The scenario tells of these people itself what a register of the whole city would tell."""
        self.script.apart |= {(feed, person.identity) for person in people}

    def holds(self, household: Household, person: Person, *held: Held) -> None:
        """What somebody holds in the first roster, in place of the household's scheme."""
        self._lines(household)
        self._put(household, person, held)
        self.script.first[household.number] = list(self._lines(household))

    def decided(self, household: Household, person: Person, day: date, *held: Held) -> None:
        """The household is exported again in the week of `day`: all that somebody held and holds from then on."""
        self._put(household, person, held)
        self.script.changes.append(RosterChange(day, household.number, tuple(self._lines(household))))

    def _put(self, household: Household, person: Person, held: tuple[Held, ...]) -> None:
        lines = self._lines(household)
        place = max(n for n, line in enumerate(lines) if line.person is person)
        lines[place] = replace(lines[place], held=held)

    def _lines(self, household: Household) -> list[RosterLine]:
        return self._roster.setdefault(household.number, first_lines(household, self.span))

    def expect(
        self,
        household: Household,
        person: Person,
        detector: str,
        cause: str,
        since: date,
        ends: End = "in_force",
    ) -> None:
        """An episode that must be there at the last tick."""
        self.script.expected.append(
            Expected(household.official, person.identity, detector, cause, since, ends, self.script.scenario)
        )

    def another_number(self, person: Person) -> str:
        """A second identity number of a person, made known to the service as an alias of the first."""
        later = self._population.numbers.next(person.born)
        self.script.aliases.append((later, person.identity))
        return later

    def relative(self, person: Person, years_older: int) -> str:
        """The identity number of a relative who belongs to no household."""
        return self._population.numbers.next(years_before(person.born, years_older))

    def expect_stretch(
        self, household: Household, person: Person, detector: str, cause: str, since: date, after: date | None
    ) -> None:
        """An episode that holds from `since` and passes by itself on `after`; nobody hears of it before golive."""
        if after is None or after > self.span.last_tick:
            self.expect(household, person, detector, cause, since)
        elif after > self.golive:
            self.expect(household, person, detector, cause, since, "lapsed")

    def end_all(self, first: int, ends: End) -> None:
        """The episodes expected from number `first` on end like this."""
        expected = self.script.expected
        expected[first:] = [replace(each, ends=ends) for each in expected[first:]]

    def moment(self, day: date) -> datetime:
        """Morning of a day, for facts recorded long before they were sent."""
        return at(day, 8)

    def calm_income_fen(self, members: int, self_paid_fen: int) -> int:
        """A monthly income at which rigid spending stays quiet although this much is paid for treatment in a year."""
        return self.lines.calm_income_fen(members, self_paid_fen)


def first_lines(household: Household, span: Span) -> list[RosterLine]:
    """The household in the first export: everybody has belonged to it for two years."""
    since = month_start(span.first, -24)
    return [RosterLine(household, person, person.relation, since) for person in household.members]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named way to write a script; `months` is the shortest simulation it fits into, `rule` what it is about."""

    name: str
    look_alike: bool
    months: int
    write: Callable[[Stage], None]
    rule: str


Write = Callable[[Stage], None]


def scenario_book(about: str) -> tuple[list[Scenario], Callable[..., Callable[[Write], Write]]]:
    """A list of scenarios and the decorator that adds to it; a scenario is about the rule given, or says which."""
    book: list[Scenario] = []

    def scenario(
        name: str, *, look_alike: bool = False, months: int = 8, rule: str = about
    ) -> Callable[[Write], Write]:
        def add(write: Write) -> Write:
            book.append(Scenario(name, look_alike, months, write, rule))
            return write

        return add

    return book, scenario
