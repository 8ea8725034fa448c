"""A whole small city through the pure halves of every stage: every planted episode, no look-alike, cases closed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.identities import Linkage
from gateway.vault import Vault
from load_tests.city.driver import Driver
from load_tests.city.planner import City, Config
from load_tests.city.pocket import Pocket
from load_tests.city.truth import Report
from policy.bundle import Bundle
from schemas.sealing import new_key_pair

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Run:
    driver: Driver
    pocket: Pocket
    report: Report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("city")
    city = City(Config(households=60, months=14, seed=5), folder)
    pocket = Pocket(new_key_pair()[1])
    with Vault(folder / "vault.sqlite", b"v" * 32) as vault:
        linkage = Linkage(b"k" * 32, synthetic=True)
        driver = Driver(city, pocket, linkage, vault, Bundle.load(ROOT / "policy"))
        report = driver.run()
    return Run(driver, pocket, report)


def test_every_planted_episode_is_there_and_no_look_alike_stands(run: Run) -> None:
    assert run.report.missed == ()
    assert run.report.false_alarms == ()
    assert run.report.wrong_end == ()
    assert run.report.planted >= 24


def test_alert_revisions_are_unique(run: Run) -> None:
    named = [(alert.alert_id, alert.revision) for alert in run.pocket.alerts()]
    assert len(set(named)) == len(named)


def test_every_row_is_counted_once(run: Run) -> None:
    city = run.driver.city
    assert run.pocket.counts["events"] == city.counts.total + run.driver.progress.garbage
    assert run.pocket.counts["out_of_scope"] == city.counts.strangers
    assert run.pocket.counts["rejected"] == run.driver.progress.garbage > 0
    assert run.driver.progress.bad_rows == 0


def test_cases_are_closed_and_no_command_is_refused(run: Run) -> None:
    progress = run.driver.progress
    assert progress.refused == 0
    assert progress.cases_closed > progress.cases_opened // 2
    assert progress.contacts_opened > 0


def test_alerts_of_a_silent_past_are_told_as_baseline(run: Run) -> None:
    baseline = {alert.alert_id for alert in run.pocket.alerts() if alert.baseline}
    assert baseline
    assert all(alert.on >= run.driver.city.golive for alert in run.pocket.alerts())
