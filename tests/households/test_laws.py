"""The ledger's laws: order and repetition never decide; a correction equals having been told right at first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.codec import Pages, canonical, decode_head, encode_head
from households.horizon import next_change
from households.ledger import NOTHING, Household
from schemas.facts import AnyFact, Fact, first_day, month_of
from schemas.records import FactBody
from tests.households.making import (
    OTHERS,
    START,
    apply,
    bill,
    contribution,
    death,
    employment,
    made,
    member,
    refund,
    rent,
)

ME, YOU = "p_me", "p_you"
ALONE = tuple(kind for kind in OTHERS if kind.keyed_alone)


@st.composite
def facts(draw: st.DrawFn) -> FactBody:
    person = draw(st.sampled_from((ME, YOU)))
    version, day = draw(st.integers(1, 6)), draw(st.integers(-200, 400))
    key = draw(st.sampled_from("abc"))
    gone = draw(st.booleans())
    any_kind = draw(st.sampled_from(OTHERS))
    known: list[AnyFact] = [
        made(any_kind, key, day, version, gone=gone),
        made(any_kind, key if any_kind.keyed_alone else f"{person}|{key}", day, version, amount=20),
        bill(key, day, version, gone=gone),
        bill(key, day, version, amount=20_000),
        refund(key, day, version, gone=gone),
        contribution(person, day % 24, version, key),
        rent(key, day % 24, version),
        employment(person, "RETIRED", day % 3, version, until=400 + version),
        death(person, day, version, key),
        member("h", person, day % 3, version, relation=draw(st.sampled_from(("HEAD", "CHILD")))),
    ]
    return FactBody(person, draw(st.sampled_from(known)))


def told(bodies: list[FactBody], floors: tuple[tuple[str, int, int], ...] = ()) -> Household:
    household = Household("h")
    for body in bodies:
        household.fold(body)
    for floor in floors:
        apply(household, *floor, mode="replace_period")
    return household


def stored(household: Household) -> Household:
    """The household as it comes back from its bytes."""
    return Household(household.id, decode_head(encode_head(household.head)), Pages(household.pages.raw))


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=25), data=st.data())
def test_any_order_and_any_repetition_gives_the_same_household(bodies: list[FactBody], data: st.DataObject) -> None:
    again = data.draw(st.permutations(bodies + bodies))
    assert canonical(told(bodies)) == canonical(told(again))


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=25), cut=st.integers(0, 25))
def test_going_through_bytes_in_the_middle_changes_nothing(bodies: list[FactBody], cut: int) -> None:
    half = stored(told(bodies[:cut]))
    for body in bodies[cut:]:
        half.fold(body)
    assert canonical(half) == canonical(told(bodies))
    assert encode_head(half.head) == encode_head(told(bodies).head)
    assert half.pages.raw == told(bodies).pages.raw


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=30), every=st.integers(1, 4))
def test_a_ledger_put_away_after_every_few_facts_is_the_same(bodies: list[FactBody], every: int) -> None:
    household = Household("h")
    for at, body in enumerate(bodies):
        if at % every == 0:
            household = stored(household)
        household.fold(body)
    assert canonical(household) == canonical(told(bodies))


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=20), data=st.data())
def test_a_whole_batch_replaces_older_records_whenever_they_come(bodies: list[FactBody], data: st.DataObject) -> None:
    floors = (("medical.settlement", month_of(START + 10), 3), ("employment.contribution", 2025 * 12 + 4, 4))
    bodies = [*(FactBody(who, member("h", who)) for who in (ME, YOU)), *bodies]
    after = told(bodies, floors)
    cut = data.draw(st.integers(0, len(bodies)))
    between = told(bodies[:cut], floors)
    for body in data.draw(st.permutations(bodies)):
        between.fold(body)
    assert canonical(after) == canonical(between)
    month = (first_day(floors[0][1]), first_day(floors[0][1] + 1))
    assert all(each.recorded_ms >= 3 for each in after.bills(None, *month))


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=25), data=st.data())
def test_a_key_told_of_two_people_counts_once_whatever_the_order(bodies: list[FactBody], data: st.DataObject) -> None:
    one, other = Household("h"), stored(told(bodies))
    for body in data.draw(st.permutations(bodies + bodies)):
        one.fold(body)
        for kind in ALONE:  # a question in between decides nothing
            found = one.of_kind(kind)
            assert len({fact.key for fact in found}) == len(found)
    for person in (ME, YOU, None):
        for kind in OTHERS:
            assert one.of_kind(kind, person) == other.of_kind(kind, person)


def test_a_bill_corrected_to_another_member_leaves_the_first_and_so_does_its_reversal() -> None:
    household = told([FactBody(ME, bill("b", 5, 1)), FactBody(YOU, bill("b", 250, 2))])
    assert (household.bills(ME), len(household.bills(YOU))) == ([], 1)
    household.fold(FactBody(YOU, bill("b", 250, 3, gone=True)))
    assert household.bills() == []
    household.fold(FactBody(ME, bill("b", 5, 4)))
    assert (len(household.bills(ME)), household.bills(YOU)) == (1, [])


def test_a_refund_told_of_two_people_is_paid_back_once() -> None:
    household = told([FactBody(ME, refund("b", 5, 1)), FactBody(YOU, refund("b", 5, 4))])
    assert household.refunds_of("b") == 1_000


def test_a_reversal_before_its_original_keeps_it_away() -> None:
    household = told([FactBody(ME, bill("b", 5, 2, gone=True)), FactBody(ME, bill("b", 5, 1))])
    assert household.bills(ME) == []


def test_a_correction_equals_having_been_told_right_at_first() -> None:
    right = FactBody(ME, bill("b", 250, 2, amount=7))
    corrected = told([FactBody(ME, bill("b", 5, 1)), right])
    assert canonical(corrected) == canonical(told([right]))
    assert [each.day for each in corrected.bills(ME)] == [START + 250]
    assert corrected.dirty_pages.keys() == {"2025H1", "2025H2"}


def test_a_repetition_changes_nothing_and_marks_nothing() -> None:
    household = told([FactBody(ME, bill("b", 5))])
    household.clean()
    assert household.fold(FactBody(ME, bill("b", 5))) is NOTHING
    assert not household.dirty_head
    assert not household.dirty_pages


def test_equal_versions_of_different_content_do_not_depend_on_order() -> None:
    one, other = FactBody(ME, bill("b", 5, amount=1)), FactBody(ME, bill("b", 300, amount=2))
    assert canonical(told([one, other])) == canonical(told([other, one]))


@pytest.mark.parametrize("kind", OTHERS, ids=lambda kind: kind.feed)
def test_every_kind_has_its_place_and_can_be_corrected_moved_in_time_and_reversed(kind: type[Fact]) -> None:
    household = told([FactBody(ME, made(kind, "k", 5, 1))])
    assert [fact.key for fact in household.of_kind(kind, ME)] == ["k"]
    assert bool(household.pages) == kind.paged
    assert bool(household.head.lasting) == (not kind.paged)
    household = stored(household)
    household.fold(FactBody(ME, made(kind, "k", 250, 2, amount=12)))
    assert household.of_kind(kind, ME) == [made(kind, "k", 250, 2, amount=12)]
    assert household.of_kind(kind, ME, day_to=START + 200) == []
    household.fold(FactBody(ME, made(kind, "k", 250, 3, gone=True)))
    assert household.of_kind(kind) == []
    assert kind.paged or not kind.keyed_alone, "only paged kinds can be told of two people"
    assert kind.paged or set(kind.__struct_fields__) & {"until", "expires", "valid_to"} <= set(kind.ends)


@pytest.mark.parametrize("kind", [kind for kind in OTHERS if kind.ends], ids=lambda kind: kind.feed)
def test_a_household_is_looked_at_again_when_something_lasting_ends(kind: type[Fact]) -> None:
    household = told([FactBody(ME, made(kind, "k", 5))])
    assert next_change(household, START + 5) == START + 5 + 37
