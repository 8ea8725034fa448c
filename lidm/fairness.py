"""Fairness and coverage: whom alerts found, of all who are watched, by what the ledger holds of them.

Rates come with Wilson intervals of 95 %. A figure that would point at fewer than five is hidden, and where it could be
worked out from the others, the next smallest is hidden as well. Compared are groups, never people; a difference is a
question to look into, no verdict. What the ledger does not hold is named, not guessed.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from math import sqrt
from typing import Any, NamedTuple, TypeVar

from lidm.population import Home, Person, Population
from schemas.labels import Sex
from sinks.found import Found

LEAST = 5
"""A count below this, other than none, could point at somebody."""
Z = 1.959964
NOT_HELD = ("民族、国籍：不收集",)
HELP = ("risk", "entitlement")
_AGES = ((0, 6), (6, 16), (16, 60), (60, 80), (80, 200))
_NEED, _NO_NEED = "need", "no_need"
_Group = TypeVar("_Group", Home, Person)


class Share(NamedTuple):
    """So many of so many. None: hidden, because it would point at too few."""

    counted: int | None
    of: int | None

    @property
    def rate(self) -> float | None:
        """The share; None where hidden or of nobody."""
        return self.counted / self.of if self.counted is not None and self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The Wilson interval of 95 %."""
        return wilson(self.counted, self.of) if self.counted is not None and self.of else None


@dataclass(frozen=True)
class Row:
    """A group: how many there are, were alerted, were found in need of those visited, were asked about in a review."""

    group: str
    alerted: Share
    confirmed: Share
    reviewed: Share


@dataclass(frozen=True)
class Breakdown:
    """All of one unit (户 or 人) by one property."""

    title: str
    unit: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Report:
    """A period. `visits`: of the `silent` households never alerted, those drawn by `seed` for a visit."""

    first: date
    last: date
    all: Row
    breakdowns: tuple[Breakdown, ...]
    silent: int
    visits: tuple[tuple[str, str], ...]
    seed: str


class _Outcome(NamedTuple):
    """What became of somebody: offered help, visited with an answer, found in need, asked about in a review."""

    alerted: bool
    visited: bool
    need: bool
    reviewed: bool


def few(count: int) -> bool:
    """Whether a count could point at somebody."""
    return 0 < count < LEAST


def wilson(count: int, of: int) -> tuple[float, float]:
    """The interval in which a share lies with 95 % confidence, sound for small numbers and for 0 and 1."""
    share, spread = count / of, Z * Z / of
    middle, half = share + spread / 2, Z * sqrt((share * (1 - share) + spread / 4) / of)
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return 0.0 if count == 0 else max(0.0, low), 1.0 if count == of else min(1.0, high)


def report(
    living: Population,
    found: Sequence[Found],
    ever: Iterable[str],
    *,
    first: date,
    name: Callable[[str], str],
    setting: Callable[[str], str | None],
    seed: str,
    visits: int,
) -> Report:
    """The report of a period that ends on the population's day. `name`, `setting`: of an area."""
    homes = _outcomes(living.homes, found, lambda each: each.household)
    people = _outcomes(living.people, [each for each in found if each.person], lambda each: each.person)
    house: list[tuple[str, Callable[[Home], str]]] = [
        ("镇街", lambda home: name(home.area) if home.area else "没有认定的责任地区"),
        ("城乡", lambda home: _SETTINGS[setting(home.area)]),
        ("户籍与居住", lambda home: _APART[home.apart]),
        ("成员残疾", lambda home: "有持证残疾人" if home.disabled else "没有"),
        ("家庭构成", lambda home: home.makeup),
    ]
    each_one: list[tuple[str, Callable[[Person], str]]] = [
        ("年龄段", _age_band),
        ("性别", lambda person: Sex[person.sex].label if person.sex else "没有登记"),
        ("残疾", lambda person: "持证残疾人" if person.disabled else "其他"),
    ]
    broken = [_breakdown(title, "户", living.homes, homes, of) for title, of in house]
    broken += [_breakdown(title, "人", living.people, people, of) for title, of in each_one]
    silent = sorted(set(living.homes) - set(ever))
    drawn = sorted(silent, key=lambda home: sha256(f"{seed}|{home}".encode()).digest())[:visits]
    return Report(
        first,
        living.on,
        _row("全部", list(homes.values())),
        tuple(broken),
        len(silent),
        tuple((home, name(living.homes[home].area) if living.homes[home].area else "") for home in drawn),
        seed,
    )


