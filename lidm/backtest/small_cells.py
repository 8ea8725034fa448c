"""Small cells of a table that is broken down by place: fewer than five households could be recognised. Pure.

What is withheld must not follow from the sum of its line either, so where only one cell of a line would be missing a
second one goes along.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

LEAST = 5
K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound=Hashable)
C = TypeVar("C", bound=Hashable)


def column(cells: Mapping[K, int]) -> dict[K, int | None]:
    """One figure by place, whose sum is told; None where it is withheld. Nought is no household and is told."""
    return _shown(cells, [list(cells)])


def grid(cells: Mapping[tuple[R, C], int]) -> dict[tuple[R, C], int | None]:
    """A table whose rows and columns are both summed."""
    rows: dict[R, list[tuple[R, C]]] = {}
    columns: dict[C, list[tuple[R, C]]] = {}
    for row, each in cells:
        rows.setdefault(row, []).append((row, each))
        columns.setdefault(each, []).append((row, each))
    return _shown(cells, [*rows.values(), *columns.values()])


def _shown(cells: Mapping[K, int], lines: Sequence[Sequence[K]]) -> dict[K, int | None]:
    hidden = {at for at, count in cells.items() if 0 < count < LEAST}
    lying: dict[K, list[int]] = {at: [] for at in cells}
    for number, line in enumerate(lines):
        for at in line:
            lying[at].append(number)
    missing = Counter(number for at in cells if at in hidden for number in lying[at])
    alone = [number for number, count in missing.items() if count == 1]
    while alone:
        number = alone.pop()
        told = [at for at in lines[number] if at not in hidden]
        if missing[number] != 1 or not told:  # a cell by itself is its own sum
            continue
        second = min(told, key=_unwelcome(cells, lying, missing, number))
        hidden.add(second)
        missing.update(lying[second])
        alone += [n for n in lying[second] if missing[n] == 1]
    return {at: None if at in hidden else count for at, count in cells.items()}


def _unwelcome(
    cells: Mapping[K, int], lying: Mapping[K, Sequence[int]], missing: Mapping[int, int], line: int
) -> Callable[[K], tuple[bool, bool, int]]:
    """How little a cell lends itself to be withheld too: without households; where it would be the only one of its
    other lines; large."""

    def rank(at: K) -> tuple[bool, bool, int]:
        others = [number for number in lying[at] if number != line]
        return cells[at] == 0, any(not missing[number] for number in others), cells[at]

    return rank
