"""The standard rises by a tenth in July: exactly the households between the two lines are told of, and nobody else."""

import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from gateway.identities import Linkage
from gateway.vault import Vault
from load_tests.city.driver import Driver
from load_tests.city.lines import Lines, load_lines
from load_tests.city.planner import City, Config
from load_tests.city.pocket import Pocket
from load_tests.city.truth import Report
from policy.bundle import Bundle
from schemas.alerts import Alert
from schemas.sealing import new_key_pair

ROOT = Path(__file__).resolve().parents[3]
RISES, FEN = date(2026, 7, 1), 110_000
STORY = "标准提高以后才低于线"


@dataclass(frozen=True)
class Run:
    city: City
    alerts: list[Alert]
    report: Report


def risen(folder: Path) -> Bundle:
    """The bureau's policy with its next standard, published in advance."""
    shutil.copytree(ROOT / "policy", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    page = folder / "339901000000" / "standards.yaml"
    values = yaml.safe_load(page.read_text(encoding="utf-8"))
    newest = values["dibao_month"]["values"][date(2023, 7, 1)]
    values["dibao_month"]["values"][date(2023, 7, 1)] = newest | {"until": RISES}
    values["dibao_month"]["values"][RISES] = newest | {"amount": f"{FEN // 100}元"}
    page.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return Bundle.load(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("city")
    page = load_lines().page
    lines = replace(Lines(page), page=page | {"dibao_month": page["dibao_month"] | {RISES: FEN}})
    config = Config(households=80, months=19, seed=5, every_rule=True, only=frozenset({"INCOME-LINE", "INCOME-RISE"}))
    city = City(config, folder, lines)
    pocket = Pocket(new_key_pair()[1], trial=("*",))
    with Vault(folder / "vault.sqlite", b"v" * 32) as vault:
        linkage = Linkage(b"k" * 32, synthetic=True)
        report = Driver(city, pocket, linkage, vault, risen(folder / "policy")).run()
    return Run(city, pocket.alerts(), report)


def test_who_lies_between_the_lines_is_told_of_since_that_day(run: Run) -> None:
    assert run.report.clean, run.report
    planted = [each for each in run.city.truth.expected if each.scenario == STORY]
    assert [each.since for each in planted] == [RISES]


def test_nothing_is_taken_back_and_nobody_else_is_told_of(run: Run) -> None:
    after = [alert for alert in run.alerts if alert.on >= RISES]
    assert {alert.state for alert in after} == {"raised", "updated"}
    raised = {(alert.detector, alert.household) for alert in after if alert.state == "raised"}
    assert len(raised) == 1
    assert {detector for detector, _ in raised} == {"INCOME-LINE"}
