"""Accounts of unrelated households: whatever the order, the repetition and the crashes, ledgers come to the same."""

import random
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Stop
from schemas.links import decode_saying, encode_saying
from schemas.records import decode_block
from schemas.topics import HOUSEHOLD_EVENTS, LINKS
from streams.delivery import Letter
from streams.links import Links, links_of, owed, told_in
from streams.statelog import Item
from tests.streams.link_town import CONFIG, PARTS, Town, account, day, home, person, place

HOMES = range(1, 6)
Act = Callable[[Town], None]


def town() -> Town:
    made = Town()
    for n in HOMES:
        made.declare(n, n)
    made.settle()
    return made


def pays(n: int, acc: int = 1, since: str = "2026-02-01", until: str | None = None, version: int = 0,
         holder: str = "SELF", operation: str = "record") -> Act:  # fmt: skip
    data = {"account": account(acc), "holder": holder, "since": since} | ({"until": until} if until else {})
    return lambda made: made.publish("civil.payee", person(n), operation=operation, version=version, **data)


def kin(n: int, other: int, version: int = 0, operation: str = "record") -> Act:
    data = {"register_no": f"HB{n}{other}", "change": "MARRIAGE", "changed_on": "2026-01-10",
            "relative": person(other), "relation": "SPOUSE"}  # fmt: skip
    return lambda made: made.publish("household.change", person(n), operation=operation, version=version, **data)


def moves(who: int, to: int, since: str, version: int = 1) -> Act:
    return lambda made: made.declare(to, who, since, version=version)


def test_three_unrelated_households_are_each_told_and_nothing_of_the_others_but_where() -> None:
    made = town()
    for n in (1, 2, 3):
        pays(n)(made)
    made.settle()
    begun, all_three = day("2026-02-01"), {place(n) for n in (1, 2, 3)}
    assert made.told() == {
        (home(n), f"{account(1)}|{person(n)}", begun, ((begun, 3),), tuple(sorted(all_three - {place(n)})))
        for n in (1, 2, 3)
    }
    for each in made.households():
        mine = {int(who[2:], 16) for who in each.head.lasting}
        said = repr([fact for facts in each.head.lasting.values() for fact in facts])
        assert not [n for n in (1, 2, 3) if n not in mine and (person(n) in said or home(n) in said)]


def test_it_ends_where_it_ended_and_never_was_where_it_was_corrected() -> None:
    made = town()
    for n in (1, 2, 3):
        pays(n)(made)
    made.settle()
    pays(3, until="2026-05-01", version=5)(made)
    made.settle()
    steps = {key: steps for _, key, _, steps, _ in made.told()}
    assert steps[f"{account(1)}|{person(1)}"] == ((day("2026-02-01"), 3), (day("2026-05-01"), 2))
    assert steps[f"{account(1)}|{person(3)}"] == ((day("2026-02-01"), 3), (day("2026-05-01"), 0))
    for n in (2, 3):
        pays(n, version=9, operation="reverse")(made)
    made.settle()
    assert made.told() == set()


def test_relatives_institutions_and_two_members_are_no_strangers() -> None:
    made = town()
    for act in (pays(1), pays(2), kin(1, 2), pays(3, holder="INSTITUTION"), pays(4, acc=2), pays(5, acc=2)):
        act(made)
    made.settle()
    assert {key for _, key, *_ in made.told()} == {f"{account(2)}|{person(n)}" for n in (4, 5)}


def test_a_filler_in_the_place_of_an_account_does_not_flood_the_town() -> None:
    made = Town()
    for n in range(1, 61):
        made.declare(n, n)
        pays(n)(made)
    made.settle()
    before = sum(map(len, made.events))
    for n in range(61, 64):
        made.declare(n, n)
        pays(n)(made)
        made.settle()
    assert {count for _, _, _, steps, _ in made.told() for _, count in steps} == {20}
    assert sum(map(len, made.events)) - before < 3 * 4 * PARTS, "who knew of twenty is not told of one more"


