"""What has to be looked after: values that ended, that nobody checked, that are missing where rules need them."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import policy
from policy.bundle import Bundle
from policy.readiness import Finding, findings

HERE = Path(policy.__file__).parent
CITY, SHENGZHOU = "339901000000", "330683000000"
STANDARDS = f"{CITY}/standards.yaml"
CHECKED = "last_value_still_valid_on: 2026-11-01"
TODAY = date(2026, 11, 22)
NEEDED = {"dibao_month": ("RIGID-RATIO",), "rigid_ratio": ("RIGID-RATIO",)}
Edited = Callable[[str, str, str], Bundle]


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    """The repository's policy with one text of one file replaced everywhere in it."""

    def bundle(file: str, old: str, new: str) -> Bundle:
        folder = tmp_path / "policy"
        shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return Bundle.load(folder)

    return bundle


def of(found: list[Finding], area: str, name: str = "dibao_month") -> list[Finding]:
    return [each for each in found if (each.area, each.name) == (area, name)]


def test_a_standard_that_ended_names_the_rules_that_stop() -> None:
    (found,) = of(findings(Bundle.load(HERE), TODAY, NEEDED), SHENGZHOU)
    assert (found.code, found.day, found.rules) == ("ended", date(2022, 1, 1), ("RIGID-RATIO",))
    assert found.text == "嵊州市“最低生活保障标准”的最后一个值到2022-01-01为止，之后没有录入；RIGID-RATIO在那里不能运行"


def test_the_invented_city_is_in_order_until_nobody_looked_for_long() -> None:
    bundle = Bundle.load(HERE)
    assert of(findings(bundle, TODAY, NEEDED), CITY) == []
    (found,) = of(findings(bundle, date(2028, 1, 1), NEEDED), CITY)
    assert (found.code, found.day) == ("unchecked", date(2026, 11, 1))
    assert "不能运行" not in found.text


def test_a_check_on_a_day_to_come_is_found(edited: Edited) -> None:
    bundle = edited(STANDARDS, CHECKED, "last_value_still_valid_on: 2036-11-01")
    (found,) = of(findings(bundle, TODAY, NEEDED), CITY)
    assert (found.code, found.day) == ("ahead", date(2036, 11, 1))


def test_what_was_never_written_is_missing_once_and_not_for_every_town(edited: Edited) -> None:
    bundle = edited(STANDARDS, "dibao_month:", "tekun_living_month:")
    found = [each for each in findings(bundle, TODAY, NEEDED) if each.code == "missing"]
    assert [(each.area, each.name, each.day) for each in found if each.area.startswith("3399")] == [
        (CITY, "dibao_month", None)
    ]
    assert "星河市（虚构）“最低生活保障标准”没有现行的值；RIGID-RATIO在那里不能运行" in [each.text for each in found]


def test_only_places_that_keep_values_of_their_own_are_asked() -> None:
    found = findings(Bundle.load(HERE), TODAY, {"dibao_month": ("X",), "disposable_income_year": ("X",)})
    missing = {(each.area, each.name) for each in found if each.code == "missing"}
    assert (SHENGZHOU, "disposable_income_year") in missing
    assert (SHENGZHOU, "dibao_month") not in missing, "told as ended already"
    assert {area for area, _ in missing} <= {SHENGZHOU, "330109000000", "330100000000", "310118000000"}


def test_a_rule_newer_than_the_policy_in_force_is_missing_its_parameter() -> None:
    found = findings(Bundle.load(HERE), TODAY, {"not_declared_yet": ("NEW-RULE",)})
    assert any(each.text.startswith("星河市（虚构）“not_declared_yet”没有现行的值") for each in found)
