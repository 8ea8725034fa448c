"""The comparison finds what is missing, what should not stand, and what ended otherwise."""

from datetime import UTC, date, datetime
from typing import Any

from gateway.identities import Linkage
from load_tests.city.people import Numbers
from load_tests.city.truth import Episode, Expected, Resolver, Truth, compare, standing
from schemas.alerts import Alert

LINKAGE = Linkage(b"k" * 32, synthetic=True)
RESOLVER = Resolver(LINKAGE, "339901000000")
NUMBER = Numbers().next(date(1960, 1, 1))
SINCE = date(2025, 5, 12)
PLANNED = Expected("XH0000001", NUMBER, "MED-SELFPAY", "{person}/rolling_12m", SINCE, "in_force", "示例")
TRUTH = Truth((PLANNED,), {"XH0000002": "看似"}, 10)


def episode(**changes: Any) -> Episode:
    found = RESOLVER.episode(PLANNED)
    fields = {name: getattr(found, name) for name in ("household", "detector", "cause", "since", "ends")}
    return Episode(**(fields | changes))


def alert(revision: int, state: str, household: str = "h_a", alert_id: str = "a") -> Alert:
    return Alert.model_validate(
        {
            "alert_id": alert_id, "revision": revision, "state": state, "household": household, "areas": None,
            "detector": "D", "detector_version": "1", "family": "risk", "subject": "HEAD", "cause": "c",
            "since": SINCE, "severity": 2, "measure": 1, "unit": "fen",
            "threshold": {"value": 1, "document": {"title": "t", "status": "pilot"}, "policy": "p"}, "reason": "r",
            "evidence": [], "coverage": [], "baseline": False, "on": SINCE,
            "known_at": datetime(2025, 5, 13, tzinfo=UTC),
        }
    )  # fmt: skip


def test_what_was_planned_and_found_is_clean() -> None:
    report = compare(TRUTH, [episode()], RESOLVER)
    assert report.clean
    assert (report.planted, report.found) == (1, 1)


def test_a_missing_episode_is_named_with_its_scenario() -> None:
    report = compare(TRUTH, [], RESOLVER)
    assert [scenario for scenario, _ in report.missed] == ["示例"]
    assert not report.clean


def test_another_end_or_beginning_is_wrong() -> None:
    for changed in (episode(ends="withdrawn"), episode(since=date(2025, 5, 11))):
        report = compare(TRUTH, [changed], RESOLVER)
        assert [wrong.found for wrong in report.wrong_end] == [changed]
        assert not report.missed


def test_a_standing_episode_nobody_planned_is_a_false_alarm_everywhere() -> None:
    for household in (RESOLVER.household("XH0000002"), RESOLVER.household("XH0000009")):
        report = compare(TRUTH, [episode(), episode(household=household)], RESOLVER)
        assert len(report.false_alarms) == 1


def test_a_withdrawn_transient_is_false_only_in_an_ordinary_household() -> None:
    look_alike = episode(household=RESOLVER.household("XH0000002"), ends="withdrawn")
    ordinary = episode(household=RESOLVER.household("XH0000009"), ends="withdrawn")
    assert compare(TRUTH, [episode(), look_alike], RESOLVER).clean
    assert compare(TRUTH, [episode(), ordinary], RESOLVER).false_alarms == (ordinary,)


def test_a_second_episode_of_one_cause_does_not_hide_behind_the_first() -> None:
    twin = episode(since=date(2025, 7, 1))
    for found in ([episode(), twin], [twin, episode()]):
        assert compare(TRUTH, found, RESOLVER).false_alarms == (twin,)


def test_the_newest_revision_stands_whatever_the_order() -> None:
    revisions = [alert(3, "withdrawn"), alert(1, "raised"), alert(2, "updated")]
    assert [each.ends for each in standing(revisions)] == ["withdrawn"]


def test_a_moved_alert_stands_in_both_households() -> None:
    found = standing([alert(1, "raised"), alert(2, "moved"), alert(3, "updated", household="h_b")])
    assert [(each.household, each.ends) for each in found] == [("h_a", "moved"), ("h_b", "in_force")]
