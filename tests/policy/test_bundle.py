"""The bundle of the repository: real values of two places, the invented city, equal after a journey as bytes."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import policy
from detectors.registry import load_detectors
from policy.bundle import Bundle
from policy.marked import PolicyError
from policy.parameters import PolicyMissing, severity

XIAOSHAN, SHENGZHOU, CITY = "330109000000", "330683000000", "339901000000"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(Path(policy.__file__).parent)


def test_values_of_the_source_documents(bundle: Bundle) -> None:
    assert bundle.on(date(2021, 6, 1)).standard("dibao_month", XIAOSHAN).value * 12 == 13_224_00
    assert bundle.on(date(2020, 12, 31)).standard("dibao_month", SHENGZHOU).value == 850_00
    assert bundle.on(date(2021, 1, 1)).standard("dibao_month", SHENGZHOU).value == 890_00
    assert bundle.on(date(2021, 1, 1)).standard("tekun_living_month", SHENGZHOU).value == 1179_00
    line = bundle.on(date(2021, 1, 1)).standard("dibao_month", SHENGZHOU)
    assert (line.status, line.document.number) == ("enacted", "11330683730919932L/2022-74649")


def test_a_target_is_never_a_value(bundle: Bundle) -> None:
    with pytest.raises(PolicyMissing):
        bundle.on(date(2022, 6, 1)).standard("dibao_month", XIAOSHAN)
    goals = [each for each in bundle.targets() if each.area == XIAOSHAN and each.name == "dibao_month"]
    assert [each.by.year for each in goals] == [2022, 2023, 2024, 2025]
    assert goals[0].at_least == "大于11000元/人·年"


def test_areas_inherit_along_the_tree_not_along_digits(bundle: Bundle) -> None:
    policy_then = bundle.on(date(2025, 3, 1))
    assert policy_then.rule("medical_selfpay", "339901001000").area == CITY
    assert policy_then.rule("medical_selfpay", SHENGZHOU).status == "example"
    assert bundle.areas.chain(CITY, date(2025, 3, 1)) == (CITY, "000000000000")
    with pytest.raises(PolicyMissing):
        policy_then.rule("medical_selfpay", "339901123000")


def test_a_town_that_was_merged_is_answered_for_by_its_successor(bundle: Bundle) -> None:
    assert bundle.areas.chain("339901099000", date(2024, 12, 31))[:2] == ("339901099000", CITY)
    assert bundle.areas.chain("339901099000", date(2025, 1, 1))[:2] == ("339901099000", "339901001000")
    assert bundle.areas.within("339901099000", CITY, date(2025, 1, 1))


def test_an_entrusted_town_follows_whoever_holds_it(bundle: Bundle) -> None:
    """托管: between its days the other district's lines and name count, before and afterwards its own parent's."""
    town, first, last = "339901001000", date(2021, 3, 1), date(2022, 3, 1)
    plain: Any = bundle.plain()
    plain["areas"][town]["entrusted"] = [
        {"to": SHENGZHOU, "valid_from": first.isoformat(), "valid_to": last.isoformat()},
        {"to": "330109000000", "valid_from": last.isoformat(), "valid_to": None},
    ]
    tree = Bundle(plain).areas
    day = timedelta(days=1)
    assert tree.chain(town, first - day)[:2] == (town, CITY)
    assert tree.chain(town, first)[:3] == (town, SHENGZHOU, "330600000000")
    assert not tree.within(town, CITY, last - day)
    assert tree.chain(town, last)[:3] == (town, "330109000000", "330100000000")
    assert tree.next_change(first - day) == first
    assert last in tree.changes()
    assert Bundle(plain).on(first).standard("dibao_month", town).value == 890_00
    assert Bundle(plain).hash != bundle.hash
    assert "entrusted" not in str(bundle.plain()), "a bundle that says nothing of it is the one it always was"


def test_two_towns_may_hold_one_another_one_after_the_other_and_not_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(Path(policy.__file__).parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = folder / "areas.yaml"
    text = file.read_text(encoding="utf-8")

    def held(until: str) -> None:
        first = f'{{name: 北辰镇, entrusted: [{{to: "339901002000", valid_from: 2024-01-01, valid_to: {until}}}],'
        second = '{name: 南斗镇, entrusted: [{to: "339901001000", valid_from: 2025-01-01}],'
        file.write_text(text.replace("{name: 北辰镇,", first).replace("{name: 南斗镇,", second), encoding="utf-8")

    held("2025-01-01")
    tree = Bundle.load(folder).areas
    assert tree.chain("339901001000", date(2024, 6, 1))[:3] == ("339901001000", "339901002000", CITY)
    assert tree.chain("339901002000", date(2025, 6, 1))[:3] == ("339901002000", "339901001000", CITY)
    held("2025-01-02")
    with pytest.raises(PolicyError, match="自2025-01-01起的上级绕了一圈"):
        Bundle.load(folder)


def test_lines_by_scheme(bundle: Bundle) -> None:
    rule = bundle.on(date(2025, 3, 1)).rule("medical_selfpay", CITY)
    assert rule.line("DIBAO").value == 5000_00
    assert rule.line("DIBAO").label == "低保"
    assert rule.line("GANGXING").value == rule.line("FANGPIN").value == 10_000_00
    assert rule.line("LOCAL9") is rule.line("OTHER")
    assert "试行" in rule.line("DIBAO").cited
    assert [severity(rule.steps("bands"), each) for each in (100, 199, 200, 999)] == [2, 2, 3, 4]


def test_schemes_rank(bundle: Bundle) -> None:
    assert bundle.schemes.highest(["DIBIAN", "DIBAO", "LOCAL9"], date(2025, 1, 1)) == "DIBAO"
    assert bundle.schemes.highest(["GANGXING"], date(2020, 1, 1)) == "OTHER"
    assert bundle.schemes.rank("TEKUN", date(2025, 1, 1).toordinal()) > bundle.schemes.rank("DIBAO", date(2025, 1, 1))


def test_next_change_is_the_first_day_an_answer_may_differ(bundle: Bundle) -> None:
    assert bundle.on(date(2023, 1, 1)).next_change("dibao_month", "339901001000") == date(2023, 7, 1)
    assert bundle.on(date(2024, 6, 1)).next_change("dibao_month", "339901001000") == date(2025, 1, 1)  # a town ends


def test_the_same_after_a_journey_as_bytes(bundle: Bundle) -> None:
    arrived = Bundle.from_canonical(bundle.canonical())
    assert (arrived.hash, arrived.canonical()) == (bundle.hash, bundle.canonical())
    for day in (date(2021, 6, 1), date(2023, 6, 1), date(2026, 1, 1)):
        for area in bundle.areas.codes():
            for name in bundle.names():
                assert _answer(arrived, day, name, area) == _answer(bundle, day, name, area)


def test_answers_are_kept(bundle: Bundle) -> None:
    then = bundle.on(date(2025, 3, 1))
    assert bundle.on(date(2025, 3, 1)) is then
    rule = then.rule("rigid_ratio", CITY)
    assert bundle.on(date(2025, 3, 2)).rule("rigid_ratio", "339901002000") is rule
    made: list[str] = []

    def terms(asked: object) -> str:
        made.append("once")
        return "terms"

    assert (rule.read(terms), rule.read(terms), made) == ("terms", "terms", ["once"])


def test_narrowed_changes_one_rule_and_the_version(bundle: Bundle) -> None:
    narrowed = bundle.narrowed(CITY, "rigid_ratio", {"ratio": 80})
    assert narrowed.on(date(2025, 1, 1)).rule("rigid_ratio", CITY).number("ratio") == 80
    assert bundle.on(date(2025, 1, 1)).rule("rigid_ratio", CITY).number("ratio") == 60
    assert narrowed.hash != bundle.hash
    with pytest.raises(KeyError):
        bundle.narrowed(CITY, "rigid_ratio", {"ration": 80})


def _answer(bundle: Bundle, day: date, name: str, area: str) -> object:
    try:
        return bundle.on(day).rule(name, area)
    except PolicyMissing:
        return None


def test_what_a_plan_period_allowed_is_left_out_afterwards_only_where_a_document_says_so(bundle: Bundle) -> None:
    """The basic pension of residents is no income until the end of 2025: a place that goes on so, says why."""
    day = date(2026, 1, 1)
    for area in bundle.areas.codes():
        rule = bundle.on(day).known("household_income", area)
        if rule is not None and "RESIDENT_BASIC_PENSION" in rule.words("excluded"):
            assert "2026年起" in (rule.note or ""), area


def test_one_standard_says_for_every_rule_which_disability_is_severe(bundle: Bundle) -> None:
    """No rule keeps a copy: a place that changes it changes all of them on the same day."""
    asking = {code for code, each in load_detectors().items() if "severe_disability" in each.standards}
    assert asking == {"CHILD-GUARDIAN", "EXPIRY", "INSURANCE-GAP", "JOB-LOSS", "MEMBER-DEATH", "NEW-DISABILITY"}
    plain: Any = bundle.plain()
    copies = [
        (area, name)
        for area, rules in plain["rules"].items()
        for name, rule in rules.items()
        if name != "severe_disability" and any("severe_level" in value["values"] for value in rule["values"])
    ]
    assert copies == []
