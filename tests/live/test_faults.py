"""Whatever dies, stalls, joins or goes away, ledgers, episodes, cases and rows equal an undisturbed run."""

import os
from pathlib import Path

import pytest

from load_tests.chaos.lab import STAGES
from load_tests.chaos.schedule import FAILPOINTS, STOP_SECONDS, STOPPED
from load_tests.chaos.story import KILLABLE, Plan, Story, live

pytestmark = [pytest.mark.live, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """One workload, undisturbed and under every fault in turn."""
    kept = os.environ.get("CHAOS_DIR")
    return live(Path(kept) if kept else tmp_path_factory.mktemp("chaos"), Plan())


def test_the_undisturbed_run_agrees_with_itself(story: Story) -> None:
    assert not story.calm_contradictions
    assert story.calm is not None
    assert len(story.calm.alerts) > 50
    assert len(story.calm.cases) > 50


def test_the_shaken_run_agrees_with_itself(story: Story) -> None:
    assert not story.contradictions[:20]


def test_ledgers_episodes_alerts_and_cases_equal_the_undisturbed_run(story: Story) -> None:
    assert not story.differences[:20]


def test_every_failpoint_was_hit_once(story: Story) -> None:
    expected = sorted(f"{stage}.{name}" for stage, names in FAILPOINTS.items() for name in names)
    assert sorted(story.journal.crashed) == expected


def test_kills_counted_only_at_work(story: Story) -> None:
    assert len(story.journal.kills) == Plan().kills
    assert {kill.split()[0] for kill in story.journal.kills} == set(KILLABLE)


def test_workers_came_and_went(story: Story) -> None:
    assert story.journal.joins >= 3 * 3 + 2 * 4


def test_a_frozen_worker_did_no_harm(story: Story) -> None:
    assert story.journal.thawed.keys() == set(STAGES[:3])
    assert set(story.journal.thawed.values()) <= {None, 0, STOPPED}


def test_sigterm_ends_with_zero_in_time(story: Story) -> None:
    assert not [stop for stop in story.journal.stops if stop[1] != 0 or stop[2] > STOP_SECONDS]


def test_rebuild_equals_the_running_state(story: Story) -> None:
    for origin in ("log", "archive"):
        assert story.rebuilt[origin]["different"] == 0, origin
        assert story.rebuilt[origin]["records"] > 500
        assert story.rebuilt[origin]["exit"] == 0


def test_a_wiped_state_comes_back_from_the_archive(story: Story) -> None:
    assert story.rebuilt["switched"]["switched"]
    assert not story.wiped


def test_nobody_stopped_who_was_not_meant_to(story: Story) -> None:
    """Whoever was frozen may say why it stopped."""
    assert len(story.complaints) <= len([code for code in story.journal.thawed.values() if code == STOPPED])
