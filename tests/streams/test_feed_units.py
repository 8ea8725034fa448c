"""Rules about feeds in the monitor: alerts of the feed's unit, asked of nothing else; cases in the lane of data."""

from datetime import date

import pytest

from cases.deadlines import default_deadlines
from households.coverage import month_number
from schemas.alerts import Alert
from schemas.case_commands import Accept, Close, Verify
from schemas.case_words import Lane, Outcome, VerifyResult
from schemas.cases import OpenedBody
from schemas.feed_declaration import declared_unit
from schemas.feed_units import is_unit, unit_of
from schemas.feeds.report_cards import FeedDay
from schemas.records import BatchPartBody, BatchPartRecord, FactBody, FactRecord, GoliveBody, GoliveRecord, encode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.casework import Casework
from streams.delivery import Letter
from streams.watch import Watch
from tests.cases.builders import SEEN
from tests.streams.making import DETECTORS, Log, alerts, config, fold, policy_record, restored, story

KIND, OWNER = "medical.settlement", "市医疗保障局"
UNIT = unit_of(KIND, OWNER, OWNER)
CITY = "339901000000"
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1).toordinal()


def at_ms(day: str, hour: int = 12) -> int:
    return (date.fromisoformat(day).toordinal() - EPOCH) * DAY_MS + hour * 3_600_000


def card(day: str, flawed: int, version: int = 0) -> FactBody:
    head = (day, at_ms(day) + version, 0, f"{day}/{version}", "lidm", False, date.fromisoformat(day).toordinal())
    return FactBody(UNIT, FeedDay(*head, KIND, OWNER, "day", True, 400, 400, (("checksum", flawed),), ()))


def say(log: Log, *bodies: FactBody, day: str) -> None:
    records = [FactRecord(UNIT, at_ms(day), "", 0, 0, body) for body in bodies]
    log.letters([Letter(HOUSEHOLD_EVENTS, 0, None, encode_block(records), at_ms(day))])


def live(codes: tuple[str, ...] = ("ID-QUALITY",)) -> Log:
    log = Log()
    log.control(policy_record(at_ms("2026-05-01")))
    log.tick(at_ms("2026-05-01"))
    for code in codes:
        log.control(GoliveRecord("", at_ms("2026-05-01"), "", 0, 0, GoliveBody(CITY, code, 5)))
    return log


def told(log: Log) -> tuple[Watch, list[Alert]]:
    watch = Watch(0, config())
    fold(watch, log.blocks)
    drained = watch.drain()
    watch.keep(drained.state)
    return watch, alerts(drained)


def bad_then_good() -> Log:
    log = live()
    say(log, declared_unit(UNIT, CITY, at_ms("2026-05-04")), card("2026-05-04", 20), day="2026-05-04")
    log.tick(at_ms("2026-05-04", 13))
    say(log, card("2026-05-04", 20), day="2026-05-04")  # the same card, made again
    say(log, card("2026-05-05", 40), day="2026-05-05")
    log.tick(at_ms("2026-05-05", 13))
    say(log, card("2026-05-06", 0), day="2026-05-06")
    log.tick(at_ms("2026-05-06", 13))
    return log


def test_one_alert_is_raised_updated_and_lapses_when_the_feed_heals() -> None:
    _, said = told(bad_then_good())
    assert [(a.state, a.revision, a.measure, a.on.day) for a in said] == [
        ("raised", 1, 50, 4),
        ("updated", 2, 100, 5),
        ("lapsed", 3, 100, 6),
    ]
    first = said[0]
    assert (first.household, first.cause, first.family, first.subject) == (UNIT, "invalid", "quality", "FEED")
    assert first.areas is not None and first.areas.responsible == CITY
    assert first.threshold.document.title
    assert OWNER in first.reason and "医保结算" in first.reason
    assert {a.alert_id for a in said} == {first.alert_id}


def test_a_crash_in_between_says_the_same() -> None:
    log = bad_then_good()
    watch = Watch(0, config())
    fold(watch, log.blocks[:5])
    before = watch.drain()
    heir = restored(before.state)
    fold(heir, log.blocks)
    said = [a.model_dump_json() for a in (*alerts(before), *alerts(heir.drain()))]
    assert said == [a.model_dump_json() for a in told(log)[1]]


