"""The list of dimensions of need as policy data: what it says, and what the loader refuses with its line."""

import shutil
from datetime import date
from pathlib import Path

import pytest

import policy
from policy.bundle import Bundle
from policy.marked import PolicyError
from policy.needs import NEEDS, dimensions_of, level_of

CITY, PLACE = "339901000000", "330683000000"
GOOD = """\
need_profile:
  child_under: 18
  elder_from: 65
  values:
    2023-01-01:
      status: enacted
      dimensions:
        WORK: {label: 就业, weight: 1, rules: [JOB-LOSS], signs: {}}
        MONEY: {label: 收入, weight: 4, rules: [], signs: {INCOME: [[200, 1], [100, 3]], UNEMPLOYED: [[1, 1], [2, 4]]}}
      document: {title: 试行通知, number: null}
  last_value_still_valid_on: 2026-11-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The repository's policy, with one more place that has a list of its own."""
    copy = tmp_path / "policy"
    shutil.copytree(Path(policy.__file__).parent, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    with (copy / PLACE / "standards.yaml").open("a", encoding="utf-8") as file:
        file.write(GOOD)
    return copy


def test_a_list_of_one_s_own_is_read_as_written_and_survives_the_wire(folder: Path) -> None:
    bundle = Bundle.load(folder)
    for each in (bundle, Bundle.from_canonical(bundle.canonical())):
        money, work = dimensions_of(each.on(date(2025, 1, 1)).rule(NEEDS, PLACE))
        assert (money.code, money.label, money.weight, money.rules) == ("MONEY", "收入", 4, ())
        assert money.signs == (("INCOME", ((200, 1), (100, 3))), ("UNEMPLOYED", ((1, 1), (2, 4))))
        assert (work.rules, work.signs) == (("JOB-LOSS",), ())


def test_the_invented_city_has_seven_dimensions() -> None:
    found = dimensions_of(Bundle.load(Path(policy.__file__).parent).on(date(2025, 1, 1)).rule(NEEDS, CITY))
    assert [each.label for each in found] == [
        "健康", "收入", "支出", "照护与就学", "家庭结构", "住房与财产", "来源（求助与发现）",
    ]  # fmt: skip
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)


@pytest.mark.parametrize(
    ("sign", "value", "level"),
    [
        ("INCOME", 200, 0), ("INCOME", 199, 1), ("INCOME", 100, 1), ("INCOME", 99, 3), ("INCOME", 0, 3),
        ("UNEMPLOYED", 0, 0), ("UNEMPLOYED", 1, 1), ("UNEMPLOYED", 5, 4),
    ],
)  # fmt: skip
def test_a_level_is_that_of_the_gravest_step_reached(sign: str, value: int, level: int) -> None:
    steps = {"INCOME": ((200, 1), (100, 3)), "UNEMPLOYED": ((1, 1), (2, 4))}
    assert level_of(sign, steps[sign], value) == level


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[JOB-LOSS]", "[JOB-LOST]", "“JOB-LOST”不是可用的规则"),
        ("[JOB-LOSS]", "[ASSET-CHANGE]", "“ASSET-CHANGE”不是可用的规则"),
        ("[JOB-LOSS]", "[COMPOUND]", "“COMPOUND”不是可用的规则"),
        ("{INCOME:", "{WEALTH:", "“WEALTH”不是可用的指标"),
        ("rules: []", "rules: [JOB-LOSS]", "“JOB-LOSS”写了两次"),
        ("label: 收入", "label: 就业", "“就业”写了两次"),
        ("[[200, 1], [100, 3]]", "[[100, 1], [200, 3]]", "从轻到重"),
        ("[[200, 1], [100, 3]]", "[[200, 3], [100, 1]]", "从轻到重"),
        ("[[1, 1], [2, 4]]", "[[2, 1], [1, 4]]", "从轻到重"),
        ("[[1, 1], [2, 4]]", "[]", "至少要有一档"),
        ("[[1, 1], [2, 4]]", "[[1, 1, 1]]", "起点, 等级"),
        ("weight: 4", "weight: 0", "1到100之间"),
        ("rules: [JOB-LOSS], signs: {}", "rules: [], signs: {}", "至少写一条规则或一个指标"),
        ("weight: 1, ", "", "缺少“weight”"),
        ("WORK:", "Work:", "不是方面代码"),
    ],
)
def test_an_unclear_list_is_refused_with_its_line(folder: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    file = folder / PLACE / "standards.yaml"
    text = file.read_text(encoding="utf-8")
    wrong = text.replace(GOOD, GOOD.replace(old, new, 1))
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(PolicyError, match=says) as caught:
        Bundle.load(folder)
    lines = wrong.splitlines()
    assert "WORK" in lines[caught.value.line - 1].upper() or "MONEY" in lines[caught.value.line - 1]
