"""Whole batches across all partitions: what is missing ends; where too much is, nothing does until somebody says so.

The share is judged over the whole batch, never over one partition; the same log gives the same decision anywhere.
"""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households.standing import disabilities
from load_tests.chaos.events import Json, Message
from schemas.facts import first_day
from schemas.facts_standing import Disability
from schemas.feed import FEEDS
from schemas.partition import partition_of
from streams.batches import decode_batches, encode_batches
from streams.metrics import METRICS
from tests.streams.making import content
from tests.streams.town import PARTITIONS, Town, home, person

CERT, BENEFIT = "disability.certificate", "civil.benefit"
ISSUED, MAY = date(2024, 3, 1), 2026 * 12 + 4
FIRST = first_day(MAY)
Rows = dict[int, tuple[Json, date]]


def certificates(numbers: "range | list[int]", level: str = "2", issued: date = ISSUED) -> Rows:
    data: Json = {"category": "PHYSICAL", "issued_on": issued.isoformat(), "level": level, "action": "NEW"}
    return dict.fromkeys(numbers, (data, issued))


def benefits(numbers: "range | list[int]", fen: int = 80_000) -> Rows:
    return {n: ({"scheme": "DIBAO", "month": "2026-05", "amount": fen}, date(2026, 5, 1)) for n in numbers}


def town(people: int = 20, rows: Rows | None = None, kind: str = CERT) -> Town:
    made = Town(people)
    made.read(made.batch(kind, certificates(range(people)) if rows is None else rows, "first", "delta"))
    made.pass_time(24)
    METRICS.set("lidm_batches_held", 0, feed=CERT)
    return made


def holders(made: Town, people: int = 20, day: int = FIRST) -> set[int]:
    return {n for n in range(people) if disabilities(made.household(n), person(n), day)}


def closed(made: Town, kind: str = CERT, month: int = MAY) -> set[bool]:
    return {watch._control.coverage.closed(kind, month, ("339901000000",)) for watch in made.watches}  # noqa: SLF001


def test_who_is_not_in_the_snapshot_has_ended_on_the_first_day_of_the_month() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(17), level="3"), "s", "full_snapshot"))
    assert holders(made) == set(range(17))
    assert holders(made, day=FIRST - 1) == set(range(20))
    assert {each.level for n in range(17) for each in made.household(n).of_kind(Disability)} == {3}
    assert closed(made) == {True}
    assert made.told == []


@pytest.mark.parametrize(("left", "held"), [(16, False), (15, True), (0, True)])
def test_more_than_the_share_is_held_and_nothing_ends(left: int, held: bool) -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(left)), "s", "full_snapshot", "2026-06"))
    assert holders(made, day=FIRST + 31) == set(range(20 if held else left))
    assert closed(made, month=MAY + 1) == {not held}
    assert [(each.state, each.before, each.gone, each.hold_above) for each in made.told] == (
        [("held", 20, 20 - left, 200)] if held else []
    )
    assert METRICS.value("lidm_batches_held", feed=CERT) == held


def test_released_it_takes_effect_everywhere_and_only_once() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    made.decide(CERT, "s", "release")
    assert holders(made) == set(range(8))
    assert closed(made) == {True}
    before = [content(watch) for watch in made.watches]
    made.decide(CERT, "s", "refuse")
    assert [content(watch) for watch in made.watches] == before
    assert [(each.state, each.actor, each.reason) for each in made.told] == [
        ("held", "", ""),
        ("released", "王某", "已核实"),
    ]
    assert METRICS.value("lidm_batches_held", feed=CERT) == 0


def test_refused_it_never_takes_effect() -> None:
    made = town()
    batch = list(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    made.read(batch)
    made.decide(CERT, "s", "refuse")
    made.decide(CERT, "s", "release")
    made.read(batch)
    assert holders(made) == set(range(20))
    assert closed(made, month=MAY + 1) == {False}
    assert [each.state for each in made.told] == ["held", "refused"]


def test_what_is_decided_of_a_batch_that_is_not_held_changes_nothing() -> None:
    made = town()
    made.decide(CERT, "s", "release")
    made.read(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    assert holders(made) == set(range(20))
    assert [each.state for each in made.told] == ["held"]


def test_the_share_is_that_of_the_whole_batch_not_of_one_partition() -> None:
    """One partition loses everybody: a fifth of the whole, which is allowed."""
    made = Town(60)
    here = [n for n in range(60) if partition_of(home(n), PARTITIONS) == 0][:8]
    others = [n for n in range(60) if partition_of(home(n), PARTITIONS) != 0][:32]
    made.read(made.batch(CERT, certificates(here + others), "first", "delta"))
    made.pass_time()
    made.read(made.batch(CERT, certificates(others), "s", "full_snapshot"))
    assert made.told == []
    assert holders(made, 60) == set(others)


def test_other_keys_for_the_same_people_are_all_gone() -> None:
    """As many rows as before, under other keys: a department changed how it numbers things."""
    made = town()
    made.read(made.batch(CERT, certificates(range(20), issued=date(2024, 3, 2)), "s", "full_snapshot"))
    assert [(each.before, each.gone) for each in made.told] == [(20, 20)]
    assert {len(made.household(n).of_kind(Disability)) for n in range(20)} == {2}


def test_new_people_make_nobody_who_vanished_less() -> None:
    made = Town(60)
    made.read(made.batch(CERT, certificates(range(10)), "first", "delta"))
    made.pass_time()
    made.read(made.batch(CERT, certificates(range(7, 60)), "s", "full_snapshot"))
    assert [(each.before, each.gone) for each in made.told] == [(10, 7)]


def test_the_first_snapshot_has_nothing_to_lose() -> None:
    made = Town(5)
    made.read(made.batch(CERT, certificates(range(5)), "s", "full_snapshot"))
    assert made.told == []
    assert closed(made) == {True}


def test_a_replaced_month_is_held_as_well() -> None:
    made = town(rows=benefits(range(20)), kind=BENEFIT)
    made.read(made.batch(BENEFIT, benefits(range(15), 90_000), "s", "replace_period"))
    assert [(each.state, each.mode, each.before, each.gone) for each in made.told] == [
        ("held", "replace_period", 20, 5)
    ]
    paid = [fact.amount_fen for n in range(20) for fact in made.household(n).benefits()]
    assert sorted(paid) == [80_000] * 5 + [90_000] * 15
    assert closed(made, BENEFIT) == {True}  # by the first batch
    made.decide(BENEFIT, "s", "release")
    assert [fact.amount_fen for n in range(20) for fact in made.household(n).benefits()] == [90_000] * 15


def test_a_snapshot_of_dated_facts_is_its_month_replaced() -> None:
    made = town(rows=benefits(range(20)), kind=BENEFIT)
    made.read(made.batch(BENEFIT, benefits(range(18)), "s", "full_snapshot"))
    assert [n for n in range(20) if made.household(n).benefits()] == list(range(18))


def test_a_later_batch_that_says_the_same_again_rightly_makes_a_decision_needless() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "short", "full_snapshot"))
    made.pass_time()
    made.read(made.batch(CERT, certificates(range(19)), "right", "full_snapshot"))
    assert [(each.state, each.batchid) for each in made.told] == [("held", "short"), ("superseded", "short")]
    made.decide(CERT, "short", "release")
    assert holders(made) == set(range(19))


