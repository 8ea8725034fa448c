"""Full snapshots and people who move: what had ended stays ended elsewhere; no other place's list follows anybody."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.ledger import Household
from households.residence import memberships_of
from schemas.facts import AnyFact, Fact, first_day
from schemas.facts_standing import Disability
from schemas.records import FactBody, TransferBody
from tests.households.making import member
from tests.households.network import Router, World
from tests.households.test_snapshots import FEED, JAN, MAY, ME, certificate, home


@pytest.mark.parametrize("first", ["move", "snapshot"])
def test_an_ended_fact_stays_ended_in_the_next_household(first: str) -> None:
    world, router = World(), Router("r")
    world.post("r", router.send(ME, member("h", ME)))
    world.post("r", router.send(ME, certificate("c", 0)))
    world.run()
    if first == "move":
        world.post("r", router.send(ME, member("n", ME, 170, 6)))
        world.run()
    outcome = world.households["h"].apply_snapshot(FEED, MAY, 5)
    world.post("h", [*outcome.transfers])
    if first == "snapshot":
        world.post("r", router.send(ME, member("n", ME, 170, 6)))
    world.run()
    assert [each.until for each in world.households["n"].of_kind(Disability, ME)] == [first_day(MAY)]
    world.post("r", router.send(ME, certificate("c", 0, 8)))
    world.run()
    assert [each.until for each in world.households["n"].of_kind(Disability, ME)] == [None]


def test_a_snapshot_of_the_place_somebody_left_does_not_follow() -> None:
    """Who moved away in April is not in the May list of the old place, and holds on to the certificate."""
    world, router = World(), Router("r")
    for membership in (member("h", ME), member("n", ME, 100, 2)):
        world.post("r", router.send(ME, membership))
    world.post("r", router.send(ME, certificate("c", 0)))
    world.run()
    outcome = world.households["h"].apply_snapshot(FEED, MAY, 5)
    assert outcome.transfers == ()
    assert [each.until for each in world.households["n"].of_kind(Disability, ME)] == [None]


moves = st.lists(
    st.one_of(
        st.builds(lambda key, version: certificate(key, 0, version), st.sampled_from("ab"), st.integers(1, 9)),
        st.builds(
            lambda where, day, version: member(where, ME, day, version),
            st.sampled_from(("n", "o")), st.sampled_from((40, 100, 170)), st.integers(2, 9),
        ),
        st.tuples(st.sampled_from(("h", "n", "o")), st.integers(JAN, JAN + 6), st.integers(1, 9)),
    ),
    max_size=7,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(told=moves, data=st.data())
def test_people_who_move_keep_and_lose_the_same_whatever_came_first(told: list[object], data: st.DataObject) -> None:
    def live(order: list[object], pick: bool) -> list[AnyFact]:
        world, router = World(), Router("r")
        world.post("r", router.send(ME, member("h", ME)))
        world.run()
        for each in order:
            if isinstance(each, tuple):
                household = world.households.setdefault(str(each[0]), Household(str(each[0])))
                world.post(household.id, [*household.apply_snapshot(FEED, each[1], each[2]).transfers])
            elif isinstance(each, Fact):
                world.post("r", router.send(ME, each))
            if data.draw(st.booleans()) if pick else True:
                world.run()
        world.run()
        at_home = max(memberships_of(world.households["h"].head, ME), key=lambda each: (each.day, each.version))
        return list(world.households[at_home.household].of_kind(Disability, ME))

    straight = live([*told], pick=False)
    assert live(data.draw(st.permutations(told)), pick=True) == straight


def test_transfers_carry_what_was_told_and_what_the_snapshots_say() -> None:
    household = home(FactBody(ME, certificate("c", 0)), snapshots=[(FEED, MAY, 5)])
    outcome = household.fold(FactBody(ME, member("n", ME, 170, 6)))
    ((target, body),) = outcome.transfers
    assert (target, body.snapshots) == ("n", {"h": {FEED: {MAY: 5}}})
    assert isinstance(body, TransferBody)
    assert certificate("c", 0) in body.facts


def test_who_hears_of_a_snapshot_for_somebody_who_went_on_passes_it_on_once() -> None:
    """The household first left knows of the second only; the second knows of the third."""
    first = home(FactBody(ME, certificate("c", 0)), FactBody(ME, member("n", ME, 160, 6)))
    second = Household("n")
    for membership in (member("h", ME), member("n", ME, 160, 6), member("o", ME, 180, 7)):
        second.fold(FactBody(ME, membership))
    ((_, told),) = first.apply_snapshot(FEED, MAY, 5).transfers
    second.merge_transfer(msgspec.structs.replace(told, snapshots={}))  # nothing else is news any more
    passed = [body for to, body in second.merge_transfer(told).transfers if to == "o"]
    assert [body.snapshots for body in passed] == [{"h": {FEED: {MAY: 5}}}]
    third = Household("o")
    for body in passed:
        third.merge_transfer(body)
    assert [each.until for each in third.of_kind(Disability, ME)] == [first_day(MAY)]
    assert second.merge_transfer(told).transfers == ()