@pytest.mark.parametrize("mode", ["full_snapshot", "replace_period"])
def test_a_whole_register_without_the_unit_does_not_end_it(mode: str) -> None:
    log = live()
    say(log, declared_unit(UNIT, CITY, at_ms("2026-05-04")), card("2026-05-04", 0), day="2026-05-04")
    body = BatchPartBody("civil.household", "b", 0, 1, "2026-05", (CITY,), mode, 0, at_ms("2026-05-05"))
    log.control(BatchPartRecord("", at_ms("2026-05-05"), "", 0, 0, body))
    say(log, declared_unit(UNIT, CITY, at_ms("2026-05-05", 1)), card("2026-05-05", 20), day="2026-05-05")
    log.tick(at_ms("2026-06-06", 13))
    watch, said = told(log)
    assert [(a.state, a.areas and a.areas.responsible) for a in said] == [("raised", CITY), ("updated", CITY)]
    assert [each.feed for each in said[1].coverage] == ["feed.day"], "no card for a month: said, and nothing ends"
    assert watch.household(UNIT).responsible_area == CITY
    assert not watch.household(UNIT).spoken("civil.household")


def test_before_golive_nothing_is_said() -> None:
    log = live(())
    say(log, declared_unit(UNIT, CITY, at_ms("2026-05-04")), card("2026-05-04", 20), day="2026-05-04")
    log.tick(at_ms("2026-05-04", 13))
    assert told(log)[1] == []
    log.control(GoliveRecord("", at_ms("2026-05-05"), "", 0, 0, GoliveBody(CITY, "ID-QUALITY", 5)))
    [released] = told(log)[1]
    assert released.baseline


def test_households_are_not_asked_about_feeds_nor_feeds_about_households() -> None:
    log = story(households=4, weeks=3)
    end = max(at for _, at, _ in log.blocks)
    for code in ("ID-QUALITY", "AMOUNT-UNIT", "FEED-HEALTH", *DETECTORS):
        log.control(GoliveRecord("", end, "", 0, 0, GoliveBody(CITY, code, 5)))
    day = date.fromordinal(EPOCH + end // DAY_MS).isoformat()
    say(log, declared_unit(UNIT, CITY, end), card(day, 20), day=day)
    watch, said = told(log)
    for name in watch.names():
        household = watch.household(name)
        asked = {slot for slot in household.head.rechecks if slot != "*"}
        quality = {"ID-QUALITY", "AMOUNT-UNIT", "FEED-HEALTH"}
        assert asked <= quality if is_unit(name) else not asked & quality
    assert {a.household for a in said if a.family == "quality"} == {UNIT}
    assert not [a for a in said if is_unit(a.household) and a.family != "quality"]


def test_the_data_steward_gets_a_case_in_the_lane_of_data() -> None:
    work = Casework(0, 1, default_deadlines())
    opened, joined, noted = [work.on_alert(a, at_ms("2026-05-06")) for a in told(bad_then_good())[1]]
    [event] = opened
    assert isinstance(event.body, OpenedBody)
    assert (event.lane, event.household, event.body.areas and event.body.areas.responsible) == (Lane.DATA, UNIT, CITY)
    assert event.body.number.startswith("2026-339901-")
    assert [len(joined), len(noted)] == [1, 1]
    who = {"case_id": event.case_id, "household": UNIT, "actor": "数据专员"}
    for command in (
        Accept.model_validate({**who, "command_id": "c1"}),
        Verify.model_validate({**who, "command_id": "c2", "result": VerifyResult.DATA_ERROR, "evidence": [SEEN]}),
        Close.model_validate({**who, "command_id": "c3", "outcome": Outcome.CORRECTED}),
    ):
        work.on_command(command, at_ms("2026-05-07"))
    assert work.view.cases[event.case_id].closed is not None


def test_the_monitor_doubts_a_short_month_by_the_signed_line() -> None:
    kind, months = "employment.contribution", [f"2026-0{n}" for n in range(1, 6)]

    def closing(signed: bool) -> set[str]:
        log = live(()) if signed else Log()
        for period, rows in zip(months, (1000, 1010, 990, 1000, 500), strict=True):
            body = BatchPartBody(kind, period, 0, 1, period, (CITY,), "delta", rows, 1)
            log.control(BatchPartRecord("", at_ms("2026-06-20"), "", 0, 0, body))
        coverage = told(log)[0]._control.coverage  # noqa: SLF001 - nothing else tells
        return {period for period in months if coverage.closed(kind, month_number(period), (CITY,))}

    assert closing(signed=True) == set(months[:4])
    assert closing(signed=False) == set(months)
