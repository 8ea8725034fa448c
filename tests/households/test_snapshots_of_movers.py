"""Whole batches and people who move: what had ended stays ended elsewhere; no other place's list follows anybody.

Every partition knows every batch; what a new home has to hear is where the former homes were on record, and when.
"""

from collections.abc import Iterable
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households.codec import canonical
from households.coverage import Coverage
from households.ledger import Household
from schemas.facts import AnyFact, Membership, first_day
from schemas.facts_standing import Disability
from schemas.records import FactBody, TransferBody
from tests.households.making import DECLARED, apply, bill, member
from tests.households.network import Router, World
from tests.households.test_snapshots import FEED, JAN, MAY, ME, certificate, home

A, B, SOUTH, NORTH = "339901001000", "339901002000", "hospital", "insurer"
BILLS = "medical.settlement"


def head_of(household: str, person: str, area: str, day: int = -900, version: int = 1, until: int | None = None
            ) -> Membership:  # fmt: skip
    """The membership that says in which area a household is."""
    declared = msgspec.structs.replace(DECLARED, responsible_area=area)
    return msgspec.structs.replace(
        member(household, person, day, version, until=until, relation="HEAD"), declared=declared
    )


class Country(World):
    """A world in which every household knows the same batches, each when it hears of them."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.households = {name: Household(name, coverage=Coverage()) for name in names}

    def closes(self, feed: str, month: int, begun: int, area: str, source: str, mode: str = "replace_period") -> None:
        for household in self.households.values():
            apply(household, feed, month, begun, areas=(area,), source=source, mode=mode)


def moved(*order: str) -> Country:
    """Somebody of area A with a bill and a certificate of May goes to a household of B in June."""
    world, router = Country("h", "n"), Router("r")
    told: dict[str, tuple[AnyFact, ...]] = {
        "facts": (bill("b", 125), certificate("c", 0)),
        "move": (member("n", ME, 160, 6),),
        "homes": (head_of("h", "p_head", A), head_of("n", "p_other", B)),
    }
    world.post("r", router.send(ME, member("h", ME)))
    world.run()
    for each in order:
        if each in told:
            for fact in told[each]:
                person = fact.person if isinstance(fact, Membership) else ME
                world.post("r", router.send(person, fact))
        else:
            for feed in (BILLS, FEED):
                source = SOUTH if feed == BILLS else "federation"
                world.closes(feed, MAY, 5, {"old": A, "new": B}[each], source, "full_snapshot")
        world.run()
    return world


def standing(world: World, name: str) -> tuple[list[str], list[int | None]]:
    household = world.households[name]
    return [each.key for each in household.bills(ME)], [each.until for each in household.of_kind(Disability, ME)]


ORDERS = [
    ("homes", "facts", "move"),
    ("facts", "move", "homes"),
    ("move", "homes", "facts"),
    ("facts", "homes", "move"),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("at", range(4))
def test_the_list_of_the_new_place_reverses_nothing_of_a_month_before_the_move(order: tuple[str, ...], at: int) -> None:
    world = moved(*order[:at], "new", *order[at:])
    assert standing(world, "n") == (["b"], [None])
    assert standing(world, "h") == (["b"], [None])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("at", range(4))
def test_the_list_of_the_old_place_counts_in_both_whenever_it_comes(order: tuple[str, ...], at: int) -> None:
    world = moved(*order[:at], "old", *order[at:])
    assert standing(world, "n") == ([], [first_day(MAY)])
    assert standing(world, "h")[0] == []


def test_nothing_of_a_list_that_does_not_speak_of_somebody_is_lost_on_the_next_move() -> None:
    world, router = moved("homes", "facts", "move", "new"), Router("r")
    for each in (member("h", ME), member("n", ME, 160, 6), member("o", ME, 170, 7)):
        router.learn(each) if each.household != "o" else world.post("r", router.send(ME, each))
    world.households["o"] = Household("o", coverage=world.households["n"].coverage)
    world.run()
    assert standing(world, "o") == (["b"], [None])


@pytest.mark.parametrize("first", ["list", "redeclared"])
def test_a_household_answers_to_the_area_of_the_month_not_to_that_of_the_day_the_batch_closed(first: str) -> None:
    for day, reversed_ in ((-900, False), (160, True)):  # a correction of the declaration; a move of everybody in June
        world = Country("h")
        world.take("h", FactBody("p_head", head_of("h", "p_head", A)))
        world.take("h", FactBody("p_head", bill("b", 125)))
        later = FactBody("p_head", head_of("h", "p_head", B, day, 2))
        steps = [lambda w=world: w.closes(BILLS, MAY, 5, A, SOUTH), lambda w=world, f=later: w.take("h", f)]  # type: ignore[misc]
        for step in steps if first == "list" else reversed(steps):
            step()
        assert [each.key for each in world.households["h"].bills()] == ([] if reversed_ else ["b"])


def test_a_source_speaks_of_its_own_facts_only() -> None:
    household = home(FactBody(ME, bill("b", 125)), FactBody(ME, certificate("c", 0)))
    for feed, mode in ((BILLS, "replace_period"), (FEED, "full_snapshot")):
        apply(household, feed, MAY, 5, source="somebody else", mode=mode)
    assert [each.key for each in household.bills()] == ["b"]
    assert [each.until for each in household.of_kind(Disability)] == [None]
    apply(household, BILLS, MAY, 5, source=SOUTH, mode="replace_period")
    assert household.bills() == []


def test_a_former_home_that_is_corrected_is_told_to_whoever_left_it() -> None:
    world = moved("homes", "facts", "move", "new")
    world.take("h", FactBody("p_head", head_of("h", "p_head", B, version=9)))
    world.run()
    assert standing(world, "n") == ([], [first_day(MAY)])


def test_who_hears_of_a_home_passes_it_on_for_everybody_who_went_on() -> None:
    """Two people of one household went to n and on to o; n hears of their first home once, with the first of them."""
    who = (ME, "p_you")
    first, second = home(), Household("n")
    for person in who:
        first.fold(FactBody(person, member("n", person, 160, 6)))
        for each in (member("h", person), member("n", person, 160, 6), member("o", person, 180, 7)):
            second.fold(FactBody(person, each))
    owed = first.fold(FactBody("p_head", head_of("h", "p_head", A))).transfers
    assert [(to, body.person) for to, body in owed] == [("n", person) for person in who]
    passed = [(to, body) for _, told in owed for to, body in second.merge_transfer(told).transfers]
    assert {(to, body.person) for to, body in passed} == {("o", person) for person in who}
    assert all({each.area for each in body.homes["h"]} == {"", A} for _, body in passed)
    assert [second.merge_transfer(told).transfers for _, told in owed] == [(), ()]


def test_transfers_carry_what_was_told_and_where_the_homes_were() -> None:
    household = home(FactBody(ME, certificate("c", 0)), snapshots=[(FEED, MAY, 5)])
    ((target, body),) = household.fold(FactBody(ME, member("n", ME, 170, 6))).transfers
    assert target == "n"
    assert isinstance(body, TransferBody)
    assert [each.area for each in body.homes["h"]] == ["", ""]
    assert certificate("c", 0) in body.facts


PEOPLE = (ME, "p_you")
HOMES = ("h", "n", "o")
Step = AnyFact | tuple[str, int, int, str, str, str]


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, Step]]:
    """Two people between three households of two areas, with facts of two sources and lists of both areas."""
    versions = iter(range(2, 60))
    steps: list[tuple[str, Step]] = []
    for _ in range(draw(st.integers(1, 3))):
        name, area = draw(st.sampled_from(HOMES)), draw(st.sampled_from((A, B)))
        person, day = f"p_head_{name}", draw(st.sampled_from((-900, 100, 150)))
        steps.append((person, head_of(name, person, area, day, next(versions))))
    for _ in range(draw(st.integers(0, 3))):
        person, day = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from((60, 130, 170)))
        steps.append((person, member(draw(st.sampled_from(HOMES)), person, day, next(versions))))
    for _ in range(draw(st.integers(1, 4))):
        person, key, day = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from("ab")), draw(st.integers(80, 200))
        version, source = next(versions), draw(st.sampled_from((SOUTH, NORTH)))
        told = draw(
            st.sampled_from((bill(f"{person}{key}", day, version), certificate(f"{person}{key}", day, version)))
        )
        steps.append((person, msgspec.structs.replace(told, source=source)))
    for _ in range(draw(st.integers(1, 4))):
        feed, mode = draw(st.sampled_from((BILLS, FEED))), draw(st.sampled_from(("replace_period", "full_snapshot")))
        area, source = draw(st.sampled_from((A, B))), draw(st.sampled_from((SOUTH, NORTH)))
        steps.append(("", (feed, draw(st.integers(JAN + 3, JAN + 6)), draw(st.integers(1, 60)), area, source, mode)))
    return steps


def told(steps: Iterable[tuple[str, Step]], seed: int | None) -> dict[str, object]:
    """Everybody's ledger after a story; with a seed batches reach each household whenever they do, and twice."""
    dice = Random(seed)
    world, router = Country(*HOMES), Router("r")
    for person in PEOPLE:
        world.post("r", router.send(person, member("h", person)))
    world.run()
    for person, each in steps:
        if isinstance(each, tuple):
            feed, month, begun, area, source, mode = each
            for household in dice.sample(list(world.households.values()), len(HOMES)):
                apply(household, feed, month, begun, areas=(area,), source=source, mode=mode)
                if seed is not None and dice.random() < 0.5 and world.waiting:
                    world.deliver(dice.randrange, twice=True)
        else:
            world.post("r", router.send(person, each))
        if seed is None or dice.random() < 0.4:
            world.run(dice.randrange if seed is not None else lambda n: 0)
    world.run(dice.randrange if seed is not None else lambda n: 0)
    assert not world.problems
    return {name: canonical(household) for name, household in world.households.items()}


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(steps=stories(), data=st.data(), seed=st.integers(0, 2**32))
def test_moves_between_areas_and_lists_of_both_give_the_same_ledgers_in_any_order(
    steps: list[tuple[str, Step]], data: st.DataObject, seed: int
) -> None:
    again = data.draw(st.permutations([*steps, *data.draw(st.lists(st.sampled_from(steps), max_size=3))]))
    assert told(again, seed) == told(steps, None)
