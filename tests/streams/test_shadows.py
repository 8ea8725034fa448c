"""Rules that only watch: what is live is the same without them, and they say what they would say if they were live."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache, partial

import pytest
import zstandard

from detectors import registry
from detectors.findings import Findings
from detectors.registry import load_detectors
from households.ledger import Household
from policy.bundle import Bundle
from policy.parameters import Policy
from schemas.alerts import Alert
from schemas.records import PolicyBody, PolicyRecord, Record, ShadowBody, ShadowRecord, TransferRecord, decode_block
from schemas.shadows import rule_of
from schemas.topics import ALERTS_SHADOW
from streams.checkpoint import Drained
from streams.delivery import Letter
from streams.judge import Judge
from streams.metrics import METRICS
from streams.rebuild import LoggedBlock, fold_log
from streams.replay import differences, folded, own_blocks, policy_of, replay
from streams.shadows import ShadowGround, ShadowJudge
from streams.watch import Watch
from tests.streams.making import POLICY, Log, Said, alerts, config, content, fold, restored, story

CITY, TOWN, CODE, RUN, PACE = "339901000000", "339901001000", "MED-SELFPAY", "draft-1", 6
HOUSEHOLDS, WEEKS, BEGINS, ENDS = 16, 9, 3, 7


@cache
def draft() -> Bundle:
    """Everybody's line at one yuan."""
    return Bundle.load(POLICY).narrowed(CITY, "medical_selfpay", {"line": {"OTHER": 100, "DIBAO": 100}})


def shadow(
    to: str, at_ms: int, codes: tuple[str, ...] = (CODE,), area: str = CITY, drafted: bool = True, run: str = RUN
) -> Record:
    told = (draft().hash, zstandard.compress(draft().canonical())) if drafted and to == "start" else ("", b"")
    body = ShadowBody(run, to, area, codes, *told, "王", "试算新标准", PACE)  # type: ignore[arg-type]
    return ShadowRecord("", at_ms, "", 0, 0, body)


def activated(at_ms: int) -> Record:
    packed = zstandard.compress(draft().canonical())
    return PolicyRecord("", at_ms, "", 0, 0, PolicyBody(draft().hash, packed, PACE))


START, STOP = partial(shadow, "start"), partial(shadow, "stop")


@cache
def town(*said: tuple[int, Said]) -> Log:
    return story(HOUSEHOLDS, WEEKS, {week: (make,) for week, make in said})


def run(log: Log) -> tuple[Watch, list[Letter]]:
    """The town folded checkpoint by checkpoint, and everything it sends."""
    watch, sent = Watch(0, config()), []
    for block in log.blocks:
        fold(watch, [block])
        drained = watch.drain()
        watch.keep(drained.state)
        sent += drained.outputs
    return watch, sent


def live(sent: Iterable[Letter]) -> list[Alert]:
    return alerts(Drained(list(sent), []))


def watched(sent: Iterable[Letter]) -> list[Alert]:
    return [Alert.model_validate_json(each.value or b"") for each in sent if each.topic == ALERTS_SHADOW]


def episodes(watch: Watch, *, shadows: bool) -> set[tuple[str, str, str, int]]:
    heads = [(name, watch.household(name).head) for name in watch.names()]
    return {
        (name, rule_of(each.detector), each.cause, each.since)
        for name, head in heads
        for each in head.episodes
        if each.ended is None and each.shadow == shadows
    }


def test_what_is_live_is_the_same_to_the_byte_and_the_run_speaks_only_on_its_own_topic() -> None:
    (_, before), (_, after) = run(town()), run(town((BEGINS, START)))
    assert [each.model_dump_json() for each in live(before)] == [each.model_dump_json() for each in live(after)]
    assert not watched(before)
    said = watched(after)
    assert {each.detector for each in said} == {f"{CODE}~{RUN}"}
    assert not {each.alert_id for each in said} & {each.alert_id for each in live(after)}
    assert {each.threshold.policy for each in said} == {draft().short}
    assert {"raised", "moved"} <= {each.state for each in said}
    assert METRICS.value("lidm_shadow_alerts_total", detector=CODE, state="raised") > 0


def test_it_says_what_the_rule_would_say_under_the_draft() -> None:
    beside, instead = run(town((BEGINS, START)))[0], run(town((BEGINS, activated)))[0]
    ours = {each for each in episodes(instead, shadows=False) if each[1] == CODE}
    assert episodes(beside, shadows=True) == ours
    assert len(ours) > len({each for each in episodes(beside, shadows=False) if each[1] == CODE})


def test_a_rule_that_fails_in_a_run_moves_no_live_metric() -> None:
    def faulty(household: Household, on: date, policy: Policy) -> Findings:
        raise ZeroDivisionError

    rule = replace(load_detectors()[CODE], code=f"{CODE}~{RUN}", evaluate=faulty, quiet=None)
    watch = run(town())[0]
    ground = ShadowGround(RUN, watch.known)
    household = watch.household(watch.names()[0])
    for judge, counted in ((Judge({}), 1), (ShadowJudge({}), 0)):
        before = METRICS.value("lidm_detector_failures_total", detector=rule.code)
        judge.look(household, [rule], ground, 0)
        assert METRICS.value("lidm_detector_failures_total", detector=rule.code) - before == counted


