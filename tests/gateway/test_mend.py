"""Mending: only what was refused goes again, out of its batch; files that are wrong are named by line."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.mend import Mender
from schemas.errors import DataError

PLACE = "feeds.x.v1/0/1"


def event(name: str, **data: Any) -> dict[str, Any]:
    return {"id": name, "type": "lidm.x", "batchid": "b1", "data": data}


def load(tmp_path: Path, mapping: str | None = None, patch: str | None = None) -> Mender:
    one, other = tmp_path / "m.yaml", tmp_path / "p.jsonl"
    one.write_text(mapping or "", encoding="utf-8")
    other.write_text(patch or "", encoding="utf-8")
    return Mender.load(one if mapping else None, other if patch else None)


def mended(mender: Mender, value: Any, refused: set[int] | None = None) -> Any:
    found = mender.mend(PLACE, json.dumps(value).encode(), refused)
    return None if found.value is None else json.loads(found.value)


def test_a_mapping_renames_translates_scales_and_fills(tmp_path: Path) -> None:
    mapping = """
rename: {sum: total}
drop: [remark]
values: {visit: {门诊: OUTPATIENT}}
scale: {total: 100}
set: {hospital: H1}
default: {account_pay: 0}
"""
    found = mended(load(tmp_path, mapping), event("a", sum="1,234.50", visit="门诊", remark="x"))
    assert found == {
        "id": "a",
        "type": "lidm.x",
        "data": {"account_pay": 0, "total": 123_450, "visit": "OUTPATIENT", "hospital": "H1"},
    }
    assert mended(load(tmp_path, mapping), event("a", sum="1.234"))["data"]["total"] == "1.234"
    assert mended(load(tmp_path, mapping), event("a", sum="NaN"))["data"]["total"] == "NaN"


def test_of_an_array_only_the_refused_go_again() -> None:
    value = [event("a"), event("b"), event("c")]
    assert mended(Mender(), value, {1})["id"] == "b"
    assert [each["id"] for each in mended(Mender(), value, {0, 2})] == ["a", "c"]
    assert len(mended(Mender(), value, None)) == 3


def test_a_manifest_keeps_its_batch() -> None:
    manifest = {"id": "b1-end", "type": "lidm.batch.end", "batchid": "b1", "data": {"rows": 3}}
    assert mended(Mender(), manifest) == manifest


def test_patches_merge_or_replace(tmp_path: Path) -> None:
    lines = [
        {"letter": PLACE, "index": 0, "merge": {"subject": "p_1", "data": {"total": 5, "old": None}}},
        {"letter": PLACE, "index": 1, "replace": event("new")},
    ]
    mender = load(tmp_path, patch="\n".join(map(json.dumps, lines)))
    one, two = mended(mender, [event("a", old=1), "not an event"])
    assert (one["subject"], one["data"]) == ("p_1", {"total": 5})
    assert two["id"] == "new"


def test_what_is_no_event_stays() -> None:
    assert Mender().mend(PLACE, b"\xff garbage", None).value is None
    assert Mender().mend(PLACE, None, None).problem


@pytest.mark.parametrize(
    ("mapping", "patch", "said"),
    [
        ("rename: {a", None, "第 1 行|第 2 行"),
        ("renam: {a: b}", None, "renam"),
        (None, '{"letter": "x"}', "第 1 行"),
        (None, '{"letter": "x", "merge": {}}\nnonsense', "第 2 行"),
    ],
)
def test_wrong_files_are_refused_where_they_are_wrong(
    tmp_path: Path, mapping: str | None, patch: str | None, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        load(tmp_path, mapping, patch)