def as_json(told: Report) -> dict[str, Any]:
    """Plain values; what is hidden is null here too."""
    return {
        "from": told.first.isoformat(),
        "to": told.last.isoformat(),
        "all": _plain(told.all),
        "breakdowns": [
            {"title": each.title, "unit": each.unit, "rows": [_plain(row) for row in each.rows]}
            for each in told.breakdowns
        ],
        "not_held": list(NOT_HELD),
        "never_alerted": None if few(told.silent) else told.silent,
        "seed": told.seed,
        "visits": [{"household": home, "area": area} for home, area in told.visits],
    }


_SETTINGS: Mapping[str | None, str] = {"urban": "城镇", "rural": "乡村", None: "区划没有写明"}
_APART: Mapping[bool | None, str] = {True: "人户分离", False: "人户一致", None: "没有认定"}


def _age_band(person: Person) -> str:
    if person.age is None:
        return "出生日期没有登记"
    band = next(((low, after) for low, after in _AGES if low <= person.age < after), _AGES[-1])
    return f"{band[0]}岁及以上" if band == _AGES[-1] else f"{band[0]}至{band[1] - 1}岁"


def _outcomes(
    everybody: Iterable[str], found: Iterable[Found], whose: Callable[[Found], Hashable]
) -> dict[str, _Outcome]:
    """What became of each, by alerts about it."""
    about: dict[Hashable, list[Found]] = {}
    for each in found:
        about.setdefault(whose(each), []).append(each)
    return {name: _outcome(about.get(name, [])) for name in everybody}


def _outcome(found: Sequence[Found]) -> _Outcome:
    helping = [each for each in found if each.family in HELP]
    need = any(each.result == _NEED for each in helping)
    visited = need or any(each.result == _NO_NEED for each in helping)
    return _Outcome(bool(helping), visited, need, len(helping) < len(found))


def _breakdown(
    title: str,
    unit: str,
    everybody: Mapping[str, _Group],
    outcomes: Mapping[str, _Outcome],
    group_of: Callable[[_Group], str],
) -> Breakdown:
    groups: dict[str, list[_Outcome]] = {}
    for name, each in everybody.items():
        groups.setdefault(group_of(each), []).append(outcomes[name])
    rows = [_row(group, groups[group]) for group in sorted(groups, key=_by_number)]
    alerted, confirmed, reviewed = (
        _hidden_together([getattr(row, column) for row in rows]) for column in ("alerted", "confirmed", "reviewed")
    )
    columns = zip(rows, alerted, confirmed, reviewed, strict=True)
    return Breakdown(title, unit, tuple(Row(row.group, a, c, r) for row, a, c, r in columns))


def _by_number(group: str) -> tuple[int, str]:
    """Bands by the number they begin with, words after them."""
    digits = group[: len(group) - len(group.lstrip("0123456789"))]
    return (int(digits) if digits else _AGES[-1][1], group)


def _row(group: str, outcomes: Sequence[_Outcome]) -> Row:
    visited = [each for each in outcomes if each.visited]
    return Row(
        group,
        _share(sum(each.alerted for each in outcomes), len(outcomes)),
        _share(sum(each.need for each in visited), len(visited)),
        _share(sum(each.reviewed for each in outcomes), len(outcomes)),
    )


def _share(count: int, of: int) -> Share:
    """Hidden where those counted, those left, or all of them are few but not nobody."""
    if few(of):
        return Share(None, None)
    return Share(None if few(count) or few(of - count) else count, of)


def _hidden_together(shares: Sequence[Share]) -> list[Share]:
    """Where exactly one is hidden, it would follow from the sum: the smallest of the others is hidden too."""
    sizes = [at for at, each in enumerate(shares) if each.of is None]
    if len(sizes) == 1:
        others = [(each.of, at) for at, each in enumerate(shares) if each.of]
        shares = _without(shares, min(others, default=(0, -1))[1], Share(None, None))
    counts = [at for at, each in enumerate(shares) if each.counted is None]
    if len(counts) == 1:
        left = [(each.counted, at) for at, each in enumerate(shares) if each.counted is not None and each.of]
        at = min(left, default=(0, -1))[1]
        shares = _without(shares, at, Share(None, shares[at].of))
    return list(shares)


def _without(shares: Sequence[Share], at: int, hidden: Share) -> list[Share]:
    return [hidden if place == at else each for place, each in enumerate(shares)]


def _plain(row: Row) -> dict[str, Any]:
    return {
        "group": row.group,
        **{
            name: {"count": each.counted, "of": each.of, "rate": each.rate, "interval": each.interval}
            for name, each in (("alerted", row.alerted), ("confirmed", row.confirmed), ("reviewed", row.reviewed))
        },
    }
