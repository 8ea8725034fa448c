"""The tree of administrative areas: who inherits from whom, on which day. Follows `areas.yaml`, never the digits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

NATIONAL = "000000000000"
_KEPT_CHAINS = 10_000


class AreaUnknown(LookupError):
    """A code that stands nowhere in `areas.yaml`."""

    def __init__(self, area: str) -> None:
        super().__init__(f"区划代码{area}不在policy/areas.yaml里")
        self.area = area


class Trust(NamedTuple):
    """托管: from `since` until before `until` another area answers, as if it were the parent."""

    to: str
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Area:
    """One area. Valid on half-open [valid_from, valid_to); afterwards its single successor answers for it.

    `entrusted`: whom it was in the hands of and when, in order; its parent meanwhile answers for nothing of it.
    `setting`: `urban` or `rural` by the statistical classification, None where nobody said so; reports only.
    """

    code: str
    name: str
    parent: str | None
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    setting: str | None = None
    entrusted: tuple[Trust, ...] = ()

    def above(self, on: date) -> str | None:
        """Whom it inherits from on a day."""
        if self.valid_to is not None and self.valid_to <= on and len(self.successors) == 1:
            return self.successors[0]
        held = (each.to for each in self.entrusted if each.since <= on and (each.until is None or on < each.until))
        return next(held, self.parent)

    def turns(self) -> tuple[date, ...]:
        """Days on which it begins, ends or changes hands."""
        hands = (day for each in self.entrusted for day in (each.since, each.until))
        days = (self.valid_from, self.valid_to, *hands)
        return tuple(day for day in days if day is not None)


class AreaTree:
    """Areas by code with their chains. Chains are cached: asking is a dictionary lookup."""

    def __init__(self, areas: Mapping[str, Area]) -> None:
        self._areas = dict(areas)
        self._changes = sorted({day for area in areas.values() for day in area.turns()})
        self._chains: dict[tuple[str, date], tuple[str, ...]] = {}

    def __contains__(self, code: str) -> bool:
        return code in self._areas

    def codes(self) -> tuple[str, ...]:
        """Every code, sorted."""
        return tuple(sorted(self._areas))

    def areas(self) -> dict[str, Area]:
        """Every area by code."""
        return dict(self._areas)

    def changes(self) -> tuple[date, ...]:
        """Days on which any area begins, ends or changes hands, in order."""
        return tuple(self._changes)

    def area(self, code: str) -> Area:
        """The area of a code. Raises `AreaUnknown`."""
        try:
            return self._areas[code]
        except KeyError:
            raise AreaUnknown(code) from None

    def name(self, code: str) -> str:
        """The Chinese name of a code."""
        return self.area(code).name

    def chain(self, area: str, on: date) -> tuple[str, ...]:
        """The area itself, then what it inherits from, up to the root. Raises `AreaUnknown`."""
        chain = self._chains.get((area, on))
        if chain is None:
            if len(self._chains) >= _KEPT_CHAINS:
                self._chains.clear()
            chain = self._chains[area, on] = tuple(self._walk(area, on))
        return chain

    def within(self, area: str, ancestor: str, on: date) -> bool:
        """Whether `ancestor` is the area itself or above it on that day."""
        return ancestor in self.chain(area, on)

    def next_change(self, on: date) -> date | None:
        """The first day after `on` on which any area begins, ends or changes hands."""
        return next((day for day in self._changes if day > on), None)

    def _walk(self, code: str, on: date) -> list[str]:
        chain: list[str] = []
        current: str | None = code
        while current is not None and current not in chain:
            chain.append(current)
            current = self.area(current).above(on)
        return chain
