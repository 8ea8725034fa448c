"""Invented people with plain identity numbers that can belong to nobody: region 999999, valid check digit."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

REGION = "999999"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_STEMS = "甲乙丙丁戊己庚辛壬癸"


def check_digit(first17: str) -> str:
    """The eighteenth character of an identity number."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True)) % 11]


@dataclass(frozen=True, slots=True)
class Person:
    """One invented resident; `member` is the number inside the official household file and never changes.

    `base_fen` is the base of the insurance of somebody who works, a month.
    """

    member: int
    identity: str
    name: str
    phone: str
    born: date
    relation: str
    scheme: str | None
    employer: str | None = None
    base_fen: int = 450_000

    @property
    def workplace(self) -> str:
        """The employer of somebody who works. Raises ValueError for others."""
        if self.employer is None:
            raise ValueError("this person does not work")
        return self.employer

    def age_on(self, day: date) -> int:
        """Completed years on `day`."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


class Numbers:
    """Hands out identity numbers, each once: 999 a birthday, in the order asked for."""

    def __init__(self) -> None:
        self._taken: dict[date, int] = defaultdict(int)

    def next(self, born: date) -> str:
        """An unused identity number for somebody born on `born`. Raises ValueError when a birthday is used up."""
        self._taken[born] += 1
        serial = self._taken[born]
        if serial > 999:
            raise ValueError(f"no identity number left for {born}")
        first17 = f"{REGION}{born:%Y%m%d}{serial:03d}"
        return first17 + check_digit(first17)


def invented_name(household: int, member: int) -> str:
    """`示例甲0001`: visibly nobody."""
    return f"示例{_STEMS[(member - 1) % len(_STEMS)]}{household:04d}"


def invented_phone(household: int, member: int) -> str:
    """A number no operator has issued (prefix 100)."""
    return f"100{household % 10_000_000:07d}{member % 10}"