def test_more_than_a_crowd_is_nobodys_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.links.CROWD", 4)
    made = town()
    for n in range(1, 5):
        pays(n)(made)
    made.settle()
    assert len(made.told()) == 4
    pays(5)(made)
    made.settle()
    assert made.told() == set()
    pays(5, until="2026-02-02", version=3)(made)
    made.settle()
    assert made.told() == set(), "however many remain: who ever used it counts"


def test_a_reset_forgets_what_is_not_durable() -> None:
    made = town()
    pays(1)(made)
    pays(2)(made)
    made.settle()
    pays(3)(made)
    for which in range(PARTS):
        made.step(which)
    [stage] = [each for each in made.links if each.at < len(each.log)]
    before = stage.part.records()
    stage.read(LINKS)
    assert stage.part.dirty
    assert stage.part.reset()
    assert (stage.part.dirty, stage.part.reached, stage.part.records()) == (0, stage.committed, before)
    stage.at = stage.committed
    made.settle()
    assert {steps for _, _, _, steps, _ in made.told()} == {((day("2026-02-01"), 3),)}


ACTS = st.one_of(
    st.builds(pays, st.sampled_from(HOMES), st.sampled_from((1, 2)), st.sampled_from(("2026-02-01", "2026-03-01")),
              st.sampled_from((None, "2026-03-01", "2026-06-01")), st.integers(1, 4),
              st.sampled_from(("SELF", "AGENT", "INSTITUTION")), st.sampled_from(("record", "record", "reverse"))),
    st.builds(pays, st.sampled_from(HOMES), st.just(1)),
    st.builds(kin, st.sampled_from((1, 2)), st.sampled_from((3, 4)), st.integers(1, 3),
              st.sampled_from(("record", "reverse"))),
    st.builds(moves, st.sampled_from((1, 2)), st.sampled_from((4, 5)), st.sampled_from(("2026-04-01", "2026-05-01"))),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=10), st.randoms(use_true_random=False))
def test_order_repetition_and_crashes_decide_nothing(acts: list[Act], chance: random.Random) -> None:
    plain, rough = town(), town()
    for act in acts:
        act(plain)
        plain.settle()
    assert plain.told() == plain.due()
    shuffled = [*acts, *chance.sample(acts, len(acts) // 2)]
    chance.shuffle(shuffled)
    for act in shuffled:
        act(rough)
        for _ in range(chance.randrange(4)):
            dies, limit = chance.random() < 0.4, chance.choice((1, 2, 1000))
            rough.step(chance.randrange(2 * PARTS), dies=dies, limit=limit, written=chance.random())
    rough.settle()
    assert rough.told() == rough.due()
    assert rough.told() == plain.told()


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=8), st.randoms(use_true_random=False))
def test_the_same_sayings_give_the_same_state_and_a_restart_owes_nothing(
    acts: list[Act], chance: random.Random
) -> None:
    made = town()
    for act in acts:
        act(made)
        made.step(chance.randrange(2 * PARTS))
    made.settle()
    for stage in made.links:
        again = Links(0, CONFIG)
        for offset, at_ms, value in stage.log:
            again.fold(LINKS, offset, at_ms, value)
        outputs = again.drain()
        again.keep(outputs.state)
        sayings = {key: raw for key, raw in stage.part.records().items() if "/h_" in key}
        assert {key: raw for key, raw in again.records().items() if "/h_" in key} == sayings
    restarted = _restarted(made)
    assert not [letter for part in restarted.values() for letter in part.drain().outputs]


def test_what_was_not_told_before_a_crash_is_owed_to_those_who_missed_it() -> None:
    made = town()
    for n in (1, 2, 3):
        pays(n)(made)
    made.settle()
    lost = [(p, block) for p, log in enumerate(made.events) for block in log
            if any(r.topic == LINKS for r in decode_block(block[2]))]  # fmt: skip
    for p, block in lost[:1]:
        made.events[p].remove(block)
        missed = {r.household for r in decode_block(block[2])}
    owed = [letter for part in _restarted(made).values() for letter in part.drain().outputs]
    assert {letter.topic for letter in owed} == {HOUSEHOLD_EVENTS}
    assert {r.household for letter in owed for r in decode_block(letter.value or b"")} == missed


