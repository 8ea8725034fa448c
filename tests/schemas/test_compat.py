"""A breaking change of a published version is refused, and it is said in Chinese what breaks and for whom."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import compat, generate
from schemas.compat import BOTH, PUBLISHER, READER, breaks, compare, leaves_of, published
from schemas.feed import FEEDS
from schemas.generate import schema_of

Json = dict[str, Any]
Change = Callable[[Json], object]
BILL = schema_of(FEEDS["medical.settlement"])
HOME = schema_of(FEEDS["civil.household"])


def data(schema: Json) -> Json:
    """The fields of a schema's data."""
    found: Json = schema["$defs"]["data"]["properties"]
    return found


def changed(change: Change, schema: Json = BILL) -> list[tuple[str, str, str]]:
    """What a change of a copy breaks."""
    new = copy.deepcopy(schema)
    change(new)
    return [(each.field, each.who, each.message_zh) for each in breaks("f", schema, new)]


BREAKING: dict[str, tuple[Change, str, str, str]] = {
    "field removed": (lambda s: data(s).pop("hospital"), "hospital", BOTH, "删除"),
    "required field added": (
        lambda s: (data(s).update(ward={"type": "string"}), s["$defs"]["data"]["required"].append("ward")),
        "ward", PUBLISHER, "新增了必填字段",
    ),
    "optional becomes required": (
        lambda s: s["$defs"]["data"]["required"].append("settle_no"), "settle_no", PUBLISHER, "必填",
    ),
    "required becomes optional": (
        lambda s: s["$defs"]["data"]["required"].remove("hospital"), "hospital", READER, "选填",
    ),
    "type": (lambda s: data(s)["total"].update(type="number"), "total", BOTH, "类型"),
    "date becomes text": (lambda s: data(s)["settled_on"].pop("format"), "settled_on", BOTH, "格式"),
    "shorter": (lambda s: data(s)["hospital"].update(maxLength=20), "hospital", PUBLISHER, "最长长度"),
    "minimum": (lambda s: data(s)["total"].update(minimum=0), "total", PUBLISHER, "最小值"),
    "no longer null": (
        lambda s: data(s).update(disease={**data(s)["disease"], "anyOf": data(s)["disease"]["anyOf"][:1]}),
        "disease", PUBLISHER, "不再允许为空",
    ),
    "code removed": (lambda s: s["$defs"]["Visit"]["enum"].remove("PHARMACY"), "visit", PUBLISHER, "PHARMACY"),
    "code added": (lambda s: s["$defs"]["Visit"]["enum"].append("HOME"), "visit", READER, "HOME"),
    "code means something else": (
        lambda s: s["$defs"]["Visit"]["x-labels"].update(PHARMACY="药房"), "visit", BOTH, "“药店”改为“药房”",
    ),
    "unit": (lambda s: data(s)["total"].update({"x-unit": "万元"}), "total", BOTH, "单位"),
    "heading": (lambda s: data(s)["total"].update(title="费用总额"), "total", PUBLISHER, "“总费用”改为“费用总额”"),
    "key": (lambda s: data(s)["hospital"].update({"x-key": True}), "hospital", BOTH, "主键"),
    "less sensitive": (
        lambda s: data(s)["disease"].update({"x-sensitivity": "personal"}), "disease", PUBLISHER, "敏感级别降低",
    ),
}  # fmt: skip
HARMLESS: dict[str, Change] = {
    "optional field added": lambda s: data(s).update(ward={"type": "string", "title": "病区"}),
    "longer": lambda s: data(s)["hospital"].update(maxLength=400),
    "explained better": lambda s: data(s)["total"].update(description="含税"),
    "another example": lambda s: data(s)["total"].update(examples=[1]),
    "more sensitive": lambda s: data(s)["total"].update({"x-sensitivity": "restricted"}),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_named_with_its_field_and_who_suffers(name: str) -> None:
    change, field, who, words = BREAKING[name]
    ((found, suffers, said),) = changed(change)
    assert (found, suffers) == (field, who)
    assert words in said


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_breaks_nobody(name: str) -> None:
    assert changed(HARMLESS[name]) == []


def test_fields_inside_groups_are_compared_too() -> None:
    assert {"statuses.scheme", "declared.hukou_area"} <= leaves_of(HOME).keys()

    def shorter(schema: Json) -> None:
        schema["$defs"]["HeldStatus"]["properties"]["document"]["maxLength"] = 3

    assert changed(shorter, HOME) == [("statuses.document", PUBLISHER, "最长长度减小了")]


def test_what_version_2_changed_would_have_broken_version_1() -> None:
    old, new = (schema_of(FEEDS[f"employment.contribution.v{version}"]) for version in (1, 2))
    found = {(each.field, each.who) for each in breaks("employment.contribution.v1", old, new)}
    required = {"pension", "medical", "unemployment", "back_paid", "employer_kind", "paid_on"}
    assert {(name, PUBLISHER) for name in required} == found
    assert [each.who for each in compare({"a.v1": old}, {})] == [BOTH]


def test_the_models_break_nothing_that_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    assert compat.main([]) == 0
    assert f"{len(FEEDS.every)} 个已发布的版本都没有被破坏" in capsys.readouterr().out
    assert set(published()) == {spec.name for spec in FEEDS.every}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where version 1 was published with one more kind of visit than the model knows."""
    old = copy.deepcopy(BILL)
    old["$defs"]["Visit"]["enum"].append("NIGHT")
    (tmp_path / "medical.settlement.v1.schema.json").write_text(json.dumps(old), encoding="utf-8")
    monkeypatch.setattr(compat, "_FOLDER", tmp_path)
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    return tmp_path


def test_the_check_prints_what_broke_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compat.main([]) == 1
    said = capsys.readouterr().out
    assert "medical.settlement.v1 visit：删除了代码 NIGHT：仍在报送它的部门会被拒收（影响发布方）" in said
    assert "请另出新版本" in said


def test_generating_over_a_published_version_is_refused(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SystemExit, match="NIGHT"):
        generate.main()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_another_commit_that_does_not_exist_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert compat.main(["--against", "no-such-commit"]) == 2
    assert "没有这个提交" in capsys.readouterr().err
