"""A batch that waits: whatever order parts, counts and decisions come in, every partition comes to the same answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.coverage import Coverage
from households.holding import Batch
from schemas.records import BatchBegunBody, BatchCountBody, BatchPartBody, BatchVerdictBody
from tests.households.making import CITY

FEED = "disability.certificate"
MAY = 2026 * 12 + 4


def part(q: int, *, begun: int = 1_000, mode: str = "full_snapshot", limit: int | None = 200, batch: str = "b"
         ) -> BatchPartBody:  # fmt: skip
    return BatchPartBody(FEED, batch, q, 3, "2026-05", (CITY,), mode, 10, begun, limit)


def count(partition: int, before: int, gone: int | None = None, batch: str = "b") -> BatchCountBody:
    return BatchCountBody(FEED, batch, 3, partition, before, gone)


def held(batch: str = "b", begun: int = 1_000) -> Coverage:
    coverage = Coverage()
    for q in range(3):
        coverage.add_part(part(q, begun=begun, batch=batch))
        coverage.count(count(q, 10, batch=batch))
    for q in range(3):
        coverage.count(count(q, 12, 3, batch=batch))
    return coverage


def test_the_first_word_of_a_partition_counts() -> None:
    batch = Batch(FEED, "b", 1)
    for body in (count(0, 10), count(0, 4), count(0, 12, 2), count(0, 3, 3)):
        batch.count(body)
    assert batch.sums == (10, 2)


def test_without_a_word_at_the_beginning_what_was_there_or_came_is_what_was_there() -> None:
    batch = Batch(FEED, "b", 1)
    batch.count(count(0, 12, 2))
    assert batch.sums == (12, 2)


def test_a_batch_began_when_its_first_partition_did() -> None:
    coverage = Coverage()
    closed = [coverage.add_part(part(q, begun=900 + 50 * q, limit=None)) for q in (2, 0, 1)]
    assert [each.begun_ms for each in closed if each] == [900]


@pytest.mark.parametrize("odd", [part(1, mode="replace_period"), part(1, limit=None, mode="delta")])
def test_parts_that_contradict_each_other_close_nothing(odd: BatchPartBody) -> None:
    coverage = Coverage()
    for body in (part(0), odd, part(2)):
        assert coverage.add_part(body) is None
        assert coverage.to_count(part(0)) is None


def test_the_strictest_limit_holds() -> None:
    batch = Batch(FEED, "b", 3)
    for q, limit in enumerate((200, 50, None)):
        batch.add(part(q, limit=limit))
    assert batch.hold_above == 50


def test_it_is_counted_once_here_when_it_begins_and_once_when_it_is_here() -> None:
    coverage = Coverage()
    begun = BatchBegunBody(FEED, "b", 3, "2026-05", (CITY,), "full_snapshot", 1_000)
    assert coverage.begin(begun) is not None
    assert coverage.begin(begun) is None
    assert [coverage.add_part(part(q)) for q in range(3)] == [None] * 3
    assert coverage.to_count(part(0)) is not None
    assert coverage.to_count(part(0)) is None
    assert coverage.begin(begun) is None


@given(order=st.permutations([*map(part, range(3)), *(count(q, 10) for q in range(3))]), cut=st.integers(0, 6))
def test_a_held_batch_is_the_same_in_any_order_and_from_its_bytes(
    order: list[BatchPartBody | BatchCountBody], cut: int
) -> None:
    coverage = Coverage()
    for at, body in enumerate([*order, *(count(q, 12, 3) for q in range(3))]):
        if at == cut:
            coverage = Coverage.decode(coverage.encode())
        done = coverage.add_part(body) if isinstance(body, BatchPartBody) else coverage.count(body)
        assert done is None
    assert coverage.canonical()["held"] == [f"{FEED}|b"]
    assert [each.sums for each in coverage.held()] == [(30, 9)]
    assert not coverage.closed(FEED, MAY, (CITY,))


def test_a_decision_is_final() -> None:
    coverage = held()
    assert coverage.decide(BatchVerdictBody(FEED, "b", "refuse", "王某", "错月")) is None
    assert coverage.decide(BatchVerdictBody(FEED, "b", "release", "李某", "")) is None
    assert [coverage.add_part(part(q)) for q in range(3)] == [None] * 3
    assert [(each.state, each.actor) for each in coverage.told] == [("held", ""), ("refused", "王某")]
    assert not coverage.closed(FEED, MAY, (CITY,))


@pytest.mark.parametrize(("verdict", "state"), [("release", "released"), ("refuse", "refused")])
def test_a_decision_that_is_here_before_the_last_count_stands(verdict: str, state: str) -> None:
    """Another partition may know all counts, and somebody may have seen so, before this one does."""
    coverage = Coverage()
    for q in range(3):
        coverage.add_part(part(q))
        coverage.count(count(q, 12, 3)) if q else None
    assert coverage.decide(BatchVerdictBody(FEED, "b", verdict, "王某", "已核实")) is None
    closed = coverage.count(count(0, 12, 3))
    assert (closed is not None) == (verdict == "release")
    assert [each.state for each in coverage.told] == ["held", state]


@pytest.mark.parametrize("later_first", [True, False])
def test_a_later_batch_of_the_same_month_and_area_leaves_nothing_to_decide(later_first: bool) -> None:
    later = [part(q, begun=2_000, limit=None, batch="c") for q in range(3)]
    coverage = Coverage() if later_first else held()
    for body in later:
        coverage.add_part(body)
    if later_first:
        for q in range(3):
            coverage.add_part(part(q))
            coverage.count(count(q, 10))
        for q in range(3):
            coverage.count(count(q, 12, 3))
    assert coverage.told[-1].state == "superseded"
    assert coverage.held() == []
    assert coverage.spoken(FEED, CITY)[""].snapshots == ((MAY, 2_000),)


def test_an_earlier_batch_takes_no_decision_away() -> None:
    coverage = held(begun=3_000)
    for q in range(3):
        coverage.add_part(part(q, begun=2_000, limit=None, batch="c"))
    assert [each.batchid for each in coverage.held()] == ["b"]


def test_what_begins_and_never_ends_is_forgotten_one_day() -> None:
    coverage = Coverage()
    for number in range(1_030):
        coverage.begin(BatchBegunBody(FEED, f"b{number}", 3, "2026-05", (CITY,), "full_snapshot", 1_000))
    assert len(coverage.canonical()["open"]) == 1_024
