"""People move and move back while facts arrive late, at whatever household: it ends as if told in order."""

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households.codec import canonical
from households.ledger import Household
from households.moves import transfer_id
from schemas.facts import AnyFact, Membership, Version
from schemas.records import MAX_HOPS, FactBody, Route, TransferBody
from tests.households.making import OTHERS, START, bill, death, employment, made, member
from tests.households.network import Router, World

ME = "p_me"
SLOW = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Story:
    """Memberships as published (each begins, some are closed later) and facts, in the order of publication."""

    memberships: tuple[Membership, ...]
    facts: tuple[AnyFact, ...]

    @property
    def names(self) -> set[str]:
        return {each.household for each in self.memberships}


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Up to four stays in three households, closed or left open, one perhaps reversed; facts all over the time."""
    homes = draw(st.lists(st.sampled_from(("h1", "h2", "h3")), min_size=2, max_size=4))
    homes = [home for at, home in enumerate(homes) if at == 0 or home != homes[at - 1]]
    memberships: list[Membership] = []
    version = 0
    for at, home in enumerate(homes):
        version += 1
        if at and draw(st.booleans()):
            before = memberships[-1]
            memberships.append(member(before.household, ME, before.day - START, version, until=100 * at))
        memberships.append(member(home, ME, 100 * at, version))
    if len(homes) > 1 and draw(st.integers(0, 3)) == 0:
        last = memberships[-1]
        memberships.append(member(last.household, ME, last.day - START, version + 1, gone=True))
    facts = draw(st.lists(_facts(), max_size=8))
    return Story(tuple(memberships), tuple(facts))


@st.composite
def _facts(draw: st.DrawFn) -> AnyFact:
    day, version, key = draw(st.integers(-50, 450)), draw(st.integers(1, 4)), draw(st.sampled_from("abcd"))
    known: tuple[AnyFact, ...] = (
        made(draw(st.sampled_from(OTHERS)), key, day, version),
        bill(key, day, version),
        bill(key, day, version, gone=True),
        employment(ME, "FLEXIBLE", 50 * version, version),
        death(ME, day, version, key),
    )
    return draw(st.sampled_from(known))


def in_order(story: Story, world: World | None = None) -> World:
    """One router, memberships first in their order, everything delivered before the next is read."""
    world, router = world or World(), Router("intake")
    for membership in story.memberships:
        world.post("intake", router.send(ME, membership))
        world.run()
    for fact in sorted(story.facts, key=lambda each: each.version):
        world.post("intake", router.send(ME, fact))
        world.run()
    return world


def scrambled(story: Story, seed: int, world: World | None = None) -> World:
    """Two routers that learn late from each other; facts before, between and after memberships; repeats."""
    world = world or World()
    routers = (Router("one"), Router("two"))
    for router in routers:
        router.learn(story.memberships[0])
    dice = Random(seed)
    rest: list[AnyFact] = [*story.memberships[1:], *story.facts]
    dice.shuffle(rest)
    pending: list[AnyFact] = [story.memberships[0], *rest]
    untold: list[tuple[Router, Membership]] = []
    pick = dice.randrange
    while pending or untold or world.waiting:
        step = pick(4)
        if step == 0 and pending:
            fact = pending.pop(0)
            at = pick(2)
            world.post(routers[at].name, routers[at].send(ME, fact))
            if isinstance(fact, Membership):
                untold.append((routers[1 - at], fact))
        elif step == 1 and untold:
            router, membership = untold.pop(pick(len(untold)))
            router.learn(membership)
        elif world.waiting:
            world.deliver(pick, twice=step == 2)
    return world


def shown(world: World, names: set[str]) -> dict[str, Any]:
    return {name: canonical(world.households.get(name) or Household(name)) for name in sorted(names)}


@SLOW
@given(story=stories(), seed=st.integers(0, 2**32))
def test_it_ends_as_if_everything_had_come_in_order(story: Story, seed: int) -> None:
    ordered, late = in_order(story), scrambled(story, seed)
    assert shown(late, story.names) == shown(ordered, story.names)
    assert not ordered.problems
    assert not late.problems
    assert all(not each.head.waiting for each in late.households.values())


def test_the_new_household_has_everything_the_old_one_what_was_dated_then() -> None:
    world = in_order(
        Story(
            (member("h1", ME, 0), member("h1", ME, 0, 2, until=100), member("h2", ME, 100, 2)),
            (bill("a", 50), bill("b", 150)),
        )
    )
    assert [each.key for each in world.households["h2"].bills(ME)] == ["a", "b"]
    assert [each.key for each in world.households["h1"].bills(ME)] == ["a"]
    assert world.households["h1"].members_on(START + 100) == []


def test_a_router_that_knew_of_the_move_costs_no_forward() -> None:
    old = Household("h1")
    old.fold(FactBody(ME, member("h1", ME, 0)))
    there = member("h2", ME, 100, 2)
    old.fold(FactBody(ME, there, Route(there.version, "h1")))
    assert old.fold(FactBody(ME, bill("a", 50), Route(there.version))).forwards == ()
    late = old.fold(FactBody(ME, bill("b", 50), None)).forwards
    assert late == (("h2", FactBody(ME, bill("b", 50), Route(there.version, "h1", 1))),)


def test_history_is_awaited_until_the_transfer_is_here() -> None:
    old, new = Household("h1"), Household("h2")
    old.fold(FactBody(ME, member("h1", ME, 0)))
    there = member("h2", ME, 100, 2)
    came = FactBody(ME, there, Route(there.version, "h1"))
    new.fold(came)
    assert list(new.head.waiting) == [ME]
    ((target, body),) = old.fold(came).transfers
    assert (target, body.transfer_id) == ("h2", transfer_id(ME, there.version))
    new.merge_transfer(body)
    assert not new.head.waiting
    new.fold(came)
    assert not new.head.waiting


def test_a_fact_that_has_been_sent_on_too_often_is_a_problem() -> None:
    household = Household("h1")
    household.fold(FactBody(ME, member("h1", ME, 0)))
    household.fold(FactBody(ME, member("h2", ME, 100, 2)))
    result = household.fold(FactBody(ME, bill("a", 150), Route(Version(1, 0, ""), "h3", MAX_HOPS)))
    assert result.problem == "ROUTING_LOOP"
    assert result.forwards == ()


def test_a_transfer_folded_twice_is_a_no_op() -> None:
    household = Household("h2")
    body = TransferBody("t", ME, "h1", Version(2, 0, "e2"), (member("h2", ME, 100, 2), bill("a", 50)), ())
    assert household.merge_transfer(body).feeds
    before = canonical(household)
    again = household.merge_transfer(body)
    assert not again.feeds
    assert not again.transfers
    assert canonical(household) == before
