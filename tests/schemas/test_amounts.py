"""Orders of magnitude: what a unit changed by ten thousand looks like, and what says nothing."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.amounts import Amounts, Terms, judge, limits, merged, middle, note, steps_of, typical_fen

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


TERMS = Terms(steps=13, percent=10, least=20, least_before=60, window=120)


def test_limits_lie_thirteen_magnitudes_from_the_median() -> None:
    days = [(n, {16: 40}) for n in range(3)]
    _, usual = judge(days, TERMS)
    assert limits(usual, TERMS) == (1 << 3, 1 << 28)
    assert limits(usual[:1], TERMS) is None


def test_a_day_in_another_unit_does_not_move_the_limits() -> None:
    days = [(n, {16: 40}) for n in range(3)]
    judged, usual = judge([*days, (3, {30: 35, 16: 5})], TERMS)
    assert [each.way for each in judged] == ["", "high"]  # the first two days are still too little to judge by
    assert limits(usual, TERMS) == (1 << 3, 1 << 28)


def test_what_half_of_the_days_hold_is_in_line_and_one_odd_day_is_not() -> None:
    often = [(n, {16: 39, 2: 1}) for n in range(2)] + [(n, {16: 40}) for n in range(2, 4)]
    once = [(0, {16: 39, 2: 1, 30: 1})] + [(n, {16: 40}) for n in range(1, 4)]
    assert limits(judge(often, TERMS)[1], TERMS) == (1 << 1, 1 << 28)
    assert limits(judge(once, TERMS)[1], TERMS) == (1 << 3, 1 << 28)
