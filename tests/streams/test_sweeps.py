"""A new policy or a golive asks everybody in turns: no burst, the same in the end, replays ask at the same place."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache

import pytest
import zstandard

from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.workload import Workload
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.records import (
    FactRecord,
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    SweepRecord,
    SwitchBody,
    SwitchRecord,
    TickRecord,
    decode_block,
)
from streams.rebuild import LoggedBlock, fold_log
from streams.replay import differences, own_blocks, replay
from streams.watch import Watch
from tests.streams.making import (
    DETECTORS,
    POLICY,
    Log,
    alerts,
    config,
    content,
    fold,
    policy_record,
    restored,
    settle,
    story,
)

CITY, CODE, HOUSEHOLDS, WEEKS, PACE = "339901000000", "MED-SELFPAY", 40, 8, 7


def policy(at_ms: int, pace: int) -> PolicyRecord:
    """Everybody's line of MED-SELFPAY at one yuan."""
    lower = Bundle.load(POLICY).narrowed(CITY, "medical_selfpay", {"line": {"OTHER": 100, "DIBAO": 100}})
    return PolicyRecord("", at_ms, "", 0, 0, PolicyBody(lower.hash, zstandard.compress(lower.canonical()), pace))


def golive(at_ms: int, pace: int, code: str = CODE) -> GoliveRecord:
    return GoliveRecord("", at_ms, "", 0, 0, GoliveBody(CITY, code, 5, pace))


