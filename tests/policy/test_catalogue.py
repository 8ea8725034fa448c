"""The catalogue of help as policy data: what an item says, and what the loader refuses with its line."""

import shutil
from datetime import date
from pathlib import Path

import pytest

import policy
from policy.bundle import Bundle
from policy.catalogue import items_of
from policy.marked import PolicyError

CITY = "339901000000"
FILE = f"{CITY}/entitlement/package_gap.yaml"
GOOD = """\
package_gap:
  items: 1
  within_days: 30
  settled_by: [DONE]
  settled_months: 12
  bands: [[1, 1]]
  values:
    2023-01-01:
      status: enacted
      catalogue:
        DIANFEI: {label: 电费, whose: household, for: [DIBAO], seen_in: benefit, codes: [DIANFEI], since: 2024-05-01}
        ZHUXUE: {label: 学生资助, whose: person, for: [DIBAO], seen_in: school, stages: [COLLEGE], ages: [16, 30]}
      document: {title: 试行通知, number: null}
  last_value_still_valid_on: 2026-11-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "policy"
    shutil.copytree(Path(policy.__file__).parent, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def test_an_item_is_read_as_written_and_survives_the_wire(folder: Path) -> None:
    (folder / FILE).write_text(GOOD, encoding="utf-8")
    bundle = Bundle.load(folder)
    for each in (bundle, Bundle.from_canonical(bundle.canonical())):
        power, school = items_of(each.on(date(2025, 1, 1)).rule("package_gap", CITY))
        assert (power.code, power.label, power.each, power.feed) == ("DIANFEI", "电费", False, "civil.benefit")
        assert (power.since, power.codes) == (date(2024, 5, 1).toordinal(), frozenset({"DIANFEI"}))
        assert (school.each, school.stages, school.ages) == (True, frozenset({"COLLEGE"}), (16, 30))
        assert school.since == date.min.toordinal()


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("for: [DIBAO], seen_in: benefit", "for: [DIBAOO], seen_in: benefit", 11, "不在schemes.yaml里"),
        ("seen_in: benefit", "seen_in: letters", 11, "不在可选范围内"),
        (", codes: [DIANFEI]", "", 11, "“codes”要写在"),
        ("stages: [COLLEGE]", "stages: [COLLEGE], codes: [X1]", 12, "“codes”要写在"),
        ("whose: household", "whose: household, ages: [1, 2]", 11, "只能写在whose为person"),
        ("ages: [16, 30]", "ages: [30, 16]", 12, "年龄范围"),
        ("label: 学生资助", "label: 电费", 12, "写了两次"),
        ("DIANFEI: {", "dianfei: {", 11, "不是项目代码"),
        ("whose: person, ", "", 12, "缺少“whose”"),
    ],
)
def test_an_unclear_item_is_refused_with_its_line(folder: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    (folder / FILE).write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=says) as caught:
        Bundle.load(folder)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pairs: [[TEKUN, DIBAO]", "pairs: [[TEKUN, TEKUN]", "两个不同"),
        ("pairs: [[TEKUN, DIBAO]", "pairs: [[TEKUN, 低保]", "不是类别代码"),
    ],
)
def test_a_pair_names_two_codes(folder: Path, old: str, new: str, says: str) -> None:
    file = folder / CITY / "review" / "duplicate_conflict.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError, match=says):
        Bundle.load(folder)


def test_amounts_by_word_need_every_word(folder: Path) -> None:
    file = folder / CITY / "entitlement" / "disability_subsidy_gap.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("month: {LIVING: 300元, CARE: 250元}", "month: {LIVING: 300元}"), encoding="utf-8")
    with pytest.raises(PolicyError, match="缺少“CARE”"):
        Bundle.load(folder)
