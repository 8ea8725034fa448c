"""Routing hints: the same whatever the order, and never the reason that a fact is lost."""

from hypothesis import given
from hypothesis import strategies as st

from streams.registry import Registry, Stay, decode_stay, encode_stay, stay_key

PERSON = "p_" + "1" * 32


def stay(household: str, since: int, until: int | None = None, version: int = 1, gone: bool = False) -> Stay:
    return Stay(PERSON, household, since, until, version, 0, f"e{version}", gone)


stays = st.lists(
    st.builds(
        stay,
        st.sampled_from(["h_1", "h_2", "h_3"]),
        st.integers(1, 5),
        st.one_of(st.none(), st.integers(3, 9)),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda each: (each.household, each.since, each.version),
)


def known(given_stays: list[Stay]) -> Registry:
    registry = Registry()
    for each in given_stays:
        registry.merge(each)
    return registry


@given(stays, st.randoms())
def test_order_and_repetition_decide_nothing(given_stays: list[Stay], rand: object) -> None:
    shuffled = given_stays * 2
    rand.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = known(given_stays), known(shuffled)
    for day in range(10):
        mine, theirs = one.targets(PERSON, day), other.targets(PERSON, day)
        assert (mine and (set(mine.households), mine.route)) == (theirs and (set(theirs.households), theirs.route))
    assert one.current(PERSON) == other.current(PERSON)


def test_a_fact_goes_where_the_person_is_and_where_they_were_then() -> None:
    registry = known([stay("h_1", 1, until=5, version=2), stay("h_2", 5, version=3)])
    late, fresh = registry.targets(PERSON, 3), registry.targets(PERSON, 6)
    assert late is not None
    assert set(late.households) == {"h_1", "h_2"}
    assert fresh is not None
    assert fresh.households == ("h_2",)


def test_who_moves_back_is_at_home_again() -> None:
    registry = known(
        [stay("h_1", 1, until=5, version=2), stay("h_2", 5, until=7, version=4), stay("h_1", 7, version=5)]
    )
    now = registry.targets(PERSON, 8)
    assert now is not None
    assert now.households == ("h_1",)
    assert set(registry.households_of(PERSON)) == {"h_1", "h_2"}


def test_a_reversed_membership_no_longer_leads_anywhere() -> None:
    registry = known([stay("h_1", 1), stay("h_1", 1, version=2, gone=True)])
    assert registry.current(PERSON) is None
    assert registry.targets(PERSON, 3) is None


def test_an_older_hint_changes_nothing() -> None:
    registry = known([stay("h_1", 1, version=2)])
    assert not registry.merge(stay("h_1", 1, until=3, version=1))


def test_compaction_keeps_one_record_per_membership() -> None:
    assert stay_key(stay("h_1", 1)) == stay_key(stay("h_1", 1, until=4, version=9))
    assert stay_key(stay("h_1", 1)) != stay_key(stay("h_1", 2))
    assert decode_stay(encode_stay(stay("h_1", 1))) == stay("h_1", 1)
