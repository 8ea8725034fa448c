"""Says in Chinese what a change of a published feed version breaks, and for whom: who publishes, or who reads.

Compares JSON Schemas: those made from the models now against those committed in `schemas/generated/`, or at another
commit: `python -m schemas.compat --against origin/main`. Exit code 1 when something breaks; then the change belongs in
a new version beside the old one.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.feed import FEEDS

PUBLISHER, READER, BOTH = "发布方", "读取方", "发布方和读取方"
Json = dict[str, Any]

_FOLDER = Path(__file__).with_name("generated")
_SUFFIX = ".schema.json"
_RANKS = {"internal": 0, "personal": 1, "restricted": 2}
_NARROWER = (
    ("minimum", 1, "最小值提高了"),
    ("maximum", -1, "最大值降低了"),
    ("minLength", 1, "最短长度加大了"),
    ("maxLength", -1, "最长长度减小了"),
)


@dataclass(frozen=True)
class Break:
    """One thing that no longer holds for those who rely on a published version."""

    feed: str
    field: str
    who: str
    message_zh: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.feed} {self.field}：{self.message_zh}（影响{self.who}）"


@dataclass(frozen=True)
class Leaf:
    """What a schema says of one field."""

    required: bool
    nullable: bool
    shape: tuple[object, ...]
    limits: Mapping[str, int]
    codes: Mapping[str, str | None] | None
    note: Mapping[str, object]


@dataclass
class _Reader:
    """Flattens the fields of `data` into leaves by path."""

    definitions: Mapping[str, Json]
    leaves: dict[str, Leaf] = field(default_factory=dict)

    def read(self, schema: Json, prefix: str = "") -> dict[str, Leaf]:
        """All fields below a schema of type object."""
        needed = set(schema.get("required", ()))
        for name, found in schema.get("properties", {}).items():
            self._one(f"{prefix}{name}", found, name in needed)
        return self.leaves

    def _one(self, path: str, found: Json, required: bool) -> None:
        choices = [each for each in found.get("anyOf", [found]) if each.get("type") != "null"]
        many = choices[0].get("type") == "array"
        inner = choices[0]["items"] if many else choices[0]
        if "$ref" in inner:
            inner = self.definitions[str(inner["$ref"]).rpartition("/")[2]]
        labels = inner.get("x-labels", {})
        self.leaves[path] = Leaf(
            required,
            len(choices) < len(found.get("anyOf", [found])),
            (many, inner.get("type"), inner.get("format"), inner.get("pattern")),
            {name: inner[name] for name, _, _ in _NARROWER if name in inner},
            {str(code): labels.get(code) for code in inner["enum"]} if "enum" in inner else None,
            {name: found.get(name) for name in ("title", "x-unit", "x-key", "x-sensitivity", "default")},
        )
        if inner.get("type") == "object":
            self.read(inner, f"{path}.")


def leaves_of(schema: Json) -> dict[str, Leaf]:
    """The fields of the data of a generated feed schema, nested ones as `statuses.scheme`."""
    return _Reader(schema["$defs"]).read(schema["$defs"]["data"])


def breaks(feed: str, old: Json, new: Json) -> list[Break]:
    """What the new schema of a version breaks for those who rely on the old one; empty when nothing."""
    before, after = leaves_of(old), leaves_of(new)
    found = [
        Break(feed, path, BOTH, "字段被删除：仍在报送它的部门会被拒收，读取方不再得到它")
        for path in before
        if path not in after
    ]
    found += [
        Break(feed, path, PUBLISHER, "新增了必填字段：没有它的报送会被拒收")
        for path, leaf in after.items()
        if path not in before and leaf.required
    ]
    for path in before.keys() & after.keys():
        found += [Break(feed, path, who, said) for who, said in _changes(before[path], after[path])]
    return sorted(found, key=lambda each: (each.field, each.message_zh))


def _changes(old: Leaf, new: Leaf) -> Iterator[tuple[str, str]]:
    if old.shape != new.shape:
        yield BOTH, "类型或格式要求改变"
    if new.required and not old.required:
        yield PUBLISHER, "由选填改为必填"
    if old.required and not new.required:
        yield READER, "由必填改为选填：读取方会遇到没有它的记录"
    if old.nullable and not new.nullable:
        yield PUBLISHER, "不再允许为空"
    if new.nullable and not old.nullable:
        yield READER, "改为可以为空：读取方会遇到空值"
    for name, sign, said in _NARROWER:
        if name in new.limits and (name not in old.limits or sign * (new.limits[name] - old.limits[name]) > 0):
            yield PUBLISHER, said
    yield from _code_changes(old.codes or {}, new.codes or {})
    yield from _note_changes(old.note, new.note)


def _code_changes(old: Mapping[str, str | None], new: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for code in old.keys() - new.keys():
        yield PUBLISHER, f"删除了代码 {code}：仍在报送它的部门会被拒收"
    for code in new.keys() - old.keys():
        yield READER, f"新增了代码 {code}：读取方不认识它"
    for code in old.keys() & new.keys():
        if old[code] is not None and old[code] != new[code]:
            yield BOTH, f"代码 {code} 的含义由“{old[code]}”改为“{new[code]}”"


def _note_changes(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if old["title"] != new["title"]:
        yield PUBLISHER, f"名称由“{old['title']}”改为“{new['title']}”：以名称作表头的文件不再认得"
    if old["x-unit"] != new["x-unit"]:
        yield BOTH, f"单位由“{old['x-unit'] or '无'}”改为“{new['x-unit'] or '无'}”：同一数字不再是同一个量"
    if old["x-key"] != new["x-key"]:
        yield BOTH, "业务主键改变：以前的记录不再能更正和冲销"
    if _RANKS.get(str(new["x-sensitivity"]), 0) < _RANKS.get(str(old["x-sensitivity"]), 0):
        yield PUBLISHER, "敏感级别降低：须由提供部门重新签署"
    if old["default"] is not None and old["default"] != new["default"]:
        yield READER, "没有填写时的含义改变"


def published(against: str | None = None) -> dict[str, Json]:
    """Feed version and committed schema; `against`: as of that commit. Raises CalledProcessError for an unknown one."""
    names = [spec.name for spec in FEEDS.every]
    if against is None:
        files = _FOLDER.glob(f"*{_SUFFIX}")
        texts = {path.name.removesuffix(_SUFFIX): path.read_text(encoding="utf-8") for path in files}
    else:
        listed = _git("ls-tree", "--name-only", against, "./").split()
        texts = {
            name.removesuffix(_SUFFIX): _git("show", f"{against}:./{name}") for name in listed if name.endswith(_SUFFIX)
        }
    found = {name: json.loads(text) for name, text in texts.items()}
    return {
        name: schema
        for name, schema in found.items()
        # A sealed way in is made of its feed's schema: what breaks it is said once, of the feed.
        if name in names or ("data" in schema.get("$defs", {}) and not name.startswith("inbox."))
    }


def _git(*words: str) -> str:
    command = ["git", *words]
    return subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, check=True).stdout  # noqa: S603 - own words


def compare(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[Break]:
    """What all feed versions break; a version that is gone breaks everything for whoever publishes it."""
    found: list[Break] = []
    for name, schema in sorted(old.items()):
        if name not in new:
            found.append(Break(name, "", BOTH, "整个版本不见了：撤销一个版本须先让所有发布方换到新版本"))
        else:
            found += breaks(name, schema, new[name])
    return found


def main(arguments: list[str] | None = None) -> int:
    """Prints what breaks; 0 when nothing does, 2 when there is nothing to compare with."""
    from schemas.generate import schema_of

    parser = argparse.ArgumentParser(prog="python -m schemas.compat", description="已发布的数据版本有没有被破坏")
    parser.add_argument("--against", metavar="REF", help="与这个提交相比（默认与已提交的 schemas/generated 相比）")
    given = parser.parse_args(arguments)
    try:
        old = published(given.against)
    except subprocess.CalledProcessError:
        print(f"没有这个提交：{given.against}", file=sys.stderr)
        return 2
    found = compare(old, {spec.name: schema_of(spec) for spec in FEEDS.every})
    for each in found:
        print(each)
    if found:
        print(f"{len(found)} 处改动会破坏已发布的版本：请另出新版本，与旧版本并存。")
    else:
        print(f"{len(old)} 个已发布的版本都没有被破坏。")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
