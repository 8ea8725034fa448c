"""A disaster of an area becomes facts of those on record there: once, corrected, taken back, wherever they live now."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from itertools import permutations

import msgspec
import pytest

from detectors.registry import load_detectors
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.facts import AnyFact, Declared, Membership
from schemas.facts_contact import AreaIncident, Incident
from schemas.records import FactBody, FactRecord, GoliveBody, GoliveRecord, IncidentBody, IncidentRecord, Record, Route
from streams.rebuild import LoggedBlock
from streams.replay import differences, own_blocks, replay
from streams.watch import Watch
from tests.streams.making import Block, Log, alerts, config, content, fold, policy_record, settle

CODE, NUMBER = "DISASTER-ACCIDENT", "TF202607"
CITY, TOWN, OTHER = "339901000000", "339901001000", "339901002000"
DAY = date(2026, 7, 12)
AT = int(datetime(2026, 7, 13, 9, tzinfo=SHANGHAI).timestamp() * 1000)
RULES = {CODE: load_detectors()[CODE]}
HERE, THERE, LIVES_HERE, WORKS_HERE, LEFT, CAME = ("h_" + f"{n:032x}" for n in range(1, 7))
ALICE, BEN, CARA, DAN, EVE, FINN, GWEN = ("p_" + f"{n:032x}" for n in range(1, 8))


def stay(
    household: str, person: str, home: str, since: str = "2024-01-01", until: str | None = None, paid_by: str = ""
) -> FactRecord:
    """A stay; `home` "": of somebody who is not the head."""
    day, end = date.fromisoformat(since).toordinal(), date.fromisoformat(until).toordinal() if until else None
    decided = Declared(home, home, paid_by or home, home, 900_00, "期间", "文书") if home else None
    key = f"{household}|{person}|{since}"
    head = (key, AT + (1 if until else 0), 0, f"{key}/{until}", "民政", False, day)
    relation = "HEAD" if home else "SPOUSE"
    return told(household, person, Membership(*head, household, person, relation, end, None, (), decided))


def move(person: str, left: str, to: str, since: str) -> tuple[FactRecord, ...]:
    """As intake tells it: to both households."""
    came = stay(to, person, OTHER, since=since)
    body = msgspec.structs.replace(came.body, route=Route(came.body.fact.version, left))
    return tuple(FactRecord(each, AT, "", 0, 0, body) for each in (to, left))


def told(household: str, person: str, fact: AnyFact, at_ms: int = AT) -> FactRecord:
    return FactRecord(household, at_ms, "", 0, 0, FactBody(person, fact))


def confirmed(household: str, person: str, home: str, number: str = NUMBER, at_ms: int = AT) -> FactRecord:
    head = (f"{number}|{person}", at_ms, 0, f"c{at_ms}", "应急", False, DAY.toordinal())
    return told(household, person, Incident(*head, "TYPHOON", TOWN, "NONE", home, None, "NONE"), at_ms)


def declared(
    *areas: str, day: date = DAY, households: tuple[str, ...] = (), at_ms: int = AT + 10, number: str = NUMBER
) -> IncidentRecord:
    body = IncidentBody(number, "declare", "TYPHOON", day.toordinal(), areas or (TOWN,), households, "王", "应急局通报")
    return IncidentRecord("", at_ms, "", 0, 0, body)


def withdrawn(at_ms: int = AT + 20, number: str = NUMBER) -> IncidentRecord:
    return IncidentRecord("", at_ms, "", 0, 0, IncidentBody(number, "withdraw", "", 0, (), (), "王", "通报有误"))


PEOPLE = (
    stay(HERE, ALICE, TOWN),
    stay(HERE, BEN, ""),
    stay(THERE, CARA, OTHER),
    stay(LIVES_HERE, DAN, TOWN, paid_by=OTHER),
    stay(WORKS_HERE, EVE, OTHER, paid_by=TOWN),
    stay(LEFT, FINN, TOWN, until="2026-06-01"),
    stay(LEFT, FINN, OTHER, since="2026-06-01"),
)


Told = Record | tuple[FactRecord, ...]


@cache
def policy() -> Record:
    return policy_record(AT)


def town(*records: Told, at_once: bool = False) -> tuple[Log, Watch, list[Alert]]:
    """Everybody is registered, then these records, each a block; what the monitor mails is in the log behind it, or
    `at_once`: behind them all."""
    log, watch = Log(), Watch(0, config(), RULES)
    log.control(policy())
    log.tick(AT)
    log.control(GoliveRecord("", AT, "", 0, 0, GoliveBody(CITY, CODE, 5)))
    done, said = 0, []
    for place, each in enumerate((*PEOPLE, *records)):
        for record in each if isinstance(each, tuple) else (each,):
            log.control(record)
        waits = at_once and len(PEOPLE) <= place < len(PEOPLE) + len(records) - 1
        while not waits and done < len(log.blocks):
            fold(watch, log.blocks[done:])
            done = len(log.blocks)
            drained = watch.drain()
            watch.keep(drained.state)
            said += alerts(drained)
            log.letters(drained.outputs)
    return log, watch, said


def folded(blocks: Iterable[Block]) -> Watch:
    watch = Watch(0, config(), RULES)
    fold(watch, blocks)
    watch.keep(watch.drain().state)
    return watch


def held(watch: Watch) -> dict[str, set[str]]:
    """Households with the people who are told here of an incident."""
    found: dict[str, set[str]] = {}
    for name in watch.names():
        people = {each.key.rpartition("|")[2] for each in watch.household(name).of_kind(AreaIncident)}
        found |= {name: people} if people else {}
    return found


def standing(watch: Watch) -> set[tuple[str, str, int, int, int]]:
    heads = [(name, watch.household(name).head) for name in watch.names()]
    return {(h, e.alert_id, e.since, e.severity, e.measure) for h, head in heads for e in head.episodes if not e.ended}


def test_whoever_lived_there_that_day_is_in_the_batch_and_nobody_else() -> None:
    _, watch, said = town(declared())
    assert held(watch) == {HERE: {ALICE, BEN}, LIVES_HERE: {DAN}}
    assert {(a.household, a.state, a.cause, a.severity, a.measure) for a in said} == {
        (HERE, "raised", NUMBER, 4, 2),
        (LIVES_HERE, "raised", NUMBER, 4, 1),
    }
    assert not any(each in alert.model_dump_json() for alert in said for each in (THERE, CARA, EVE, FINN))
    assert len({alert.household for alert in said} & {LIVES_HERE}) == 1
    others = [a for a in said if a.household == HERE]
    assert DAN not in others[0].model_dump_json(), "no neighbour is evidence"


def test_a_home_the_tree_does_not_know_is_where_somebody_is_responsible_for_it() -> None:
    village = stay(CAME, GWEN, "339901001999", paid_by=TOWN)
    assert town(village, declared())[1].household(CAME).of_kind(AreaIncident)
    assert CAME in {h for h, *_ in standing(town(village, declared())[1])}
    assert CAME not in held(town(village, declared(OTHER))[1])


def test_an_area_above_the_homes_takes_them_all() -> None:
    _, watch, _ = town(declared(CITY))
    assert held(watch).keys() == {HERE, THERE, LIVES_HERE, WORKS_HERE, LEFT}


def test_several_towns_are_one_batch() -> None:
    _, watch, said = town(declared(TOWN, OTHER))
    assert held(watch).keys() == {HERE, THERE, LIVES_HERE, WORKS_HERE, LEFT}
    assert {a.household for a in said if "影响南斗镇" in a.reason} == {THERE, WORKS_HERE, LEFT}
    _, watch, said = town(declared(), declared(OTHER, TOWN, at_ms=AT + 15))
    assert [a.revision for a in said] == [1] * 5, "those of the first town hear nothing anew"


def test_said_twice_it_is_said_once() -> None:
    _, once, said = town(declared())
    _, twice, again = town(declared(), declared(at_ms=AT + 15))
    assert content(once) == content(twice)
    assert [a.revision for a in again] == [a.revision for a in said] == [1, 1]


def test_declared_again_it_is_the_whole_truth() -> None:
    _, watch, said = town(declared(), declared(OTHER, at_ms=AT + 15))
    assert held(watch).keys() == {THERE, WORKS_HERE, LEFT}
    ends = {a.household: a.state for a in said}
    assert ends == dict.fromkeys((HERE, LIVES_HERE), "withdrawn") | dict.fromkeys((THERE, WORKS_HERE, LEFT), "raised")
    _, watch, said = town(declared(), declared(day=date(2026, 5, 3), at_ms=AT + 15))
    assert held(watch).keys() == {HERE, LIVES_HERE, LEFT}
    assert {(a.household, a.since) for a in said if a.state == "updated"} == {
        (HERE, date(2026, 5, 3)),
        (LIVES_HERE, date(2026, 5, 3)),
    }


def test_withdrawn_nothing_is_left_but_what_people_confirmed() -> None:
    _, watch, said = town(declared(), confirmed(HERE, ALICE, "UNFIT", at_ms=AT + 12), withdrawn())
    assert held(watch) == {}
    assert {a.household: a.state for a in said} == {HERE: "updated", LIVES_HERE: "withdrawn"}
    assert [h for h, *_ in standing(watch)] == [HERE]
    _, watch, said = town(withdrawn(), withdrawn(number="TF1"))
    assert (held(watch), said) == ({}, [])


def test_at_one_moment_the_log_decides() -> None:
    """On a driven clock everything may be said in the same millisecond, or the clock may go back."""
    log, watch, _ = town(declared(at_ms=AT), withdrawn(AT), declared(at_ms=AT), withdrawn(AT - 5))
    assert (held(watch), standing(watch)) == ({}, set())
    _, watch, _ = town(declared(at_ms=AT), withdrawn(AT), declared(at_ms=AT - 5))
    assert held(watch).keys() == {HERE, LIVES_HERE}
    assert content(folded(log.blocks)) == content(town(declared(at_ms=AT), withdrawn(AT), declared(at_ms=AT),
                                                      withdrawn(AT - 5))[1])  # fmt: skip


@pytest.mark.parametrize("home", ["UNFIT", "DAMAGED", "INTACT"])
def test_declared_before_or_after_somebody_is_confirmed_it_is_the_same_episode(home: str) -> None:
    records: tuple[Told, ...] = (declared(), confirmed(HERE, ALICE, home), confirmed(HERE, BEN, "INTACT"))
    ends = [standing(town(*order)[1]) for order in permutations(records)]
    assert all(each == ends[0] for each in ends)
    assert {h for h, *_ in ends[0]} == ({LIVES_HERE} if home == "INTACT" else {HERE, LIVES_HERE})


def test_a_household_named_by_its_address_is_in_wherever_it_lives() -> None:
    _, watch, said = town(declared(TOWN, households=(THERE, CAME)))
    assert held(watch) == {THERE: {CARA}}
    assert "地址与本户相符" in said[0].reason
    _, watch, _ = town(declared(), declared(TOWN, households=(THERE,), at_ms=AT + 15))
    assert held(watch) == {THERE: {CARA}}


def test_who_is_registered_later_comes_in_when_it_is_declared_again() -> None:
    late = stay(CAME, GWEN, TOWN)
    _, watch, _ = town(declared(), late)
    assert CAME not in held(watch)
    _, watch, said = town(declared(), late, declared(at_ms=AT + 30))
    assert held(watch)[CAME] == {GWEN}
    assert [(a.household, a.revision) for a in said if a.household != CAME] == [(HERE, 1), (LIVES_HERE, 1)]


def test_it_goes_along_with_people_and_is_taken_back_there() -> None:
    moves = move(DAN, LIVES_HERE, CAME, "2026-07-13")
    _, watch, said = town(declared(), moves)
    assert DAN in held(watch)[CAME]
    assert {h for h, *_ in standing(watch)} == {HERE, CAME}
    assert {a.household for a in said} == {HERE, LIVES_HERE, CAME}


@pytest.mark.parametrize("at_once", [False, True])
def test_withdrawn_while_somebody_moves_nothing_is_left_anywhere(at_once: bool) -> None:
    moves = move(DAN, LIVES_HERE, CAME, "2026-07-13")
    records: tuple[Told, ...] = (declared(), moves, withdrawn())
    for order in permutations(records):
        _, watch, _ = town(*order, at_once=at_once)
        last = order.index(withdrawn()) > order.index(declared())
        assert (standing(watch) == set()) == last
        assert all(each.gone for each in _kept(watch)) == last
    _, watch, _ = town(declared(), moves, declared(OTHER, at_ms=AT + 11), declared(at_ms=AT + 12), at_once=at_once)
    assert {h for h, *_ in standing(watch)} == {HERE, CAME}


@pytest.mark.parametrize("at_once", [False, True])
def test_a_correction_is_told_by_the_household_of_that_day(at_once: bool) -> None:
    moves, earlier = move(DAN, LIVES_HERE, CAME, "2026-07-12"), date(2026, 7, 11)
    _, watch, said = town(declared(day=earlier), moves, declared(day=date(2026, 7, 10), at_ms=AT + 12), at_once=at_once)
    assert {each.day for each in _kept(watch)} == {date(2026, 7, 10).toordinal()}
    assert "withdrawn" not in {a.state for a in said if a.household == CAME}, "who came along was never in doubt"
    assert {h for h, *_ in standing(watch)} == {HERE, CAME}
    _, watch, _ = town(declared(day=earlier), moves, declared(CITY, at_ms=AT + 12), at_once=at_once)
    [dan] = watch.household(CAME).of_kind(AreaIncident)
    assert (dan.day, dan.gone) == (DAY.toordinal(), False), "now the new household tells, the old one takes back"
    assert {CAME, HERE} <= {h for h, *_ in standing(watch)}


def test_who_turns_out_to_have_left_before_is_out() -> None:
    records: tuple[Told, ...] = (declared(), move(DAN, LIVES_HERE, CAME, "2026-07-01"))
    for order in permutations(records):
        _, watch, said = town(*order)
        assert {h for h, *_ in standing(watch)} == {HERE}
        assert not [a for a in said if a.household == CAME]


def _kept(watch: Watch) -> list[AreaIncident]:
    heads = [watch.household(name) for name in watch.names()]
    return [f for h in heads for page in h.pages.values() for facts in page.values() for f in facts
            if isinstance(f, AreaIncident)]  # fmt: skip


STORY = (
    declared(),
    confirmed(HERE, ALICE, "UNFIT", at_ms=AT + 11),
    move(DAN, LIVES_HERE, CAME, "2026-07-13"),
    declared(CITY, at_ms=AT + 12),
    withdrawn(),
    declared(OTHER, at_ms=AT + 30),
)


@pytest.mark.parametrize("every", [1, 2, 5])
def test_a_restart_in_the_middle_changes_nothing(every: int) -> None:
    log, whole, said = town(*STORY)
    state: list = []  # type: ignore[type-arg]
    again: list[Alert] = []
    watch = Watch(0, config(), RULES)
    for start in range(0, len(log.blocks), every):
        fold(watch, log.blocks[max(0, start - 1) : start + every])  # the broker repeats what was not committed
        drained = watch.drain()
        state += drained.state
        again += alerts(drained)
        watch = Watch(0, config(), RULES)
        for item in state:
            watch.restore(item.key, item.value)
        watch.opened()
    assert content(watch) == content(whole)
    assert {(a.alert_id, a.revision) for a in again} == {(a.alert_id, a.revision) for a in said}
    assert {a.state for a in said} >= {"raised", "updated", "withdrawn"}


def test_one_household_alone_comes_to_the_same_alerts() -> None:
    log, _, said = town(*STORY)
    blocks = [LoggedBlock("g1", 0, *block) for block in log.blocks]
    for then in said:
        again = replay(own_blocks(blocks, then.household), then.alert_id, then.revision, [])
        assert again.reached is not None
        assert differences(then, again.reached) == []


def test_the_log_folded_again_is_the_same_state() -> None:
    log, watch, _ = town(*STORY)
    assert content(folded(log.blocks)) == content(watch)
    assert settle(log, folded(()), 0) == len(log.blocks)
