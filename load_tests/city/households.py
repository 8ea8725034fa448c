"""The population of the invented city: households with members, schemes, incomes, contracts, by seed and number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from load_tests.city.calendar import years_before
from load_tests.city.lines import Lines
from load_tests.city.people import Numbers, Person, invented_name, invented_phone

VILLAGES = 8
EMPLOYERS = 400
_SIZES = (1, 2, 3, 4, 5)
_SIZE_WEIGHTS = (32, 32, 22, 10, 4)
_SCHEMES = ("DIBAO", "TEKUN", "DIBIAN", "GANGXING", "FANGPIN", "OTHER")
_SCHEME_WEIGHTS = (40, 6, 26, 5, 3, 20)
_TENANTS = 0.10
_WORKERS = 0.55


@dataclass(frozen=True, slots=True)
class Household:
    """One official household; the first member is its head. `scheme` is held by every member or by nobody."""

    number: int
    town: str
    village: str
    scheme: str | None
    members: tuple[Person, ...]
    income_fen: int | None
    contract: str | None
    rent_fen: int

    @property
    def official(self) -> str:
        """The household number as civil affairs writes it."""
        return official_number(self.number)

    @property
    def tenancy(self) -> str:
        """The contract of a tenant. Raises ValueError for others."""
        if self.contract is None:
            raise ValueError("this household rents nothing")
        return self.contract

    @property
    def address(self) -> str:
        """An invented address."""
        return f"星河市示例{self.town[6:9].lstrip('0')}镇示例{self.village[9:12].lstrip('0')}村{self.number}号"

    def member(self, number: int) -> Person:
        """The member with this number. Raises KeyError."""
        for person in self.members:
            if person.member == number:
                return person
        raise KeyError(number)


def official_number(number: int) -> str:
    """`XH0000123`, the number on the household's file."""
    return f"XH{number:07d}"


@dataclass(slots=True)
class Population:
    """Builds households one after another; the same seed and order give the same people."""

    seed: int
    lines: Lines
    first: date
    numbers: Numbers

    def background(self, number: int) -> Household:
        """An ordinary household, under 60 % of every line by construction (income is the part decided here)."""
        rng = Random(f"{self.seed}/household/{number}")
        scheme = rng.choices(_SCHEMES, _SCHEME_WEIGHTS)[0]
        held = None if scheme == "OTHER" else scheme
        size = 1 if scheme == "TEKUN" else rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
        members = self.family(number, rng, size, held)
        income = self.lines.quiet_income_fen(size, held) * rng.randrange(100, 140) // 100
        return self.household(number, members, held, income, rng.random() < _TENANTS)

    def stranger(self, n: int) -> str:
        """The identity number of somebody no roster names."""
        return self.numbers.next(years_before(self.first, 20 + n % 60, n % 300))

    def household(
        self, number: int, members: Sequence[Person], scheme: str | None, income_fen: int | None, tenant: bool
    ) -> Household:
        """A household with its areas, and a public rental contract when it is a tenant."""
        city, town_count = self.lines.city, self.lines.towns
        town = f"{city[:6]}{number % town_count + 1:03d}000"
        return Household(
            number=number,
            town=town,
            village=f"{town[:9]}{number // town_count % VILLAGES + 1:03d}",
            scheme=scheme,
            members=tuple(self._paid(members, scheme, town)),
            income_fen=income_fen,
            contract=f"GZ{number:07d}" if tenant else None,
            rent_fen=(200 + number % 40 * 10) * 100,
        )

    def _paid(self, members: Sequence[Person], scheme: str | None, town: str) -> Sequence[Person]:
        """The members with wages nobody asks about."""
        workers = sum(person.employer is not None for person in members)
        if not workers:
            return members
        base = self.lines.quiet_wages_fen(len(members), workers, scheme) + int(self.lines.income(town)["job_cost"])
        return [person if person.employer is None else replace(person, base_fen=base) for person in members]

    def family(self, number: int, rng: Random, size: int, scheme: str | None) -> list[Person]:
        """A plausible family: head, then spouse, children, a parent. Workers are 20 to 55 years old."""
        head_age = rng.randrange(62, 85) if scheme == "TEKUN" else rng.randrange(26, 78)
        ages = [("HEAD", head_age)]
        if size >= 2 and rng.random() < 0.7:
            ages.append(("SPOUSE", max(22, head_age + rng.randrange(-5, 4))))
        while len(ages) < size:
            if head_age < 60 and ages[-1][0] != "PARENT" and len(ages) == size - 1 and rng.random() < 0.2:
                ages.append(("PARENT", min(96, head_age + rng.randrange(22, 32))))
            else:
                ages.append(("CHILD", max(1, head_age - rng.randrange(24, 34))))
        return [
            self.person(number, place, relation, age, rng, scheme) for place, (relation, age) in enumerate(ages, 1)
        ]

    def person(
        self,
        number: int,
        member: int,
        relation: str,
        age: int,
        rng: Random,
        scheme: str | None,
        works: bool | None = None,
    ) -> Person:
        """One member, `age` completed years old when the simulation begins."""
        born = years_before(self.first, age) - timedelta(days=rng.randrange(1, 330))
        employed = 20 <= age <= 55 and rng.random() < _WORKERS if works is None else works
        return Person(
            member=member,
            identity=self.numbers.next(born),
            name=invented_name(number, member),
            phone=invented_phone(number, member),
            born=born,
            relation=relation,
            scheme=scheme,
            employer=f"E339901{rng.randrange(EMPLOYERS):05d}" if employed else None,
        )
