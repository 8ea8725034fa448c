"""`lidm policy diff`: a draft against a folder or against what the log activated last, in words and as JSON."""

import json
import shutil
from pathlib import Path

import pytest

import policy
from policy.bundle import Bundle
from schemas.records import TickBody, TickRecord, encode_block
from tests.lidm.conftest import Call
from tests.streams.making import policy_record

HERE = Path(policy.__file__).parent
CITY = "339901000000"
STANDARDS = f"{CITY}/standards.yaml"
AT = 1_773_000_000_000


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """The repository's policy with a higher standard."""
    folder = tmp_path / "draft"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = folder / STANDARDS
    file.write_text(file.read_text(encoding="utf-8").replace("amount: 1000元", "amount: 1100元"), encoding="utf-8")
    return folder


def test_two_folders_in_words(lidm: Call, draft: Path) -> None:
    code, out = lidm("policy", "diff", str(HERE), str(draft), "--on", "2026-11-22")
    assert code == 0
    assert "改动  星河市（虚构） “最低生活保障标准”（dibao_month） 2023-07-01起  amount：1,000元 → 1,100元" in out
    assert "“最低生活保障标准”（dibao_month）：自2023-07-01起（追溯），星河市（虚构）及下级共" in out
    assert "RIGID-RATIO（dibao_month）" in out
    assert "MED-SELFPAY" not in out
    assert lidm("policy", "diff", str(HERE), str(draft), "--exit-code")[0] == 1
    _, out = lidm("policy", "diff", str(HERE), str(draft), "--on", "2020-01-01")
    assert "追溯" not in out


def test_the_same_twice(lidm: Call) -> None:
    code, out = lidm("policy", "diff", str(HERE), str(HERE), "--exit-code")
    assert (code, "没有不同" in out) == (0, True)


def test_json_names_rules_areas_and_days(lidm: Call, draft: Path) -> None:
    code, out = lidm("policy", "diff", str(HERE), str(draft), "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["old"], found["new"]) == (Bundle.load(HERE).hash, Bundle.load(draft).hash)
    (change,) = found["changes"]
    assert (change["old"], change["new"], change["since"]) == (100_000, 110_000, "2023-07-01")
    assert "1,000元 → 1,100元" in change["text"]
    assert found["detectors"]["RIGID-RATIO"] == ["dibao_month"]
    assert CITY in found["areas"]
    assert "330683000000" not in found["areas"]
    assert found["effects"][0]["retroactive"] is True


def test_new_and_gone_parameters_are_told_with_their_values(lidm: Call, draft: Path) -> None:
    (draft / CITY / "risk" / "rent_arrears.yaml").unlink()
    code, out = lidm("policy", "diff", str(HERE), str(draft))
    assert code == 0
    assert "删去  星河市（虚构） “公租房欠缴期数”（rent_arrears） 2023-01-01起：bands 2起2级、4起3级，periods 2" in out
    assert "RENT-ARREARS（rent_arrears）" in out
    _, back = lidm("policy", "diff", str(draft), str(HERE))
    assert "新增  星河市（虚构） “公租房欠缴期数”（rent_arrears） 2023-01-01起：bands 2起2级、4起3级，periods 2" in back
    assert "试行" in back


def test_a_note_changes_no_answer(lidm: Call, draft: Path) -> None:
    shutil.copy(HERE / STANDARDS, draft / STANDARDS)
    file = draft / STANDARDS
    text = file.read_text(encoding="utf-8").replace("amount: 1000元", "amount: 1000元\n      note: 核对过原件")
    file.write_text(text, encoding="utf-8")
    code, out = lidm("policy", "diff", str(HERE), str(draft))
    assert code == 0
    assert "改动  星河市（虚构） “最低生活保障标准”（dibao_month） 2023-07-01起  说明：无 → 核对过原件" in out
    assert "没有影响" in out


def test_another_order_of_schemes_and_other_hands_are_told_by_place(lidm: Call, draft: Path) -> None:
    """No parameter has another value, and yet rules may answer otherwise: who holds two is asked about the other."""
    shutil.copy(HERE / STANDARDS, draft / STANDARDS)
    schemes, areas = draft / "schemes.yaml", draft / "areas.yaml"
    text = schemes.read_text(encoding="utf-8")
    local = f'{{2023-10-19: 30}}, places: {{"{CITY}": {{2027-01-01: 55}}}}}}'
    schemes.write_text(text.replace("{2023-10-19: 30}}", local), encoding="utf-8")
    code, out = lidm("policy", "diff", str(HERE), str(draft))
    assert code == 0
    assert "新增  类别 GANGXING  各地次序 星河市（虚构） 次序：" in out
    assert "排序值 55" in out
    assert "身份的次序不同" in out
    schemes.write_text(text, encoding="utf-8")
    held = '{name: 北辰镇, entrusted: [{to: "330683000000", valid_from: 2027-01-01}],'
    areas.write_text(areas.read_text(encoding="utf-8").replace("{name: 北辰镇,", held), encoding="utf-8")
    code, out = lidm("policy", "diff", str(HERE), str(draft))
    assert code == 0
    assert "新增  区划 北辰镇（339901001000）  托管：受托区划 330683000000" in out
    assert "身份的次序不同" not in out
    assert "影响现行值" in out


def test_a_draft_that_is_refused_and_wrong_calls(lidm: Call, draft: Path) -> None:
    file = draft / STANDARDS
    file.write_text(file.read_text(encoding="utf-8").replace("amount:", "amuont:"), encoding="utf-8")
    code, out = lidm("policy", "diff", str(HERE), str(draft))
    assert (code, "不认识的项“amuont”" in out) == (1, True)
    assert lidm("policy", "diff", str(HERE), str(draft / "none"))[0] == 2
    assert lidm("policy", "diff", "activated", "activated")[0] == 2
    assert lidm("policy", "diff", "a", "b", "c")[0] == 2
    assert lidm("policy", "diff")[0] == 2
    assert lidm("policy", "diff", str(HERE))[0] == 3


def test_against_what_the_log_activated_last(lidm: Call, draft: Path, tmp_path: Path) -> None:
    pytest.importorskip("chdb")
    from sinks.embedded import EmbeddedStore

    store = EmbeddedStore(tmp_path / "store")
    store.migrate()
    store.close()
    code, out = lidm("policy", "diff", str(draft))
    assert (code, "还没有启用过参数" in out) == (1, True)
    ticks = encode_block([TickRecord("", AT, "", 0, 0, TickBody(AT))])
    store = EmbeddedStore(tmp_path / "store")
    rows = [("g1", 0, 0, AT, encode_block([policy_record(AT)])), ("g1", 0, 1, AT + 1, ticks)]
    store.insert_rows("household_log", rows, "t")
    store.close()
    code, out = lidm("policy", "diff", str(draft))
    assert code == 0
    assert f"参数 {Bundle.load(HERE).short} → {Bundle.load(draft).short}" in out
    assert "1,000元 → 1,100元" in out
    code, out = lidm("policy", "diff", str(draft), "activated")
    assert (code, "1,100元 → 1,000元" in out) == (0, True)
