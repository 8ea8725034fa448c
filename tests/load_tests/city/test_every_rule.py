"""A city in which every rule runs: whatever is planted for it is found as planned, and nothing else stands."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from detectors.registry import load_detectors
from gateway.identities import Linkage
from gateway.vault import Vault
from load_tests.city.driver import Driver
from load_tests.city.lines import load_lines
from load_tests.city.planner import City, Config
from load_tests.city.pocket import Pocket
from load_tests.city.ratios import ratios_of
from load_tests.city.scenarios.calls import TYPHOON
from load_tests.city.scenarios.catalogue import EVERY, ON_TRIAL, PLANTED
from load_tests.city.truth import Report
from policy.bundle import Bundle
from policy.catalogue import items_of
from schemas.cases import OpenedBody
from schemas.sealing import new_key_pair

ROOT = Path(__file__).resolve().parents[3]
TRIAL = sorted(set(EVERY) - set(PLANTED))


@dataclass(frozen=True)
class Run:
    driver: Driver
    pocket: Pocket
    report: Report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("city")
    city = City(Config(households=170, months=14, seed=5, every_rule=True), folder)
    pocket = Pocket(new_key_pair()[1], trial=("*",))
    with Vault(folder / "vault.sqlite", b"v" * 32) as vault:
        driver = Driver(city, pocket, Linkage(b"k" * 32, synthetic=True), vault, Bundle.load(ROOT / "policy"))
        report = driver.run()
    return Run(driver, pocket, report)


def test_recall_and_precision_are_whole(run: Run) -> None:
    assert run.report.missed == ()
    assert run.report.false_alarms == ()
    assert run.report.wrong_end == ()
    assert run.report.planted >= 100


def test_every_rule_about_households_is_planted() -> None:
    assert set(EVERY) == {code for code, each in load_detectors().items() if each.about == "household"}


@pytest.mark.parametrize("code", TRIAL)
def test_a_rule_on_trial_has_what_must_be_found_and_two_look_alikes(run: Run, code: str) -> None:
    planted = {script.scenario for script in run.driver.city.scripts if script.look_alike}
    look_alikes = [each for each in ON_TRIAL if each.rule == code and each.look_alike and each.name in planted]
    found = [each for each in run.driver.city.truth.expected if each.detector == code and each.ends != "withdrawn"]
    assert len(look_alikes) >= 2
    assert found


def test_rows_of_every_department_are_taken(run: Run) -> None:
    city = run.driver.city
    assert run.driver.progress.bad_rows == 0
    assert run.pocket.counts["rejected"] == run.driver.progress.garbage
    changes = (change for script in city.scripts for change in script.changes)
    repeated = sum(max(0, len(line.schemes) - 1) for change in changes for line in change.lines)
    assert repeated, "who holds two schemes stands in the roster twice and is one event"
    assert run.pocket.counts["events"] == city.counts.total - repeated + run.driver.progress.garbage


def test_a_disaster_day_waits_for_nobody(run: Run) -> None:
    """Everybody the storm struck is told of in the same week, and no case of theirs is held."""
    told = [alert for alert in run.pocket.alerts() if alert.cause == TYPHOON and alert.state == "raised"]
    assert len({alert.household for alert in told}) == 5
    assert len({alert.on for alert in told}) == 1
    opened = [event.body for event in run.pocket.every_case_event if event.household in {a.household for a in told}]
    assert not [body for body in opened if isinstance(body, OpenedBody) and body.held]


def test_the_ratios_leave_out_what_was_in_force_before(run: Run) -> None:
    city = run.driver.city
    ratios = ratios_of(city, run.pocket.alerts(), run.pocket.every_case_event)
    ids = {alert.alert_id for alert in run.pocket.alerts()}
    baseline = {alert.alert_id for alert in run.pocket.alerts() if alert.baseline}
    assert baseline
    assert (ratios.raw, ratios.baseline) == (len(ids - baseline), len(baseline))
    years = (city.span.last_tick - city.golive).days / 365.25
    people = sum(len(each.members) for each in city.households())
    assert ratios.raw_per_person_year == pytest.approx(ratios.raw / people / years)
    assert ratios.alerted <= ratios.raw
    assert ratios.cases == run.driver.progress.cases_opened


def test_the_planner_knows_what_the_bureau_decided_for_rules_on_trial() -> None:
    lines = load_lines()
    policy = Bundle.load(ROOT / "policy").on(date(2025, 12, 1))
    compared = set()
    for code in TRIAL:
        name = load_detectors()[code].rule
        rule = policy.rule(name, lines.city)
        for key in rule.values.keys() & lines.page.get(name, {}).keys():
            assert rule.number(key) == lines.page[name][key], (name, key)
            compared.add(code)
    assert set(TRIAL) - compared == {"CHILD-GUARDIAN", "COMPOUND"}  # their stories keep far from every number
    items = policy.rule("package_gap", lines.city)
    page = lines.page["package_gap"]
    assert items.since == page["catalogue_since"]
    days = {item.label: item.within_days for item in items_of(items)}
    assert (days["医保资助参保"], days["学生资助"]) == (page["insurance_days"], page["school_days"])


@pytest.mark.parametrize("town", ["339901001000", "339901008000"])
def test_the_planner_knows_how_each_town_counts_income(town: str) -> None:
    lines = load_lines()
    rule = Bundle.load(ROOT / "policy").on(date(2025, 12, 1)).rule("household_income", town)
    page = lines.income(town)
    assert int(rule.word("window_months")) == page["window_months"]
    assert rule.number("job_cost_month") == page["job_cost"]
    assert rule.word("silent_month") == page["silent_month"]
