"""Households in and out: of two records the one folded further wins, nothing dirty is lost, who is due is known."""

from datetime import date

from households.coverage import Coverage
from load_tests.chaos.workload import FIRST_DAY
from schemas.facts import Bill
from schemas.records import FactBody
from streams.shelf import Shelf

PERSON = "p_" + "1" * 32
HOME = "h_" + "1" * 32


def paid(number: str, day: date, recorded: int = 1) -> FactBody:
    fact = Bill(number, recorded, 0, "e", "s", False, day.toordinal(), 100, 0, 0, 100, "INPATIENT")
    return FactBody(PERSON, fact)


def fold(shelf: Shelf, offset: int, body: FactBody, recheck: int | None = None, name: str = HOME) -> None:
    household = shelf.get(name, Coverage())
    household.fold(body)
    household.head.applied = offset
    shelf.touch(household, recheck)


def copy(shelf: Shelf, *items: tuple[bytes, bytes | None]) -> Shelf:
    fresh = Shelf(10)
    for key, value in items:
        fresh.restore(key.decode(), value)
    fresh.index()
    return fresh


def test_higher_applied_wins_whatever_the_order() -> None:
    shelf = Shelf(10)
    fold(shelf, 3, paid("S1", FIRST_DAY))
    old = [(i.key, i.value) for i in shelf.drain()]
    fold(shelf, 9, paid("S2", FIRST_DAY))
    new = [(i.key, i.value) for i in shelf.drain()]
    for order in (old + new, new + old):
        loaded = copy(shelf, *order)
        assert len(loaded.get(HOME, Coverage()).held(PERSON)) == 2
        assert loaded.get(HOME, Coverage()).head.applied == 9
    assert {item.key for item in copy(shelf, *new, *old).drain()} == {key for key, _ in new}
    assert not copy(shelf, *old, *new).drain()


def test_a_bill_corrected_into_another_half_year_is_on_one_page_after_a_restart() -> None:
    shelf = Shelf(10)
    fold(shelf, 1, paid("S1", date(2025, 6, 30)))
    first = [(i.key, i.value) for i in shelf.drain()]
    fold(shelf, 2, paid("S1", date(2025, 7, 1), recorded=2))
    second = [(i.key, i.value) for i in shelf.drain()]
    for order in (first + second, second + first):
        household = copy(shelf, *order).get(HOME, Coverage())
        assert [fact.day for fact in household.held(PERSON)] == [date(2025, 7, 1).toordinal()]


def test_only_a_rebuild_deletes_and_then_it_wins() -> None:
    shelf = Shelf(10)
    fold(shelf, 5, paid("S1", FIRST_DAY))
    items = [(i.key, i.value) for i in shelf.drain()]
    assert all(value is not None for _, value in items)
    assert not copy(shelf, *items, *((key, None) for key, _ in items)).names()


def test_what_is_not_drained_is_forgotten_by_a_reset() -> None:
    shelf = Shelf(10)
    fold(shelf, 1, paid("S1", FIRST_DAY), recheck=700_000)
    items = shelf.drain()
    shelf.keep(items)
    fold(shelf, 2, paid("S2", FIRST_DAY), recheck=700_001)
    shelf.reset()
    assert not shelf.dirty
    assert [fact.key for fact in shelf.get(HOME, Coverage()).held(PERSON)] == ["S1"]


def test_the_cache_stays_small_and_keeps_what_is_dirty() -> None:
    shelf = Shelf(2)
    for number in range(6):
        fold(shelf, number, paid("S1", FIRST_DAY), name=f"h_{number}")
    shelf.keep(shelf.drain())
    fold(shelf, 7, paid("S2", FIRST_DAY), name="h_0")
    shelf.keep([])
    assert shelf.dirty == 1
    assert {item.key.split(b"/")[0] for item in shelf.drain()} == {b"h_0"}
    assert len(shelf) == 6


def test_who_is_due_comes_once_in_order_of_days_and_names() -> None:
    shelf = Shelf(10)
    for name, day in (("h_2", 20), ("h_1", 20), ("h_3", 10), ("h_4", 30)):
        fold(shelf, 1, paid("S1", FIRST_DAY), recheck=day, name=name)
    fold(shelf, 2, paid("S2", FIRST_DAY), recheck=None, name="h_4")
    assert shelf.pop_due(9) is None
    assert shelf.pop_due(40) == (10, ["h_3"])
    assert shelf.pop_due(40) == (20, ["h_1", "h_2"])
    assert shelf.pop_due(40) is None


def test_a_household_on_its_way_to_the_log_is_still_one_of_ours() -> None:
    shelf, name = Shelf(10), "h_" + "7" * 32
    household = shelf.get(name, Coverage())
    household.dirty_head = True
    shelf.touch(household, None)
    items = shelf.drain()
    assert shelf.names() == [name]
    shelf.release(name)
    assert shelf.get(name, Coverage()) is household, "its bytes are not durable yet"
    shelf.keep(items)
    shelf.release(name)
    assert shelf.names() == [name]
    assert shelf.get(name, Coverage()) is not household
