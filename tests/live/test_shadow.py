"""A shadow run over a real broker and store: nobody hears of it, its report tells what a golive would release, and a
golive in turns survives a killed monitor."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from lidm.control_records import append_everywhere
from load_tests.chaos import scope
from load_tests.chaos.events import CITY
from load_tests.chaos.fleet import wait_until
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.outcome import contradictions
from load_tests.chaos.topics import read_all
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.records import GoliveBody, GoliveRecord, SweepRecord, decode_block
from schemas.topics import ALERTS, ALERTS_SHADOW, CASE_EVENTS, HOUSEHOLD_EVENTS
from tests.live.city import lidm

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]
FAMILIES, PACE, CODE = 120, 4, "MED-SELFPAY"
NOW_MS = int(scope.NOW.timestamp() * 1000)
DAY_MS = int(timedelta(days=1).total_seconds() * 1000)
EVERY = ("intake", "monitor", "cases", "archive")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Families with a history of bills; nothing is live."""
    with lab(tmp_path_factory.mktemp("shadow")) as made:
        made.begin(NOW_MS)
        made.publish(scope.families(FAMILIES, made.config.partitions))
        made.quiet("intake")  # a bill that is read before its family is known is somebody's whom nobody watches
        made.publish(scope.history(FAMILIES, made.config.partitions))
        made.quiet("intake", "monitor")
        made.tick(NOW_MS + DAY_MS)
        made.quiet(*EVERY)
        yield made


def shadow(made: Lab, *words: str) -> str:
    code, out, err = lidm(made.settings.data_dir, "detectors", "shadow", *words)
    assert code == 0, err
    return out


def turns(made: Lab) -> set[tuple[str, str | None]]:
    """After whom and until whom households were asked in turns of a golive."""
    blocks = read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS)
    sweeps = [each.body for block in blocks for each in decode_block(block.value) if isinstance(each, SweepRecord)]
    return {(each.after, each.until) for each in sweeps if each.sweep.startswith("golive/")}


def said(made: Lab, topic: str) -> list[Alert]:
    messages = read_all(made.config.broker, made.config.partitions, topic)
    return [Alert.model_validate_json(message.value) for message in messages]


def when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S")


def _nobody_hears_of_a_run_and_its_report_tells_what_a_golive_would_release(city: Lab) -> None:
    shadow(
        city, "start", "trial-1", "--area", CITY, "--rule", CODE, "--reason", "先看看", "--at", when(NOW_MS + DAY_MS)
    )
    city.quiet(*EVERY)
    expected = scope.in_force(FAMILIES)
    assert {each.household for each in said(city, ALERTS_SHADOW)} == expected
    assert not said(city, ALERTS)
    assert not read_all(city.config.broker, city.config.partitions, CASE_EVENTS)
    told = json.loads(shadow(city, "report", "trial-1", "--json"))
    assert (told["total"]["gained"], told["total"]["before"]) == (len(expected), 0)
    assert [CODE in note for note in told["notes"]] == [True]


def _a_golive_in_turns_survives_a_killed_monitor(city: Lab) -> None:
    at = datetime.fromtimestamp(NOW_MS / 1000 + 2 * 86_400, SHANGHAI)
    body = GoliveBody(CITY, CODE, 50, PACE)
    append_everywhere(city.settings, lambda known_at: GoliveRecord("", known_at, "", 0, 0, body), at)
    [monitor] = city.fleet.of("monitor")
    wait_until(lambda: turns(city), 60, "no turn of the golive")
    monitor.kill()
    assert len(turns(city)) < FAMILIES // PACE, "the golive was over before the kill"
    city.ready(city.fleet.start("monitor"))
    city.quiet(*EVERY)
    alerts = said(city, ALERTS)
    assert {each.household for each in alerts} == scope.in_force(FAMILIES)
    told_as = {(each.state, each.baseline, each.per_day, each.quota_area) for each in alerts}
    assert told_as == {("raised", True, 50, CITY)}
    assert len(turns(city)) >= FAMILIES // PACE
    told = json.loads(shadow(city, "report", "trial-1", "--json"))
    expected = len(scope.in_force(FAMILIES))
    assert (told["total"]["same"], told["total"]["gained"], told["total"]["lost"]) == (expected, 0, 0)


def _stopped_its_report_stays_and_everything_follows_from_the_log(city: Lab) -> None:
    shadow(city, "stop", "trial-1", "--reason", "看完了", "--at", when(NOW_MS + 3 * DAY_MS))
    city.quiet(*EVERY)
    before = len(said(city, ALERTS_SHADOW))
    city.tick(NOW_MS + 4 * DAY_MS)
    city.quiet(*EVERY)
    assert len(said(city, ALERTS_SHADOW)) == before
    told = json.loads(shadow(city, "report", "trial-1", "--json"))
    assert told["run"]["ended_for"] == "看完了"
    assert told["total"]["same"] == len(scope.in_force(FAMILIES))
    assert contradictions(city) == []


def test_a_run_is_heard_by_nobody_outlives_a_golive_and_ends_with_its_report(city: Lab) -> None:
    """One story: each part begins where the one before it ended."""
    _nobody_hears_of_a_run_and_its_report_tells_what_a_golive_would_release(city)
    _a_golive_in_turns_survives_a_killed_monitor(city)
    _stopped_its_report_stays_and_everything_follows_from_the_log(city)
