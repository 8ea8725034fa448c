"""Mends refused messages before they are sent again: one mapping for all of them, or a patch for each.

A mapping (YAML) renames, drops, translates, scales and fills fields of `data`; a patch file (JSON Lines) names letters
by place and merges changes into an event (RFC 7396) or replaces it. Of an array only refused elements go again: their
neighbours have arrived. They leave their batch, which has counted them already.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import CallError, DataError

Json = dict[str, Any]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MendMapping(_Strict):
    """What a mapping file may say. All keys are field names of `data`, in the order they are applied."""

    rename: dict[str, str] = {}
    drop: list[str] = []
    values: dict[str, dict[str, str | int | bool | None]] = {}
    scale: dict[str, int] = {}
    set: dict[str, str | int | bool | None] = {}
    default: dict[str, str | int | bool | None] = {}

    def apply(self, data: Json) -> Json:
        """The data as mended; what cannot be scaled stays as it is and is refused again."""
        mended = {self.rename.get(name, name): value for name, value in data.items() if name not in self.drop}
        for name, known in self.values.items():
            if isinstance(mended.get(name), str | int) and str(mended[name]) in known:
                mended[name] = known[str(mended[name])]
        for name, factor in self.scale.items():
            if name in mended:
                mended[name] = _scaled(mended[name], factor)
        mended.update(self.set)
        return {**self.default, **{name: value for name, value in mended.items() if value is not None}}


class Patch(_Strict):
    """A line of a patch file. `letter` is topic/partition/offset; `index` an element of an array."""

    letter: str
    index: int | None = None
    merge: Json | None = None
    replace: Json | None = None

    def apply(self, event: Json | None) -> Json | None:
        """The event as patched; None where there is nothing to patch."""
        if self.replace is not None:
            return self.replace
        return None if event is None else _merged(event, self.merge or {})


@dataclass(frozen=True)
class Mended:
    """A value to send, and of how many events; or why there is none."""

    value: bytes | None
    events: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Mender:
    """Everything the steward gave to mend with; empty, it sends messages as they were."""

    mapping: MendMapping | None = None
    patches: Mapping[tuple[str, int | None], Patch] = field(default_factory=dict)

    @classmethod
    def load(cls, mapping: Path | None, patch: Path | None) -> "Mender":
        """Reads the files. Raises CallError when one is missing, DataError naming the line that is wrong."""
        return cls(_mapping(mapping) if mapping else None, _patches(patch) if patch else {})

    def mend(self, place: str, value: bytes | None, refused: set[int] | None) -> Mended:
        """The message to send for a letter. `refused`: which elements of an array; None = all of them."""
        said = _decoded(value)
        if isinstance(said, list):
            chosen = [n for n in range(len(said)) if refused is None or n in refused]
            events = [self._event(place, n, said[n]) for n in chosen]
        else:
            events = [self._event(place, None, said)]
        good = [event for event in events if event is not None]
        if len(good) < len(events) or not good:
            return Mended(None, 0, "原文不是事件（须用补丁整条替换）")
        whole = good[0] if len(good) == 1 else good
        text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        return Mended(text.encode("utf-8", "surrogatepass"), len(good))

    def _event(self, place: str, index: int | None, event: object) -> Json | None:
        found = event if isinstance(event, dict) else None
        if found is not None and self.mapping is not None and isinstance(found.get("data"), dict):
            found = {**found, "data": self.mapping.apply(found["data"])}
        patch = self.patches.get((place, index))
        if patch is not None:
            found = patch.apply(found)
        if found is not None and not str(found.get("type", "")).startswith("lidm.batch."):
            found = {name: said for name, said in found.items() if name != "batchid"}
        return found


def _decoded(value: bytes | None) -> object:
    try:
        return json.loads(value or b"")
    except (ValueError, RecursionError):
        return None


def _scaled(value: object, factor: int) -> object:
    try:
        exact = Decimal(str(value).replace(",", "").strip()) * factor
    except InvalidOperation:
        return value
    return int(exact) if exact.is_finite() and exact == exact.to_integral_value() else value


def _merged(target: Json, change: Json) -> Json:
    """RFC 7396: null removes, objects merge, anything else replaces."""
    merged = dict(target)
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            inner = merged.get(name)
            merged[name] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def _mapping(path: Path) -> MendMapping:
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        return MendMapping.model_validate(said or {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DataError(f"{path}{f' 第 {mark.line + 1} 行' if mark else ''}：不是有效的 YAML") from error
    except ValidationError as error:
        wrong = "、".join(".".join(map(str, e["loc"])) for e in error.errors())
        raise DataError(f"{path}：修补映射只认 rename、drop、values、scale、set、default；有误：{wrong}") from error


def _patches(path: Path) -> dict[tuple[str, int | None], Patch]:
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    found: dict[tuple[str, int | None], Patch] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            patch = Patch.model_validate_json(line)
        except ValidationError as error:
            raise DataError(f"{path} 第 {number} 行：应为含 letter 与 merge 或 replace 的 JSON") from error
        if (patch.merge is None) == (patch.replace is None):
            raise DataError(f"{path} 第 {number} 行：merge 与 replace 须且只能有一个")
        found[patch.letter, patch.index] = patch
    return found
