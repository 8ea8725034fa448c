"""No small cell is told, nor follows from the sums that are."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from lidm.backtest.small_cells import LEAST, column, grid

TABLES = st.integers(1, 5).flatmap(
    lambda rows: st.integers(1, 6).flatmap(
        lambda columns: st.lists(st.integers(0, 12), min_size=rows * columns, max_size=rows * columns).map(
            lambda values: {(at // columns, at % columns): value for at, value in enumerate(values)}
        )
    )
)


def test_a_column_by_place() -> None:
    assert column({"a": 12, "b": 3, "c": 9, "d": 0}) == {"a": 12, "b": None, "c": None, "d": 0}
    assert column({"a": 12, "b": 3, "c": 4, "d": 0}) == {"a": 12, "b": None, "c": None, "d": 0}
    assert column({"a": 0, "b": 3}) == {"a": None, "b": None}
    assert column({"a": 3}) == {"a": None}
    assert column({"a": 0, "b": 5}) == {"a": 0, "b": 5}


@given(TABLES)
def test_nothing_small_is_told_or_follows(cells: Mapping[tuple[int, int], int]) -> None:
    shown = grid(cells)
    assert shown.keys() == cells.keys()
    for at, count in cells.items():
        assert shown[at] in (None, count)
        assert shown[at] is None or not 0 < count < LEAST
    for axis in (0, 1):
        for name in {at[axis] for at in cells}:
            line = [at for at in cells if at[axis] == name]
            assert len(line) == 1 or sum(shown[at] is None for at in line) != 1


@given(TABLES)
def test_where_nothing_is_small_everything_is_told(cells: Mapping[tuple[int, int], int]) -> None:
    large = {at: count * LEAST for at, count in cells.items()}
    assert grid(large) == large
