"""Unwatched rows leave no state; history before golive says nothing; golive releases what is in force, at the rate."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from cases.view import CaseView
from load_tests.chaos import scope
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from schemas.alerts import Alert
from schemas.case_words import EventType
from schemas.cases import CaseEvent, decode_event
from schemas.topics import ALERTS, CASE_EVENTS, HOUSEHOLD_EVENTS, MEMBERS, REJECTED, STATE
from tests.live.city import lidm

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
UNWATCHED = 100_000
FAMILIES = 120
PER_DAY = 8
NOW_MS = int(scope.NOW.timestamp() * 1000)
DAY_MS = int(timedelta(days=1).total_seconds() * 1000)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Families of one person, policy in force, nothing live."""
    with lab(tmp_path_factory.mktemp("scope"), workers=("intake", "monitor", "cases")) as made:
        made.begin(NOW_MS)
        made.publish(scope.families(FAMILIES, made.config.partitions))
        made.quiet("intake", "monitor")
        yield made


def alerts(made: Lab) -> list[Alert]:
    messages = read_all(made.config.broker, made.config.partitions, ALERTS)
    return [Alert.model_validate_json(message.value) for message in messages]


def case_events(made: Lab) -> list[CaseEvent]:
    return [decode_event(m.value) for m in read_all(made.config.broker, made.config.partitions, CASE_EVENTS)]


def test_unwatched_rows_leave_no_trace(city: Lab) -> None:
    unwatched_rows(city, UNWATCHED)


def unwatched_rows(city: Lab, rows: int) -> None:
    """Publishes rows of strangers and looks for any trace of them."""
    topics = (STATE, MEMBERS, REJECTED, HOUSEHOLD_EVENTS)
    before = {topic: city.lag.ends(topic) for topic in topics}
    assert city.publish(scope.strangers(rows, city.config.partitions)) == rows
    city.quiet("intake", "monitor")
    assert {topic: city.lag.ends(topic) for topic in topics} == before
    [intake] = city.fleet.of("intake")
    counted = [line for line in intake.asked("metrics").decode().splitlines() if "out_of_scope_total{" in line]
    assert [float(line.split()[-1]) for line in counted] == [rows]


def test_golive_with_an_example_parameter_is_refused(city: Lab) -> None:
    before = city.lag.ends(HOUSEHOLD_EVENTS)
    words = ("detectors", "golive", "330109000000", "MED-SELFPAY", "--per-day", "5", "--at", "2026-06-01")
    code, _, err = lidm(city.settings.data_dir, *words)
    assert code == 1
    assert "示例" in err
    assert city.lag.ends(HOUSEHOLD_EVENTS) == before


def test_history_is_silent_and_golive_releases_what_is_in_force_at_the_rate(city: Lab) -> None:
    city.publish(scope.history(FAMILIES, city.config.partitions))
    city.quiet("intake", "monitor")
    city.tick(NOW_MS + DAY_MS)
    city.quiet("monitor", "cases")
    assert not alerts(city)
    assert not case_events(city)

    city.golive("MED-SELFPAY", NOW_MS + DAY_MS, PER_DAY)
    city.quiet("monitor", "cases")
    said = alerts(city)
    assert {alert.household for alert in said} == scope.in_force(FAMILIES)
    assert {(alert.state, alert.baseline, alert.per_day) for alert in said} == {("raised", True, PER_DAY)}
    opened = view(city)
    assert {case.household for case in opened.cases.values()} == scope.in_force(FAMILIES)
    assert all(case.held for case in opened.cases.values())
    released_at_the_rate(city)


def released_at_the_rate(city: Lab) -> None:
    """Day after day at most the rate leaves the queue, of a partition at most its share, until none is held."""
    partitions = city.config.partitions
    for day in range(2, 30):
        city.case_tick(NOW_MS + day * DAY_MS)
        city.quiet("cases")
        if not any(case.held for case in view(city).cases.values()):
            break
    by_day: Counter[str] = Counter()
    by_place: Counter[tuple[int, str]] = Counter()
    for message in read_all(city.config.broker, partitions, CASE_EVENTS):
        event = decode_event(message.value)
        if event.type is EventType.RELEASED:
            by_day[str(event.at.date())] += 1
            by_place[message.partition, str(event.at.date())] += 1
    assert sum(by_day.values()) == len(scope.in_force(FAMILIES))
    assert max(by_day.values()) <= PER_DAY
    assert max(by_place.values()) <= -(-PER_DAY // partitions)
    assert len(by_day) > 1


def view(city: Lab) -> CaseView:
    made = CaseView()
    for event in case_events(city):
        made.apply(event)
    return made
