"""Small cells of a table that is broken down by place: fewer than five households could be recognised. Pure.

What is withheld must not follow from the sum of its line either, so where only one cell of a line would be missing a
second one goes along.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
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


def _shown(cells: Mapping[K, int], lines: Iterable[Sequence[K]]) -> dict[K, int | None]:
    several = [line for line in lines if len(line) > 1]  # a cell by itself is its own sum
    hidden = {at for at, count in cells.items() if 0 < count < LEAST}
    while fresh := [at for line in several for at in _second(line, cells, hidden)]:
        hidden.update(fresh)
    return {at: None if at in hidden else count for at, count in cells.items()}


def _second(line: Sequence[K], cells: Mapping[K, int], hidden: set[K]) -> list[K]:
    """The smallest cell to withhold along with the only one withheld; one with households before one without."""
    told = [at for at in line if at not in hidden]
    if len(told) != len(line) - 1:
        return []
    return [min(told, key=lambda at: (cells[at] == 0, cells[at]))]