def test_facts_recorded_after_it_began_stand_while_it_is_held_and_afterwards() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    made.pass_time()
    data, day = certificates([15])[15]
    made.read([made.pen.event(CERT, "late", person(15), data, day)])
    made.decide(CERT, "s", "release")
    assert holders(made) == {*range(8), 15}


def test_a_batch_whose_partitions_contradict_each_other_never_closes() -> None:
    made = town()
    batch = list(made.batch(CERT, certificates(range(19)), "s", "full_snapshot"))
    other = list(made.batch(CERT, certificates(range(19)), "s", "delta"))
    made.read([*batch[:-1], other[-1]])
    assert holders(made) == set(range(20))
    assert [watch._control.coverage.held() for watch in made.watches] == [[]] * PARTITIONS  # noqa: SLF001


def test_absence_rests_on_snapshots_as_on_every_batch() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(20)), "s", "full_snapshot", "2026-06"))
    assert closed(made, month=MAY + 1) == {True}
    assert closed(made, month=MAY + 2) == {False}


def test_open_batches_come_through_a_commit_and_the_rest_closes_it() -> None:
    made = town()
    batch = list(made.batch(CERT, certificates(range(19)), "s", "full_snapshot"))
    made.read(batch[:10])
    made.router.open = {place: decode_batches(encode_batches(each)) for place, each in made.router.open.items()}
    made.read(batch[10:])
    assert holders(made) == set(range(19))


def test_a_batch_begun_by_an_older_intake_is_not_judged() -> None:
    made = town()
    made.router._catalogue = None  # noqa: SLF001 - what such an intake knew
    made.read(made.batch(CERT, certificates(range(3)), "s", "full_snapshot"))
    assert (holders(made), made.told) == ({0, 1, 2}, [])


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(left=st.integers(0, 12), data=st.data())
def test_however_partitions_are_read_the_answer_is_one(left: int, data: st.DataObject) -> None:
    """Feed partitions are read by different workers: each in its own order, all of them mixed in any way."""
    made, calm = town(12, certificates(range(12))), town(12, certificates(range(12)))
    calm.read(calm.batch(CERT, certificates(range(left)), "s", "full_snapshot"))
    waiting: dict[int, list[Message]] = {}
    for message in made.batch(CERT, certificates(range(left)), "s", "full_snapshot"):
        waiting.setdefault(message.partition, []).append(message)
    while waiting:
        partition = data.draw(st.sampled_from(sorted(waiting)))
        made.read([waiting[partition].pop(0)], settle=data.draw(st.booleans()))
        if not waiting[partition]:
            del waiting[partition]
    made.settle()
    told = [(each.state, each.before, each.gone, each.rows) for each in made.told]
    assert told == [(each.state, each.before, each.gone, each.rows) for each in calm.told]
    assert bool(told) == (12 - left > 2)
    for _ in range(2):
        assert holders(made, 12) == holders(calm, 12)
        for each in (made, calm):
            each.decide(CERT, "s", "release")
    assert holders(made, 12) == set(range(left))


def test_memberships_come_one_by_one_and_in_no_snapshot() -> None:
    made = town()
    batch = list(made.batch(CERT, {}, "s", "full_snapshot"))
    spec = FEEDS["civil.household"]
    for message in batch:
        (outcome,) = spec.decode(message.value.replace(CERT.encode(), b"civil.household"), made.ms)
        assert getattr(outcome, "pointer", None) == "/data/mode"


def test_a_household_is_looked_at_again_when_a_snapshot_of_a_coming_month_ends_something() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(17)), "s", "full_snapshot", "2026-06"))
    assert [made.household(n).head.rechecks.get("*") for n in (16, 17)] == [None, first_day(MAY + 1)]
