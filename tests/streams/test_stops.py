"""A detector stopped by a person says nothing, loses nothing, and resumed it comes to what it would have come to."""

from datetime import date, datetime, timedelta
from functools import cache, partial

import pytest

from load_tests.chaos.events import Pen, bill, membership
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.records import GoliveBody, GoliveRecord, SwitchBody, SwitchRecord, decode_block, encode_block
from streams.metrics import METRICS
from streams.watch import Watch
from tests.streams.making import Log, alerts, config, content, fold, policy_record, restored, story

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


def test_what_ended_meanwhile_is_told_at_the_end_and_what_came_and_went_is_not() -> None:
    log, at = Log(), datetime(2025, 5, 12, 12, tzinfo=SHANGHAI)
    ms, day = int(at.timestamp() * 1000), at.date()
    anna, bert = (f"p_{n:032x}" for n in (1, 2))
    log.control(policy_record(ms))
    log.tick(ms)
    log.control(golive(ms))
    pen = Pen(at, 1)
    born, since = date(1975, 6, 1), date(2024, 1, 1)
    log.feed(
        pen.event("civil.household", f"m{who}", who, membership(f"h_{who[2:]}", since, "HEAD", born), since)
        for who in (anna, bert)
    )
    for kind in ("medical.settlement", "medical.reimbursement"):  # complete, or nothing could end
        log.feed(pen.manifests("begin", kind, kind, "2025-04", [0]))
        log.feed(pen.manifests("end", kind, kind, "2025-04", [0]))
    log.feed([pen.event("medical.settlement", "1", anna, bill("S1", day, 3_000_000), day)])
    log.control(switch("stop", ms + 1))
    log.feed([pen.event("medical.settlement", "2", bert, bill("S2", day, 3_000_000), day)])
    later = Pen(at + timedelta(days=1), 1)
    for name, who in (("S1", anna), ("S2", bert)):
        log.feed([later.event("medical.settlement", name, who, {"settle_no": name}, day, operation="reverse")])
    log.tick(later.ms)
    watch = Watch(0, config())
    fold(watch, log.blocks)
    drained = watch.drain()
    watch.keep(drained.state)
    first = alerts(drained)
    assert [(a.state, a.evidence[0].key) for a in first] == [("raised", "S1")] * len(first)
    assert first
    log.control(switch("resume", later.ms + 1))
    fold(watch, log.blocks)
    last = alerts(watch.drain())
    assert {(a.alert_id, a.state, a.revision) for a in last} == {(a.alert_id, "withdrawn", 2) for a in first}


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
