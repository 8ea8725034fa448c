"""Orders of magnitude: what a unit changed by ten thousand looks like, and what says nothing."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.amounts import Amounts, merged, middle, note, steps_of, typical_fen

fens = st.lists(st.integers(1, 10**12), min_size=1, max_size=60)


def noted(values: list[int]) -> dict[int, int]:
    found: Amounts = {}
    for each in values:
        note(found, "x", each)
    return found["x"]


@given(fens)
def test_another_unit_moves_the_middle_by_its_steps(values: list[int]) -> None:
    before, after = middle(noted(values)), middle(noted([each * 10_000 for each in values]))
    assert before is not None and after is not None
    assert after - before in (steps_of(10_000), steps_of(10_000) + 1)


@given(fens, fens)
def test_histograms_add_up(some: list[int], others: list[int]) -> None:
    assert merged([noted(some), noted(others)]) == noted(some + others)


@given(st.integers(2, 10**15))
def test_what_people_read_is_of_that_magnitude(fen: int) -> None:
    size = abs(fen).bit_length()
    assert typical_fen(size).bit_length() == size


def test_nothing_has_no_magnitude_and_a_credit_has_one() -> None:
    found: Amounts = {}
    for each in (0, -500, 500):
        note(found, "x", each)
    assert found == {"x": {9: 2}}
    assert middle({}) is None
    assert middle({9: 3, 22: 1}) == 9
