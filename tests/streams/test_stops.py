"""A detector stopped by a person says nothing, loses nothing, and resumed it comes to what it would have come to."""

from functools import cache, partial

import pytest

from schemas.alerts import Alert
from schemas.records import GoliveBody, GoliveRecord, SwitchBody, SwitchRecord, decode_block, encode_block
from streams.metrics import METRICS
from streams.watch import Watch
from tests.streams.making import Log, alerts, config, content, fold, restored, story

CODE, CITY, TOWN = "MED-SELFPAY", "339901000000", "339901001000"
STOPPED, RESUMED, WEEKS, HOUSEHOLDS = 2, 8, 11, 20
STANDING = ("raised", "updated")


def switch(to: str, at_ms: int, area: str = CITY) -> SwitchRecord:
    return SwitchRecord("", at_ms, "", 0, 0, SwitchBody(area, CODE, to, "王", "核对口径"))  # type: ignore[arg-type]


def golive(at_ms: int) -> GoliveRecord:
    return GoliveRecord("", at_ms, "", 0, 0, GoliveBody(CITY, CODE, 7))


STOP, RESUME = partial(switch, "stop"), partial(switch, "resume")


@cache
def plain() -> Log:
    return story(HOUSEHOLDS, WEEKS)


@cache
def stopped() -> Log:
    return story(HOUSEHOLDS, WEEKS, {STOPPED: (STOP,), RESUMED: (RESUME,)})


def folded(log: Log) -> tuple[Watch, list[Alert]]:
    watch = Watch(0, config())
    fold(watch, log.blocks)
    drained = watch.drain()
    watch.keep(drained.state)
    return watch, alerts(drained)


def moment(log: Log, to: str) -> int:
    records = (record for _, _, value in log.blocks for record in decode_block(value))
    return next(each.known_at for each in records if isinstance(each, SwitchRecord) and each.body.to == to)


def during(said: list[Alert]) -> list[Alert]:
    first, last = moment(stopped(), "stop"), moment(stopped(), "resume")
    return [a for a in said if a.detector == CODE and first < a.known_at.timestamp() * 1000 < last]


def in_force(watch: Watch) -> set[tuple[str, str, str, int]]:
    heads = [(name, watch.household(name).head) for name in watch.names()]
    return {(name, e.detector, e.cause, e.since) for name, head in heads for e in head.episodes if e.ended is None}


def newest(said: list[Alert]) -> dict[str, Alert]:
    found: dict[str, Alert] = {}
    for each in said:
        found[each.alert_id] = max(each, found.get(each.alert_id, each), key=_revision)
    return found


def _revision(alert: Alert) -> int:
    return alert.revision


def test_a_stopped_detector_says_nothing_new_and_the_others_are_as_ever() -> None:
    before, after = folded(plain())[1], folded(stopped())[1]
    assert {a.state for a in during(before)} > {"raised"}, "nothing to be silent about"
    assert {a.state for a in during(after)} <= {"moved"}
    others = [[a.model_dump_json() for a in said if a.detector != CODE] for said in (before, after)]
    assert others[0] == others[1]
    assert others[0]


def test_resumed_it_comes_to_what_it_would_have_come_to() -> None:
    (one, before), (other, after) = folded(plain()), folded(stopped())
    assert in_force(one) == in_force(other)
    stop, resume = moment(stopped(), "stop"), moment(stopped(), "resume")
    old = {a.alert_id for a in before if a.known_at.timestamp() * 1000 < stop and a.detector == CODE}
    ends, again = newest(before), newest(after)
    for alert_id in old:
        assert (ends[alert_id].state in STANDING) == (again[alert_id].state in STANDING), alert_id
    assert any(ends[alert_id].state in STANDING for alert_id in old)
    assert {_matter(a) for a in ends.values() if a.state in STANDING} == {
        _matter(a) for a in again.values() if a.state in STANDING
    }
    caught_up = [a.state for a in after if a.detector == CODE and a.known_at.timestamp() * 1000 == resume]
    assert "raised" in caught_up
    assert not any(a.baseline for a in after if a.known_at.timestamp() * 1000 == resume)


def _matter(alert: Alert) -> tuple[str, str, str]:
    return alert.household, alert.detector, alert.cause


def test_what_had_been_said_and_ended_meanwhile_is_told_at_the_end() -> None:
    first, last = moment(stopped(), "stop"), moment(stopped(), "resume")
    before = folded(plain())[1]
    known = {a.alert_id for a in before if a.detector == CODE and a.known_at.timestamp() * 1000 < first}
    over = {a.alert_id for a in newest(before).values() if a.state in ("withdrawn", "lapsed")}
    ended = known & over & {a.alert_id for a in during(before) if a.state in ("withdrawn", "lapsed")}
    again = newest(folded(stopped())[1])
    assert ended
    assert all(again[alert_id].known_at.timestamp() * 1000 >= last for alert_id in ended)


@pytest.mark.parametrize("every", [5, 40])
def test_a_crash_while_it_is_stopped_changes_nothing(every: int) -> None:
    whole, said = folded(stopped())
    blocks, state, told = stopped().blocks, [], []
    watch = Watch(0, config())
    for start in range(0, len(blocks), every):
        fold(watch, blocks[start : start + every])
        drained = watch.drain()
        state += drained.state
        told += alerts(drained)
        watch = restored(state)
    assert content(watch) == content(whole)
    assert {(a.alert_id, a.revision) for a in told} == {(a.alert_id, a.revision) for a in said}


def test_a_golive_during_the_stop_releases_its_baseline_when_it_is_over() -> None:
    log = story(HOUSEHOLDS, WEEKS, {0: (STOP,), 4: (golive,), 8: (RESUME,)}, mute=CODE)
    resume = moment(log, "resume")
    said = [a for a in folded(log)[1] if a.detector == CODE]
    assert min(a.known_at.timestamp() * 1000 for a in said) == resume
    first = [a for a in said if a.known_at.timestamp() * 1000 == resume]
    assert first
    assert {(a.state, a.baseline, a.per_day, a.revision) for a in first} == {("raised", True, 7, 1)}


def test_a_stop_of_the_city_outlives_the_end_of_a_towns() -> None:
    log = story(8, 6, {1: (STOP, partial(switch, "stop", area=TOWN)), 3: (partial(switch, "resume", area=TOWN),)})
    first = moment(log, "stop")
    said = [a for a in folded(log)[1] if a.detector == CODE and a.known_at.timestamp() * 1000 > first]
    assert {a.state for a in said} <= {"moved"}


def test_the_gauge_says_in_how_many_areas_it_is_stopped() -> None:
    METRICS.set("lidm_detectors_stopped", 0, detector=CODE)
    log = story(2, 1, {0: (STOP, partial(switch, "stop", area=TOWN))})
    watch = Watch(0, config())
    fold(watch, log.blocks)
    assert METRICS.value("lidm_detectors_stopped", detector=CODE) == 2
    state = watch.drain().state
    METRICS.set("lidm_detectors_stopped", 0, detector=CODE)
    heir = restored(state)
    assert METRICS.value("lidm_detectors_stopped", detector=CODE) == 2
    for area in (CITY, TOWN, TOWN):
        log.control(switch("resume", 1, area))
    fold(heir, log.blocks)
    assert METRICS.value("lidm_detectors_stopped", detector=CODE) == 0


def test_the_record_survives_the_wire() -> None:
    assert decode_block(encode_block([switch("stop", 5)])) == [switch("stop", 5)]