def told(pace: int, *, mute: str = "", middle: bool = False) -> tuple[Log, Workload]:
    """Weeks of an invented town in which mail comes back a round later; a stricter policy at the end or in the middle,
    and where a rule was mute until then, its golive."""
    work, log, watch = Workload(HOUSEHOLDS, WEEKS, partitions=1, small=1.0), Log(), Watch(0, config())
    log.control(policy_record(work.begin_ms))
    log.tick(work.begin_ms)
    for code in (each for each in DETECTORS if each != mute):
        log.control(golive(work.begin_ms, 0, code))
    log.feed(work.roster())
    done = 0
    for week in work.weeks():
        for step in week.steps:
            log.feed(step)
            done = one_round(log, watch, done)
        log.tick(week.tick_ms)
        if week.number == (WEEKS // 4 if middle else WEEKS - 1):
            done = settle(log, watch, done) if not middle else done
            log.control(golive(week.tick_ms + 1, pace) if mute else policy(week.tick_ms + 1, pace))
    settle(log, watch, done)
    return log, work


def one_round(log: Log, watch: Watch, done: int) -> int:
    """Folds what is there; what it mails comes after it."""
    fold(watch, log.blocks[done:])
    done = len(log.blocks)
    drained = watch.drain()
    watch.keep(drained.state)
    log.letters(drained.outputs)
    return done


@cache
def at_end(pace: int, mute: str = "") -> Log:
    return told(pace, mute=mute)[0]


@cache
def in_middle(pace: int, mute: str = "") -> Log:
    return told(pace, mute=mute, middle=True)[0]


def rounds(log: Log) -> Iterator[list[Alert]]:
    """What is said with each block."""
    watch = Watch(0, config())
    for block in log.blocks:
        fold(watch, [block])
        drained = watch.drain()
        watch.keep(drained.state)
        yield alerts(drained)


def turns(log: Log) -> list[int]:
    """Where in the log the turns of sweeps are."""
    kinds = [[type(record) for record in decode_block(value)] for _, _, value in log.blocks]
    return [place for place, found in enumerate(kinds) if SweepRecord in found]


def in_force(log: Log) -> set[tuple[str, str, str, int]]:
    watch = Watch(0, config())
    fold(watch, log.blocks)
    heads = [(name, watch.household(name).head) for name in watch.names()]
    return {(name, e.detector, e.cause, e.since) for name, head in heads for e in head.episodes if e.ended is None}


def plain(said: list[Alert]) -> list[str]:
    return sorted(each.model_dump_json(exclude={"known_at"}) for each in said)


@pytest.mark.parametrize("mute", ["", CODE])
def test_in_turns_everybody_hears_the_same_and_never_more_at_once(mute: str) -> None:
    once, paced = list(rounds(at_end(0, mute))), list(rounds(at_end(PACE, mute)))
    places = turns(at_end(PACE, mute))
    assert len(places) == -(-HOUSEHOLDS // PACE)
    assert not turns(at_end(0, mute))
    burst = max(len({each.household for each in said}) for said in once[-2:])
    assert burst > 2 * PACE, "else there is no burst to spread"
    spread = [len({each.household for each in paced[place]}) for place in places]
    assert max(spread) <= PACE
    assert sum(spread) == burst
    assert plain([a for said in once for a in said]) == plain([a for said in paced for a in said])
    assert {a.baseline for place in places for a in paced[place]} == {bool(mute)}


@pytest.mark.parametrize("mute", ["", CODE])
def test_with_facts_and_ticks_between_the_turns_it_ends_in_the_same_episodes(mute: str) -> None:
    paced = in_middle(PACE, mute)
    places = turns(paced)
    between = [record for _, _, value in paced.blocks[places[0] : places[-1]] for record in decode_block(value)]
    assert {FactRecord, TickRecord} <= {type(each) for each in between}, "nothing came in between"
    assert in_force(paced) == in_force(in_middle(0, mute))


def test_what_was_there_is_told_in_turn_as_baseline_and_what_comes_at_once() -> None:
    paced = list(rounds(in_middle(PACE, CODE)))
    own = [a for said in paced for a in said if a.detector == CODE]
    first: dict[str, Alert] = {}
    for each in own:
        first.setdefault(each.alert_id, each)
    assert {each.baseline for each in first.values()} == {True, False}
    places = turns(in_middle(PACE, CODE))
    early = [a for said in paced[places[0] + 1 : places[-1]] for a in said if a.detector == CODE and not a.baseline]
    assert [a for a in early if a.revision == 1], "what is new waits for no turn"
    baseline = [place for place, said in enumerate(paced) for a in said if a.baseline and a.revision == 1]
    assert baseline
    assert set(baseline) <= set(places)


@pytest.mark.parametrize("every", [1, 5])
def test_a_crash_between_turns_says_turns_twice_and_changes_nothing(every: int) -> None:
    log, state, watch = in_middle(PACE), [], Watch(0, config())
    whole = Watch(0, config())
    fold(whole, log.blocks)
    whole.keep(whole.drain().state)
    for start in range(0, len(log.blocks), every):
        fold(watch, log.blocks[start : start + every])
        drained = watch.drain()
        state += drained.state
        watch = restored(state)
    assert content(watch) == content(whole)
    doubled = [block for place, block in enumerate(log.blocks) for _ in range(2 if place in turns(log) else 1)]
    again = Watch(0, config())
    fold(again, [(offset, at, value) for offset, (_, at, value) in enumerate(doubled)])
    again.keep(again.drain().state)
    assert content(again) == content(whole)


def test_a_household_alone_comes_to_the_same_alerts() -> None:
    log = in_middle(PACE)
    blocks = [LoggedBlock("g1", 0, *block) for block in log.blocks]
    said = [a for place in turns(log) for a in list(rounds(log))[place]]
    assert said
    for then in said[:: max(1, len(said) // 6)]:
        again = replay(own_blocks(blocks, then.household), then.alert_id, then.revision, [])
        assert again.reached is not None
        assert differences(then, again.reached) == []


def test_a_rebuild_comes_to_the_same_state() -> None:
    log = in_middle(PACE)
    whole = Watch(0, config())
    fold(whole, log.blocks)
    whole.keep(whole.drain().state)
    rebuilt = fold_log((LoggedBlock("g1", 0, *block) for block in log.blocks), config())[0]
    assert content(rebuilt) == content(whole)
    assert whole.known.kept.sweeps == rebuilt.known.kept.sweeps == []


def test_one_sweep_at_a_time_and_a_newer_policy_takes_the_place_of_an_older_one() -> None:
    log = Log()
    log.blocks = list(at_end(0).blocks)
    watch = Watch(0, config())
    done = one_round(log, watch, 0)
    at_ms = watch.known.kept.clock_ms
    records: list[Record] = [policy(at_ms + 1, PACE), golive(at_ms + 2, PACE, "INSURANCE-GAP")]
    for record in (*records, policy_record(at_ms + 3), policy(at_ms + 4, PACE)):
        log.control(record)
    done = one_round(log, watch, done)
    assert [each.kind for each in watch.known.kept.sweeps] == ["golive", "policy"]
    assert watch.awaited == 2 * len(watch.names())
    seen = []
    while watch.known.kept.sweeps:
        seen.append(watch.known.kept.sweeps[0].name)
        done = one_round(log, watch, done)
    assert seen == sorted(seen, key=lambda name: name.startswith("policy"))
    assert watch.awaited == 0


def town() -> tuple[Log, Watch, int]:
    """A small town in which MED-SELFPAY is not live yet and has something to say."""
    log, watch = Log(), Watch(0, config())
    log.blocks = list(story(40, 5, mute=CODE).blocks)
    return log, watch, one_round(log, watch, 0)


def baseline(watch: Watch) -> int:
    episodes = [each for name in watch.names() for each in watch.household(name).head.episodes if each.detector == CODE]
    assert {each.emitted for each in episodes if each.ended is None} == {True}
    return sum(each.baseline for each in episodes)


def test_a_stop_in_the_middle_of_a_golive_loses_no_baseline() -> None:
    log, watch, done = town()
    at_ms = watch.known.kept.clock_ms
    log.control(golive(at_ms + 1, 3))
    done = one_round(log, watch, done)
    done = one_round(log, watch, done)
    for to in ("stop", "resume"):
        body = SwitchBody(CITY, CODE, to, "王", "核对")
        log.control(SwitchRecord("", at_ms + 2, "", 0, 0, body))
        done = settle(log, watch, done)
    whole, same, rest = town()
    whole.control(golive(at_ms + 1, 0))
    settle(whole, same, rest)
    assert baseline(watch) == baseline(same) > 3


def test_what_comes_after_its_turn_is_news_also_after_a_stop() -> None:
    """Two of three households had their turn when the golive was stopped; what the first spends then is no stock."""
    at = datetime(2025, 5, 12, 12, tzinfo=SHANGHAI)
    log, watch, pen, people = Log(), Watch(0, config()), Pen(at, 1), [f"p_{n:032x}" for n in (1, 2, 3)]
    ms, born, since = int(at.timestamp() * 1000), date(1975, 6, 1), date(2024, 1, 1)

    def stays(who: str) -> Message:
        return pen.event("civil.household", f"m{who}", who, membership(f"h_{who[2:]}", since, "HEAD", born), since)

    def spends(who: str) -> Message:
        return pen.event("medical.settlement", f"b{who}", who, bill(f"S{who}", at.date(), 3_000_000), at.date())

    def switched(to: str) -> Record:
        return SwitchRecord("", ms + 2, "", 0, 0, SwitchBody(CITY, CODE, to, "王", "核对"))  # type: ignore[arg-type]

    log.control(policy_record(ms))
    log.tick(ms)
    log.feed([*map(stays, people), spends(people[2])])
    log.control(golive(ms + 1, 1))
    done = one_round(log, watch, one_round(log, watch, 0))
    log.control(switched("stop"))
    log.feed([spends(people[0])])
    log.control(switched("resume"))
    fold(watch, log.blocks[done:])
    told = {each.household[-1]: each.baseline for each in alerts(watch.drain()) if each.detector == CODE}
    assert told == {"1": False, "3": True}


def test_a_turn_that_was_lost_is_said_again_the_next_day() -> None:
    log, watch, done = town()
    log.control(golive(watch.known.kept.clock_ms + 1, 3))
    done = one_round(log, watch, done)
    del log.blocks[-1]  # it never arrived
    for hours in (1, 25):
        log.tick(watch.known.kept.clock_ms + hours * 3_600_000)
        done = settle(log, watch, done)
        assert bool(watch.known.kept.sweeps) == (hours == 1)
    assert baseline(watch) > 3
