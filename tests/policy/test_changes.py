"""What differs between two policies is found entry by entry, and for exactly those areas and days it matters to."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import policy
from policy.bundle import Bundle
from policy.changes import Change, Effect, changes, effects, topmost
from policy.value_words import kinds_in, word

HERE = Path(policy.__file__).parent
CITY = "339901000000"
TOWNS = tuple(code for code in Bundle.load(HERE).areas.codes() if code.startswith("339901"))
STANDARDS = f"{CITY}/standards.yaml"
Edit = Callable[[str, str, str], "tuple[list[Change], list[Effect]]"]


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


@pytest.fixture
def edit(draft: Path) -> Edit:
    """The repository's policy against a draft in which one text of one file is another."""

    def after(file: str, old: str, new: str) -> tuple[list[Change], list[Effect]]:
        text = (draft / file).read_text(encoding="utf-8")
        assert old in text
        (draft / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        before, later = Bundle.load(HERE), Bundle.load(draft)
        return changes(before, later), effects(before, later)

    return after


def test_the_same_files_differ_in_nothing(draft: Path) -> None:
    before, later = Bundle.load(HERE), Bundle.load(draft)
    assert (changes(before, later), effects(before, later)) == ([], [])


def test_a_corrected_amount_and_everybody_who_inherits_it(edit: Edit) -> None:
    (change,), (effect,) = edit(STANDARDS, "amount: 1000元", "amount: 1100元")
    assert (change.kind, change.what, change.name, change.area) == ("value", "changed", "dibao_month", CITY)
    assert (change.since, change.field, change.old, change.new) == ("2023-07-01", "values.amount", 100_000, 110_000)
    assert (effect.name, effect.first, effect.gone) == ("dibao_month", date(2023, 7, 1), ())
    assert effect.areas == TOWNS


def test_one_scheme_of_a_line(edit: Edit) -> None:
    (change,), (effect,) = edit(f"{CITY}/risk/medical_selfpay.yaml", "DIBAO: 5000元", "DIBAO: 6000元")
    assert (change.field, change.old, change.new) == ("values.line.DIBAO", 500_000, 600_000)
    assert effect.name == "medical_selfpay"


def test_a_document_a_status_a_signature(edit: Edit) -> None:
    found, (effect,) = edit(
        f"{CITY}/risk/rent_arrears.yaml",
        "status: {pilot: {signed_by: 星河市民政局（虚构）, until: 2099-12-31}}",
        "status: enacted",
    )
    assert {(each.field, each.new) for each in found} == {
        ("document.status", "enacted"), ("signed_by", None), ("until", None),
    }  # fmt: skip
    assert effect.name == "rent_arrears"


def test_a_moved_date_is_a_value_gone_and_one_new(edit: Edit) -> None:
    found, (effect,) = edit(f"{CITY}/risk/rent_arrears.yaml", "2023-01-01:", "2024-06-01:")
    assert [(each.what, each.since) for each in found] == [("removed", "2023-01-01"), ("added", "2024-06-01")]
    assert effect.first == date(2023, 1, 1)
    assert effect.areas == TOWNS


def test_a_new_value_ends_the_one_before(draft: Path) -> None:
    file = draft / "330109000000" / "standards.yaml"
    text = file.read_text(encoding="utf-8").replace("      until: 2022-01-01\n", "")
    following = "    2022-07-01: {status: enacted, amount: 1200元, document: {title: 调标通知（虚构）}}\n"
    checked = "  last_value_still_valid_on:"
    file.write_text(text.replace(checked, following + checked, 1), encoding="utf-8")
    before, later = Bundle.load(HERE), Bundle.load(draft)
    found = {(each.what, each.since, each.field): each for each in changes(before, later)}
    assert set(found) == {("added", "2022-07-01", ""), ("changed", "2021-01-01", "until")}
    assert found["changed", "2021-01-01", "until"].new == "2022-07-01"
    (effect,) = effects(before, later)
    assert (effect.first, effect.areas, effect.gone) == (date(2022, 1, 1), ("330109000000",), ())


def test_a_target_and_a_check_change_nothing_in_force(edit: Edit) -> None:
    found, effect = edit(STANDARDS, "last_value_still_valid_on: 2026-11-01", "last_value_still_valid_on: 2026-11-20")
    assert [(each.kind, each.old, each.new) for each in found] == [("checked", "2026-11-01", "2026-11-20")]
    assert effect == []
    found, effect = edit("330683000000/standards.yaml", "1383元/月", "1400元/月")
    assert ("target", "at_least") in {(each.kind, each.field) for each in found}
    assert effect == []


def test_a_parameter_taken_away_leaves_the_example_and_a_standard_leaves_nothing(draft: Path) -> None:
    (draft / CITY / "risk" / "rent_arrears.yaml").unlink()
    text = (draft / STANDARDS).read_text(encoding="utf-8")
    (draft / STANDARDS).write_text(text[: text.index("disposable_income_year:")], encoding="utf-8")
    before, later = Bundle.load(HERE), Bundle.load(draft)
    found = {each.name: each for each in effects(before, later)}
    assert found["rent_arrears"].gone == TOWNS, "before the national example begins there is nothing"
    assert found["disposable_income_year"].gone == TOWNS
    assert {(each.what, each.name) for each in changes(before, later)} >= {
        ("removed", "rent_arrears"), ("removed", "disposable_income_year"),
    }  # fmt: skip


def test_a_town_that_changes_hands_has_other_values(edit: Edit) -> None:
    found, effect = edit(
        "areas.yaml", '"339901009000": {name: 摇光乡, parent: "339901000000", setting: rural}',
        '"339901009000": {name: 摇光乡, parent: "330683000000", setting: rural}',
    )  # fmt: skip
    assert [(each.kind, each.field, each.new) for each in found] == [("area", "parent", "330683000000")]
    assert {code for each in effect for code in each.areas} == {"339901009000"}
    assert "dibao_month" in {each.name for each in effect}


def test_many_towns_are_told_by_what_is_above_them() -> None:
    bundle, on = Bundle.load(HERE), date(2026, 1, 1)
    assert topmost(bundle, TOWNS, on) == [(CITY, len(TOWNS))]
    assert topmost(bundle, TOWNS[1:3], on) == [(TOWNS[1], 1), (TOWNS[2], 1)]
    assert topmost(bundle, ["000000000001"], on) == [("000000000001", 1)]


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (110_000, "fen", "1,100元"),
        ({"DIBAO": 500_000}, "fen by scheme", "DIBAO 5,000元"),
        (150, "multiple", "1.5倍"),
        (60, "percent", "60%"),
        (3, "severity", "3级"),
        ([[100, 2], [200, 3]], "severity by multiple", "1倍起2级、2倍起3级"),
        ([[2, 2], [4, 3]], "severity by count", "2起2级、4起3级"),
        ([16, 60], "age range", "16至60岁"),
        (True, "yes or no", "是"),
        (["person", "household"], "list of person, household", "person、household"),
        (None, "", "无"),
        ("pilot", "", "试行"),
        (7, "of some later kind", "7"),
    ],
)
def test_values_in_words(value: object, kind: str, said: str) -> None:
    assert word(value, kind) == said  # type: ignore[arg-type]


def test_kinds_are_read_from_the_national_files() -> None:
    kinds = kinds_in(HERE)
    assert kinds["dibao_month", "amount"] == "fen"
    assert kinds["medical_selfpay", "line"] == "fen by scheme"