def test_stopped_nothing_is_left_of_it() -> None:
    assert episodes(run(town((BEGINS, START)))[0], shadows=True)
    plain, ended = run(town())[0], run(town((BEGINS, START), (ENDS, STOP)))[0]
    assert content(ended) == content(plain)
    assert ended.known.shadows() == {}
    assert METRICS.value("lidm_shadow_runs") == 0


def test_a_name_is_used_once_and_a_stop_before_everybody_was_asked_leaves_nothing() -> None:
    log = town((BEGINS, START), (ENDS, STOP))
    watch, _ = run(log)
    again = Log()
    again.blocks = list(log.blocks)
    at_ms = watch.known.kept.clock_ms
    again.control(START(at_ms + 1))
    again.control(shadow("start", at_ms + 2, run="draft-2"))
    again.control(shadow("stop", at_ms + 3, run="draft-2"))
    fold(watch, again.blocks[len(log.blocks) :])
    assert [each.kind for each in watch.known.kept.sweeps] == ["forget"]
    done = len(again.blocks)
    while watch.known.kept.sweeps:
        drained = watch.drain()
        watch.keep(drained.state)
        again.letters(drained.outputs)
        fold(watch, again.blocks[done:])
        done = len(again.blocks)
    watch.keep(watch.drain().state)
    assert content(watch) == content(run(town())[0])


def test_it_asks_in_turns_and_only_in_its_area() -> None:
    log = town((BEGINS, START))
    watch, most = Watch(0, config()), 0
    for block in log.blocks:
        fold(watch, [block])
        drained = watch.drain()
        watch.keep(drained.state)
        first = {each.household for each in watched(drained.outputs) if each.revision == 1}
        if b"sweep.part" in block[2]:
            most = max(most, len(first))
    assert 0 < most <= PACE
    assert not watched(run(town((BEGINS, partial(START, area="330109000000"))))[1])


def test_episodes_of_a_run_go_along_with_nobody() -> None:
    log = town((0, START))
    carried = [
        each
        for _, _, value in log.blocks
        for record in decode_block(value)
        if isinstance(record, TransferRecord)
        for each in record.body.episodes
    ]
    assert carried
    assert not [each for each in carried if "~" in each.detector]


@pytest.mark.parametrize("every", [1, 7])
def test_crashes_and_a_rebuild_change_nothing(every: int) -> None:
    log = town((BEGINS, START), (ENDS, partial(shadow, "start", codes=("JOB-LOSS", CODE), drafted=False, run="plain")))
    whole, sent = run(log)
    watch, state, said = Watch(0, config()), [], []
    for start in range(0, len(log.blocks), every):
        fold(watch, log.blocks[start : start + every])
        drained = watch.drain()
        state += drained.state
        said += drained.outputs
        watch = restored(state)
    assert content(watch) == content(whole)
    assert watched(said) == watched(sent)
    rebuilt = fold_log((LoggedBlock("g1", 0, *block) for block in log.blocks), config())[0]
    assert content(rebuilt) == content(whole)
    assert set(rebuilt.known.drafts) == {RUN}


def test_a_household_folded_alone_comes_to_what_the_run_said_of_it() -> None:
    """At the same place of the log, whether or not a live rule speaks there too."""
    log = town((BEGINS, START), (ENDS, STOP))
    watch, said, alone = Watch(0, config()), list[tuple[Alert, int]](), 0
    for block in log.blocks:
        fold(watch, [block])
        drained = watch.drain()
        watch.keep(drained.state)
        heard = {each.household for each in live(drained.outputs)}
        here = watched(drained.outputs)
        said += [(each, block[0]) for each in here]
        alone += sum(each.household not in heard for each in here)
    assert {each.state for each, _ in said} >= {"raised", "moved"}
    assert alone > 0
    for then, offset in said:
        own = list(own_blocks((LoggedBlock("g1", 0, *block) for block in log.blocks), then.household))
        again = replay(own, then.alert_id, then.revision, [], shadow=True)
        assert again.reached is not None
        assert again.reached.block.offset == offset
        assert differences(then, again.reached) == []
        assert replay(own, then.alert_id, then.revision, []).reached is None
        found = policy_of(own, then.threshold.policy)
        assert found is not None
        assert found.hash == draft().hash


def test_replays_and_back_tests_do_not_follow_it() -> None:
    log = town((BEGINS, START))
    household = watched(run(log)[1])[0].household
    alone = folded(own_blocks((LoggedBlock("g1", 0, *block) for block in log.blocks), household))
    assert alone is not None
    assert not [each for each in alone.household(household).head.episodes if each.shadow]


def test_a_version_to_come_watches_beside_the_one_in_service(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = registry.load_detectors()[CODE]
    to_come = replace(rule, code="MED-SELFPAY-NEXT", version="99", instead_of=CODE, trial=True)
    monkeypatch.setitem(registry._REGISTERED, to_come.code, to_come)  # noqa: SLF001
    assert to_come.code not in registry.running(("*",))
    begin = partial(shadow, "start", codes=(to_come.code,), drafted=False)
    watch, sent = run(story(HOUSEHOLDS, WEEKS, {BEGINS: (begin,)}))
    said = watched(sent)
    assert {(each.detector, each.detector_version) for each in said} == {(f"{to_come.code}~{RUN}", "99")}
    same = {each[2:] for each in episodes(watch, shadows=False) if each[1] == CODE}
    assert {each[2:] for each in episodes(watch, shadows=True)} == same
    assert same
