"""Full snapshots: what they do not repeat has ended or never was, in whatever order anything becomes known."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from households.closings import Closed
from households.codec import Pages, canonical, decode_head, encode_head
from households.horizon import next_change
from households.ledger import Household
from households.standing import disabilities, vehicles
from households.wholes import at_stake, by_month
from schemas.facts import KIND_OF_FEED, AnyFact, Fact, first_day
from schemas.facts_standing import Disability, FamilyChange, Vehicle
from schemas.records import FactBody
from tests.households.making import OTHERS, START, apply, bill, employment, made, member

ME, YOU = "p_me", "p_you"
JAN = 2025 * 12
MAY = JAN + 4
FEED = "disability.certificate"
Snapshot = tuple[str, int, int]
ENDED = [kind for kind in OTHERS if kind.ended_in is not None]
REGISTERS = [kind for kind in OTHERS if kind.ended_in is None and not kind.paged and kind.snapshots]
DATED = [kind for kind in OTHERS if by_month(kind.feed)]


def certificate(key: str, day: int, version: int = 1, *, until: int | None = None, expires: int | None = None,
                gone: bool = False) -> Disability:  # fmt: skip
    ends = (None if expires is None else START + expires, None if until is None else START + until)
    return Disability(key, version, 0, f"e{version}", "federation", gone, START + day, "LIMB", 2, *ends, "ISSUE", None)


def home(*bodies: FactBody, snapshots: Iterable[Snapshot] = ()) -> Household:
    household = Household("h")
    for who in (ME, YOU):
        household.fold(FactBody(who, member("h", who)))
    for body in bodies:
        household.fold(body)
    for snapshot in snapshots:
        apply(household, *snapshot)
    return household


def snapshot_of(feed: str, source: str = "") -> Closed:
    return Closed(feed, "s", MAY, (), "full_snapshot", 5, source)


def stored(household: Household) -> Household:
    pages = Pages(household.pages.raw)
    return Household(household.id, decode_head(encode_head(household.head)), pages, household.coverage)


@st.composite
def facts(draw: st.DrawFn) -> FactBody:
    person = draw(st.sampled_from((ME, YOU)))
    version, day = draw(st.integers(1, 6)), draw(st.integers(-60, 200))
    key, gone = draw(st.sampled_from("ab")), draw(st.booleans())
    kind = draw(st.sampled_from([*ENDED, *REGISTERS, *DATED[:3]]))
    known: list[AnyFact] = [
        made(kind, f"{person}|{key}", day, version, amount=draw(st.sampled_from((1, 90))), gone=gone),
        certificate(f"{person}|{key}", day, version, gone=gone),
        certificate(f"{person}|{key}", day, version, until=day + draw(st.integers(1, 120))),
        employment(person, "RETIRED", day % 3, version, until=draw(st.none() | st.integers(1, 300))),
        bill(key, day, version, gone=gone),
        member("h", person, draw(st.sampled_from((-900, 70))), version, until=draw(st.none() | st.integers(0, 300))),
    ]
    return FactBody(person, draw(st.sampled_from(known)))


told_snapshots = st.lists(
    st.tuples(
        st.sampled_from(sorted(kind.feed for kind in [*ENDED, *REGISTERS, *DATED[:2]])),
        st.integers(JAN - 1, JAN + 6),
        st.integers(1, 7),
    ),
    max_size=6,
)


def tell(household: Household, each: FactBody | Snapshot) -> None:
    if isinstance(each, FactBody):
        household.fold(each)
    else:
        apply(household, *each)


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=14), snapshots=told_snapshots, data=st.data())
def test_order_and_repetition_of_facts_and_snapshots_decide_nothing(
    bodies: list[FactBody], snapshots: list[Snapshot], data: st.DataObject
) -> None:
    straight, mixed = home(), home()
    told: list[FactBody | Snapshot] = [*bodies, *snapshots]
    for each in told:
        tell(straight, each)
    for each in data.draw(st.permutations(told + told)):
        tell(mixed, each)
    assert canonical(straight) == canonical(mixed)
    for kind in OTHERS:
        assert straight.of_kind(kind) == mixed.of_kind(kind)


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=12), snapshots=told_snapshots, every=st.integers(1, 4))
def test_a_ledger_put_away_and_replayed_is_the_same(
    bodies: list[FactBody], snapshots: list[Snapshot], every: int
) -> None:
    once, away = home(), home()
    told: list[FactBody | Snapshot] = [*bodies[: len(snapshots)], *snapshots, *bodies[len(snapshots) :]]
    for at in range(2 * len(told)):
        each = told[at % len(told)]
        if at < len(told):
            tell(once, each)
        if at % every == 0:
            away = stored(away)
        tell(away, each)
    assert canonical(once) == canonical(away)
    assert encode_head(once.head) == encode_head(away.head)


@settings(deadline=None)
@given(bodies=st.lists(facts(), max_size=14), snapshot=told_snapshots.filter(bool))
def test_what_was_recorded_after_it_began_stands_and_nothing_outlives_a_snapshot(
    bodies: list[FactBody], snapshot: list[Snapshot]
) -> None:
    household = home(*(body for body in bodies if body.fact.feed != "civil.household"))
    feed, month, begun = snapshot[0]
    kind, first, after = KIND_OF_FEED[feed], first_day(month), first_day(month + 1)
    before = household.of_kind(kind)
    apply(household, feed, month, begun)
    now = {each.key: each for each in household.of_kind(kind)}
    for fact in before:
        if fact.recorded_ms >= begun or fact.day >= after or (by_month(feed) and fact.day < first):
            assert now[fact.key] == fact
        elif kind.ended_in is None or fact.day >= first:
            assert fact.key not in now
        else:
            ends = getattr(now[fact.key], kind.ended_in)
            assert ends is not None
            assert ends == min(first, getattr(fact, kind.ended_in) or first)


def test_a_certificate_not_repeated_ends_on_the_first_day_of_the_month() -> None:
    household = home(FactBody(ME, certificate("c", 0)), FactBody(YOU, certificate("d", 0, 9)))
    apply(household, FEED, MAY, 5)
    first = first_day(MAY)
    assert [each.until for each in household.of_kind(Disability, ME)] == [first]
    assert (len(disabilities(household, ME, first - 1)), disabilities(household, ME, first)) == (1, [])
    assert len(disabilities(household, YOU, first)) == 1
    before = canonical(household)
    apply(household, FEED, MAY, 5)
    apply(household, FEED, MAY, 4)
    assert canonical(household) == before


def test_who_is_named_again_later_holds_again() -> None:
    household = home(FactBody(ME, certificate("c", 0)), snapshots=[(FEED, MAY, 5)])
    household.fold(FactBody(ME, certificate("c", 0, 8)))
    apply(household, FEED, MAY + 1, 7)
    assert [each.until for each in household.of_kind(Disability, ME)] == [None]


def test_a_certificate_of_the_month_itself_that_is_missing_never_was() -> None:
    household = home(FactBody(ME, certificate("c", 125)), snapshots=[(FEED, MAY, 5)])
    assert household.of_kind(Disability) == []


def test_what_had_ended_before_keeps_its_end() -> None:
    household = home(FactBody(ME, certificate("c", 0, until=30)), snapshots=[(FEED, MAY, 5)])
    assert [each.until for each in household.of_kind(Disability)] == [START + 30]


def test_a_register_loses_what_it_does_not_name_and_a_holding_ends() -> None:
    sold, kept = made(Vehicle, "sold", 0), made(FamilyChange, "kept", 0)
    household = home(FactBody(ME, sold), FactBody(ME, kept))
    told = Vehicle("v", 1, 0, "e", "s", False, START, "car", "NEW", "x", "x", False)
    household.fold(FactBody(ME, told))
    apply(household, "vehicle.registration", MAY, 5)
    apply(household, "household.change", MAY, 5)
    assert [each.vehicle for each in vehicles(household, ME, first_day(MAY) - 1)] == ["car"]
    assert vehicles(household, ME, first_day(MAY)) == []
    assert household.of_kind(FamilyChange) == []


def test_dated_facts_lose_their_month_and_no_other() -> None:
    household = home(FactBody(ME, bill("b", 100)), FactBody(ME, bill("c", 125)))
    apply(household, "medical.settlement", MAY, 5)
    assert [each.key for each in household.bills()] == ["b"]


def test_a_snapshot_says_nothing_of_people_who_came_after_its_month() -> None:
    """Somebody registered in June was not in the register when May's rows came in: they were out of scope."""
    household = Household("h")
    apply(household, FEED, MAY, 5)
    household.fold(FactBody(ME, member("h", ME, 160)))
    household.fold(FactBody(ME, certificate("c", 0, 2)))
    assert [each.until for each in household.of_kind(Disability)] == [None]
    assert at_stake(household, snapshot_of(FEED)) == []
    apply(household, FEED, MAY + 1, 6)
    assert [each.until for each in household.of_kind(Disability)] == [first_day(MAY + 1)]