def test_two_states_meet_and_the_later_records_win_whatever_was_written_last() -> None:
    made = town()
    for n in (1, 2, 3):
        pays(n)(made)
    made.settle()
    old = [list(stage.state) for stage in made.links]
    pays(3, until="2026-05-01", version=5)(made)
    made.settle()
    for p, stage in enumerate(made.links):
        late = Links(p, CONFIG)
        for item in (*stage.state, *old[p]):
            late.restore(item.key, item.value)
        rewritten = late.drain()
        late.keep(rewritten.state)
        assert late.records() == stage.part.records()
        assert not rewritten.outputs


def test_a_rebuilt_state_goes_on_where_it_was_and_tells_what_was_owed() -> None:
    made = town()
    for n in (1, 2, 3):
        pays(n)(made)
    made.settle()
    [p] = [p for p, log in enumerate(made.sayings) if log]
    one = next(told for log in made.events for _, _, block in log if (told := told_in(block)))
    for records in ([], one):
        said = [Letter(LINKS, p, None, value) for _, _, value in made.sayings[p]]
        parts = links_of(said, records, CONFIG)
        told = [r for each in owed(parts.values()) for r in told_in(each.value or b"")]
        assert {r.household for r in told} | {r.household for r in records} >= {home(n) for n in (1, 2, 3)}
        heir = Links(p, CONFIG)
        for item in parts[p].rebuilt(len(made.sayings[p])):
            heir.restore(item.key, item.value)
        heir.opened()
        heir.catch_up()
        assert heir.reached == len(made.sayings[p])
        assert not heir.drain().outputs


def test_a_rebuild_deletes_and_lowers_what_the_state_had() -> None:
    """The program shows less than it did: what it showed before is gone, and nothing is written again."""
    made = town()
    for n in (1, 2, 3):
        pays(n)(made)
    made.settle()
    [p] = [p for p, log in enumerate(made.sayings) if log]
    said = [decode_saying(value) for _, _, value in made.sayings[p]]
    fewer = [Letter(LINKS, p, None, encode_saying(msgspec.structs.replace(each, at=each.at - 1))) for each in said[:2]]
    rebuilt = links_of(fewer, [], CONFIG)
    owed(rebuilt.values())
    items = rebuilt[p].rebuilt(len(said))
    heir, before = Links(p, CONFIG), made.links[p].state
    for item in (*before, *(Item(each.key, None) for each in before), *items):
        heir.restore(item.key, item.value)
    heir.catch_up()
    assert not heir.drain().state
    assert heir.records() == {item.key.decode(): item.value for item in items[:-1]}


def test_a_crowd_met_again_after_a_gap_is_told_that_it_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    made = town()
    for n in HOMES:
        pays(n)(made)
    made.settle()
    told = [record for log in made.events for _, _, block in log for record in told_in(block)]
    monkeypatch.setattr("streams.links.CROWD", 2)
    said = [Letter(LINKS, p, None, value) for p, log in enumerate(made.sayings) for _, _, value in log]
    letters = owed(links_of(said, told, CONFIG).values())
    gone = {r.household for each in letters for r in told_in(each.value or b"") if r.body.fact.gone}
    assert gone == {home(n) for n in HOMES}


def test_what_is_no_saying_stops_the_stage() -> None:
    with pytest.raises(Stop):
        Links(0, CONFIG).fold(LINKS, 0, 0, b"{}")


def _restarted(made: Town) -> dict[int, Links]:
    """As the embedded service begins: sayings from folding the log again, what was told from the log."""
    again = Town()
    said = []
    for p, stage in enumerate(again.monitor):
        stage.log.extend(made.events[p])
        stage.read(HOUSEHOLD_EVENTS, len(stage.log))
        said += stage.checkpoint()
    told = [record for log in made.events for _, _, value in log for record in told_in(value)]
    parts = links_of(said, told, CONFIG)
    for part in parts.values():
        part.catch_up()
    return parts
