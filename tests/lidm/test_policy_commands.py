"""`lidm policy` and `lidm detectors`: files checked and shown, control records in every partition, golive refused."""

import json
import shutil
from pathlib import Path

import pytest
import zstandard

import policy
from detectors.registry import load_detectors
from policy.bundle import Bundle
from schemas.records import GoliveRecord, PolicyRecord, SwitchRecord
from tests.lidm.conftest import PARTITIONS, Call, records

CITY = "339901000000"


@pytest.fixture
def other_policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    shutil.copytree(Path(policy.__file__).parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def test_check_accepts_the_repository_and_names_what_needs_a_look(lidm: Call) -> None:
    code, out = lidm("policy", "check", "--on", "2026-11-22")
    assert code == 0
    assert "参数无误" in out
    assert "嵊州市“最低生活保障标准”的最后一个值到2022-01-01为止" in out
    code, out = lidm("policy", "check", "--on", "2026-11-22", "--strict", "--json")
    assert code == 1
    told = json.loads(out.splitlines()[0])
    (ended,) = [e for e in told["findings"] if (e["area"], e["name"]) == ("330683000000", "dibao_month")]
    assert (ended["code"], ended["day"]) == ("ended", "2022-01-01")
    assert "RIGID-RATIO" in ended["rules"]
    assert ended["text"] in told["attention"]


def test_check_points_at_the_line(lidm: Call, other_policy: Path) -> None:
    file = other_policy / CITY / "risk" / "rent_arrears.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("periods:", "period:"), encoding="utf-8")
    code, out = lidm("policy", "check", "--dir", str(other_policy))
    assert code == 1
    assert f"policy/{CITY}/risk/rent_arrears.yaml 第5行：不认识的项“period”" in out


def test_show_tells_targets_apart_from_values(lidm: Call) -> None:
    code, out = lidm("policy", "show", "dibao_month", "--json")
    shown = json.loads(out)
    assert code == 0
    xiaoshan = [each for each in shown["values"] if each["area"] == "330109000000"]
    assert [each["values"] for each in xiaoshan] == [{"amount": 110200}]
    assert [each["last_value_still_valid_on"] for each in xiaoshan] == ["2021-12-31"]
    assert next(each["by"] for each in shown["targets"] if each["area"] == "330109000000") == "2022-12-31"
    code, out = lidm("policy", "show", "--area", "339901001000", "--on", "2025-01-01")
    assert code == 0
    assert "DIBAO 500000" in out
    assert lidm("policy", "show", "nothing")[0] == 2


def test_activation_is_in_every_partition_with_the_whole_bundle(lidm: Call, mock_broker: str) -> None:
    code, out = lidm("policy", "activate", "--at", "2026-01-05T08:00:00", "--json")
    assert code == 0, out
    assert json.loads(out)["partitions"] == PARTITIONS
    for found in records(mock_broker).values():
        (record,) = found
        assert isinstance(record, PolicyRecord)
        bundle = Bundle.from_canonical(zstandard.decompress(record.body.bundle))
        assert bundle.hash == record.body.hash == json.loads(out)["hash"]


def test_golive_after_activation(lidm: Call, mock_broker: str) -> None:
    assert lidm("policy", "activate")[0] == 0
    code, out = lidm("detectors", "golive", CITY, "MED-SELFPAY", "--per-day", "40")
    assert code == 0, out
    for found in records(mock_broker).values():
        record = found[-1]
        assert isinstance(record, GoliveRecord)
        assert (record.body.area, record.body.detector, record.body.per_day) == (CITY, "MED-SELFPAY", 40)


def test_golive_is_refused_with_an_example(lidm: Call, mock_broker: str) -> None:
    assert lidm("policy", "activate")[0] == 0
    code, out = lidm("detectors", "golive", "330109000000", "MED-SELFPAY", "--per-day", "40")
    assert code == 1
    assert "示例值" in out
    assert all(len(found) == 1 for found in records(mock_broker).values())


def test_golive_is_refused_while_the_files_are_not_what_is_activated(
    lidm: Call, mock_broker: str, other_policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lidm("policy", "activate")[0] == 0
    file = other_policy / CITY / "risk" / "rent_arrears.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("periods: 2", "periods: 3"), encoding="utf-8")
    monkeypatch.setenv("LIDM_POLICY_DIR", str(other_policy))
    code, out = lidm("detectors", "golive", CITY, "RENT-ARREARS", "--per-day", "40")
    assert code == 1
    assert "还没有启用" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [((CITY, "MED-SELFPAYS"), "没有规则"), (("123", "MED-SELFPAY"), "不在areas.yaml里")],
)
def test_a_wrong_call(lidm: Call, words: tuple[str, str], says: str) -> None:
    code, out = lidm("detectors", "golive", *words, "--per-day", "1")
    assert code == 2
    assert says in out


def test_list_says_what_stands_in_the_way(lidm: Call) -> None:
    code, out = lidm("detectors", "list", "--area", "330109000000", "--json")
    listed = {each["code"]: each for each in json.loads(out)}
    assert code == 0
    assert set(listed) == set(load_detectors())
    assert listed["DEATH-ON-BENEFIT"]["family"] == "review"
    assert listed["RIGID-RATIO"]["not_ready"]
    assert listed["RIGID-RATIO"]["stopped"] is None
    code, out = lidm("detectors", "list")
    assert code == 0
    assert "是否有规则被停用：未知" in out


def test_stop_and_resume_are_in_every_partition_with_name_and_reason(lidm: Call, mock_broker: str) -> None:
    code, out = lidm("detectors", "stop", "MED-SELFPAY", "--area", CITY, "--reason", "口径有误，先停")
    assert code == 0, out
    assert "大额自付医疗在星河市（虚构）停用" in out
    code, out = lidm("detectors", "resume", "MED-SELFPAY", "--area", CITY, "--reason", "已核对", "--json")
    assert (code, json.loads(out)["partitions"]) == (0, PARTITIONS), "nobody knows what is stopped: it is done"
    for found in records(mock_broker).values():
        bodies = [each.body for each in found if isinstance(each, SwitchRecord)]
        assert [(each.to, each.area, each.detector, each.actor) for each in bodies] == [
            ("stop", CITY, "MED-SELFPAY", "operator"),
            ("resume", CITY, "MED-SELFPAY", "operator"),
        ]
        assert bodies[0].reason == "口径有误，先停"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("NONE", "--area", CITY, "--reason", "x"), "没有规则"),
        (("MED-SELFPAY", "--area", "123", "--reason", "x"), "不在areas.yaml里"),
        (("MED-SELFPAY", "--area", CITY, "--reason", " "), "须写明理由"),
        (("MED-SELFPAY", "--area", CITY, "--reason", "见999999198805041236"), "证件"),
    ],
)
def test_a_wrong_stop(lidm: Call, words: tuple[str, ...], says: str) -> None:
    code, out = lidm("detectors", "stop", *words)
    assert code == 2
    assert says in out


def test_cases_run_and_a_wrong_one_is_named_with_its_line(lidm: Call, tmp_path: Path) -> None:
    file = tmp_path / "rent_arrears.cases.yaml"
    file.write_text(
        """\
- case: 写错的案例
  household: {area: "339901000000", members: [{person: 甲, relation: 户主}]}
  facts:
    - {housing.security: {person: 甲, period: 2025-03, amount: 420元}}
    - {housing.security: {person: 甲, period: 2025-04, amount: 420元}}
  on: 2025-05-10
  expect: clear
""",
        encoding="utf-8",
    )
    code, out = lidm("detectors", "test", str(file))
    assert code == 1
    assert "写错的案例（rent_arrears.cases.yaml:1）" in out
    assert "仍在的预警多出G1" in out
    file.write_text(file.read_text(encoding="utf-8").replace("amount:", "amuont:", 1), encoding="utf-8")
    code, out = lidm("detectors", "test", str(file))
    assert (code, "第4行：不认识的字段“amuont”" in out) == (1, True)