def test_at_stake_is_what_could_end() -> None:
    household = home(
        FactBody(ME, certificate("open", 0)),
        FactBody(ME, certificate("over", 0, until=30)),
        FactBody(ME, certificate("expired", 0, expires=40)),
        FactBody(YOU, certificate("later", 200)),
        FactBody(YOU, certificate("told", 0, 9)),
    )
    assert {each.key for each in at_stake(household, snapshot_of(FEED))} == {"open", "told"}
    assert {each.key for each in at_stake(household, snapshot_of(FEED, source="else"))} == set()
    assert {each.key for each in at_stake(household, snapshot_of("medical.settlement"))} == set()


@pytest.mark.parametrize("kind", ENDED, ids=lambda kind: kind.feed)
def test_every_kind_that_lasts_ends_in_a_field_of_its_own(kind: type[Fact]) -> None:
    assert kind.ended_in in kind.__struct_fields__
    assert kind.paged or kind.ended_in in kind.ends
    lasting: AnyFact = msgspec.structs.replace(made(kind, "k", 0), **dict.fromkeys({*kind.ends, kind.ended_in or ""}))
    household = home(FactBody(ME, lasting))
    apply(household, kind.feed, MAY, 5)
    assert [getattr(each, kind.ended_in or "") for each in household.of_kind(kind)] == [first_day(MAY)]


def test_a_snapshot_of_a_coming_month_brings_the_household_back_on_its_first_day() -> None:
    household = home(FactBody(ME, certificate("c", 0)), snapshots=[(FEED, MAY, 5)])
    assert next_change(household, START + 60) == first_day(MAY)


def test_the_document_names_what_ends_and_what_never_was() -> None:
    text = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")
    section = text.partition("## What a full snapshot ends")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    ended = set(re.findall(r"`([a-z_.]+)`", "".join(row for row in rows if row.startswith(("| lasts", "| is had")))))
    register = set(re.findall(r"`([a-z_.]+)`", "".join(row for row in rows if row.startswith("| is an entry"))))
    assert ended == {kind.feed for kind in ENDED}
    assert register == {kind.feed for kind in REGISTERS}
    assert all(not kind.ends or kind.ended_in in kind.ends for kind in OTHERS), "what ends by itself ends by a snapshot"
