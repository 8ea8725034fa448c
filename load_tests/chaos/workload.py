"""Simulated weeks of feed traffic, the same for the same seed: what a run under faults is compared by.

In one week a household gets either small bills that decide nothing or one thing that does. So no order of arrival
within a week decides which alert comes first, and two runs must agree down to alert ids and cases.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from load_tests.chaos.events import Json, Message, Operation, Pen, bill, membership, refund, rent
from schemas.calendar import SHANGHAI
from schemas.partition import partition_of

FIRST_DAY = date(2025, 5, 12)
"""A Monday, so that the weeks pass from one half-year, and page, to the next."""
SINCE = date(2024, 1, 1)
RELATIONS = ("HEAD", "SPOUSE", "CHILD")
BORN = {"HEAD": date(1975, 6, 1), "SPOUSE": date(1978, 3, 1), "CHILD": date(2001, 9, 1)}
SMALL_FEN = (500, 2_000)
LARGE_FEN = (600_000, 2_400_000)


@dataclass(frozen=True, slots=True)
class Week:
    """One week: its messages in steps (each read to the end before the next), and the moment it is over."""

    number: int
    steps: tuple[tuple[Message, ...], ...]
    tick_ms: int

    @property
    def events(self) -> int:
        """Messages of the week."""
        return sum(len(step) for step in self.steps)


@dataclass
class _Person:
    name: str
    relation: str
    home: int
    household: int
    since: date = SINCE
    large: list[str] = field(default_factory=list)
    alive: bool = True


class Workload:
    """`households` families over `weeks` weeks; `small` bills per household and week, `repeats` sent twice.

    `large`: share of household weeks with a bill that leads over a line.
    """

    def __init__(
        self,
        households: int,
        weeks: int,
        *,
        seed: int = 7,
        small: float = 2.0,
        repeats: float = 0.02,
        large: float = 0.10,
        partitions: int = 4,
    ) -> None:
        self.households = [f"h_{number:032x}" for number in range(households)]
        self.partitions = partitions
        self._count = weeks
        self._small = small
        self._repeats = repeats
        self._large_share = large
        self._random = random.Random(seed)
        self._persons = [
            _Person(f"p_{number * 4 + at:032x}", relation, number, number)
            for number in range(households)
            for at, relation in enumerate(RELATIONS[: 1 + number % 3])
        ]
        self._number = 0

    def roster(self) -> tuple[Message, ...]:
        """Every membership, as known when the first week begins."""
        pen = Pen(_noon(FIRST_DAY), self.partitions)
        return tuple(self._membership(pen, each, each.relation) for each in self._persons)

    @property
    def begin_ms(self) -> int:
        """When the first week begins."""
        return Pen(_noon(FIRST_DAY), self.partitions).ms

    def weeks(self) -> Iterator[Week]:
        """All weeks in order; only once."""
        for number in range(self._count):
            first = FIRST_DAY + timedelta(7 * number)
            over = _noon(first + timedelta(7))
            pen = Pen(over - timedelta(hours=2), self.partitions)
            steps = [tuple(self._week(pen, first))]
            if (over.month, over.year) != (first.month, first.year) or number == 0:
                steps.append(tuple(self._contributions(pen, first)))
            yield Week(number, tuple(steps), int(over.timestamp() * 1000))

    # ---- one week ---------------------------------------------------------------------------------------------------

    def _week(self, pen: Pen, first: date) -> Iterator[Message]:
        messages: list[Message] = []
        busy: set[int] = set()
        people: dict[int, list[_Person]] = {}
        for person in self._persons:
            if person.alive:
                people.setdefault(person.household, []).append(person)
        for number in range(len(self.households)):
            here = people.get(number, [])
            if number in busy or not here:
                continue
            busy.add(number)
            messages += self._household(pen, first, number, here, busy)
        for message in messages:
            yield message
            if self._random.random() < self._repeats:
                yield message

    def _household(self, pen: Pen, first: date, number: int, here: list[_Person], busy: set[int]) -> list[Message]:
        rand = self._random
        person, day = rand.choice(here), first + timedelta(rand.randrange(6))
        roll = rand.random()
        if roll < self._large_share:
            return [self._large(pen, person, day)]
        if roll < 0.18 and person.large:
            return [self._undo(pen, person, day)]
        if roll < 0.25:
            return [self._rent(pen, number, day, paid=0 if number % 5 == 0 else 42_000)]
        if roll < 0.31 and person.relation == "CHILD":
            return self._move(pen, person, first, busy)
        if roll < 0.32 and person.relation == "SPOUSE":
            person.alive = False
            return [pen.event("vital.death", self._name("d"), person.name,
                              {"reported_by": "cremation", "died_on": day.isoformat()}, day)]  # fmt: skip
        count = int(self._small) + (rand.random() < self._small % 1)
        return [self._bill(pen, rand.choice(here), first, rand.randint(*SMALL_FEN)) for _ in range(count)]

    def _bill(self, pen: Pen, person: _Person, first: date, fen: int) -> Message:
        day, number = first + timedelta(self._random.randrange(6)), self._name("S")
        return pen.event("medical.settlement", number, person.name, bill(number, day, fen), day)

    def _large(self, pen: Pen, person: _Person, day: date) -> Message:
        number = self._name("L")
        person.large.append(number)
        fen = self._random.randint(*LARGE_FEN)
        return pen.event("medical.settlement", number, person.name, bill(number, day, fen), day)

    def _undo(self, pen: Pen, person: _Person, day: date) -> Message:
        """An earlier large bill is reversed, corrected or paid by somebody else."""
        number = person.large.pop()
        what = self._random.randrange(3)
        if what == 0:
            return pen.event("medical.settlement", self._name("x"), person.name, {"settle_no": number}, day,
                             operation="reverse")  # fmt: skip
        if what == 1:
            data = bill(number, day, self._random.randint(*LARGE_FEN))
            operation: Operation = "correct"
            return pen.event("medical.settlement", self._name("c"), person.name, data, day, operation=operation)
        name = self._name("R")
        return pen.event("medical.reimbursement", name, person.name, refund(number, name, day, 500_000), day)

    def _rent(self, pen: Pen, number: int, day: date, paid: int) -> Message:
        tenant = self._persons_at(number)
        data = rent(f"G339901-{number}", f"{day:%Y-%m}", day, paid)
        return pen.event("housing.security", self._name("g"), tenant, data, day)

    def _persons_at(self, number: int) -> str:
        return f"p_{number * 4:032x}"

    def _move(self, pen: Pen, person: _Person, first: date, busy: set[int]) -> list[Message]:
        """To another household, or back home."""
        target = person.home if person.household != person.home else (person.home + 7) % len(self.households)
        if target == person.household or target in busy:
            return []
        busy.add(target)
        left = self._membership(pen, person, self._role(person), until=first)
        person.household, person.since = target, first
        return [left, self._membership(pen, person, self._role(person))]

    @staticmethod
    def _role(person: _Person) -> str:
        return person.relation if person.household == person.home else "OTHER"

    def _membership(self, pen: Pen, person: _Person, relation: str, until: date | None = None) -> Message:
        data: Json = membership(
            self.households[person.household], person.since, relation, BORN[person.relation], until=until,
            dibao=person.home % 2 == 0,
        )  # fmt: skip
        return pen.event("civil.household", self._name("m"), person.name, data, person.since)

    def _contributions(self, pen: Pen, first: date) -> list[Message]:
        """A month of insurance in a closed batch; some stop being paid as the months go by."""
        month = first.replace(day=1)
        name = f"{month:%Y-%m}"
        months = (month.year - FIRST_DAY.year) * 12 + month.month - FIRST_DAY.month
        paid = [
            pen.event("employment.contribution", self._name("k"), each.name,
                      {"month": name, "employer": f"E{each.home % 9}", "base": 480_000}, month, batch=f"k-{name}")
            for each in self._persons
            if each.relation == "HEAD" and each.home % 4 and each.home % 7 >= months
        ]  # fmt: skip
        rows = [0] * self.partitions
        for message in paid:
            rows[partition_of(message.key, self.partitions)] += 1
        kind = "employment.contribution"
        return [*pen.manifests("begin", kind, f"k-{name}", name, [0] * self.partitions), *paid,
                *pen.manifests("end", kind, f"k-{name}", name, rows)]  # fmt: skip

    def _name(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}{self._number}"


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
