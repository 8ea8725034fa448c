"""The example files of a feed: how each differs from the plain record, and what the service really answers."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from gateway.identities import mask
from lidm.feed_pages.words import EXAMPLES
from schemas.envelope import Delivery, Manifest, Problem
from schemas.examples_of import KNOWN_AT_MS, example_files
from schemas.feed import FeedSpec
from schemas.labels import BatchMode, Operation
from schemas.plain_identity import carries_identity

_MANY: Final = 12
_SHOWN: Final = 700


@dataclass(frozen=True)
class Shown:
    """One example: its file's name, what is different about it, what the service says; `code` where it refuses."""

    name: str
    differs: tuple[str, ...]
    whole: str | None
    answer: str
    code: str | None = None
    pointer: str = ""

    @property
    def title(self) -> str:
        """Its Chinese name, for valid ones."""
        return EXAMPLES.get(self.name, self.name)


def record_of(spec: FeedSpec, name: str = "record") -> dict[str, Any]:
    """A valid example that others are compared with: the plain record, or the plain reversal."""
    files = {path.stem: path for path in example_files(spec, "valid")}
    found: dict[str, Any] = json.loads(files[name].read_text(encoding="utf-8"))
    return found


def valid(spec: FeedSpec) -> list[Shown]:
    """Every valid example, the record first. Raises ValueError where the service refuses one."""
    files = sorted(example_files(spec, "valid"), key=lambda path: (path.stem != "record", path.stem))
    found = [_shown(spec, path) for path in files]
    wrong = [each.name for each in found if each.code is not None]
    if wrong:
        raise ValueError(f"{spec.name}: valid examples are refused: {wrong}")
    return found


def invalid(spec: FeedSpec) -> list[Shown]:
    """Every invalid example with its refusal. Raises ValueError where the service takes one."""
    found = [_shown(spec, path) for path in example_files(spec, "invalid")]
    wrong = [each.name for each in found if each.code is None]
    if wrong:
        raise ValueError(f"{spec.name}: invalid examples are taken: {wrong}")
    return found


def _shown(spec: FeedSpec, path: Path) -> Shown:
    raw = path.read_bytes()
    outcomes = spec.decode(raw, KNOWN_AT_MS)
    problem = next((each for each in outcomes if isinstance(each, Problem)), None)
    answer = problem.message_zh if problem else "；".join(map(_understood, outcomes))
    differs, whole = _difference(spec, path, raw)
    if problem is None:
        return Shown(path.stem, differs, whole, answer)
    return Shown(path.stem, differs, whole, answer, problem.code, problem.pointer)


def _understood(outcome: Delivery | Manifest | Problem) -> str:
    if isinstance(outcome, Manifest):
        mode = BatchMode[outcome.mode].label
        return f"{outcome.period} 的批次报齐：{mode}，本分区 {outcome.rows} 行"
    if not isinstance(outcome, Delivery):
        raise TypeError("a refusal is told elsewhere")
    fact = outcome.fact
    if fact.gone:
        return f"受理为冲销：{_short(fact.key)} 视为从未发生"
    return f"受理：业务主键 {_short(fact.key)}，业务日期 {date.fromordinal(fact.day)}"


def _short(key: str) -> str:
    """A natural key with its pseudonym cut."""
    return "|".join(
        f"{part[:4]}…{part[-2:]}" if len(part) == 34 and part[1] == "_" else part for part in key.split("|")
    )


def _difference(spec: FeedSpec, path: Path, raw: bytes) -> tuple[tuple[str, ...], str | None]:
    """Where an example differs from the plain record or reversal; the whole of it where that says more."""
    try:
        said = json.loads(raw)
    except ValueError:
        return ("内容在中途断开",), f"…{raw.decode('utf-8', 'replace')[-60:]}"
    if isinstance(said, list):
        operations = "、".join(Operation[each.get("operation", "record")].label for each in said)
        return (f"数组，{len(said)} 个事件：{operations}",), None
    if path.stem == "reverse" or "specversion" not in said or str(said.get("type")).startswith("lidm.batch"):
        return (), _compact(said)
    base = "reverse" if said.get("operation") == "reverse" else "record"
    changes = _changes(record_of(spec, base), said, "")
    if base == "reverse":
        changes.insert(0, "与冲销示例相比")
    return (tuple(changes), None) if len(changes) <= _MANY else ((), _compact(said))


def _changes(old: dict[str, Any], new: dict[str, Any], at: str) -> list[str]:
    found: list[str] = []
    for name in [*old, *(each for each in new if each not in old)]:
        place = f"{at}/{name}"
        if name not in new:
            found.append(f"没有 {place}")
        elif name not in old:
            found.append(f"多了 {place}：{_value(new[name])}")
        elif isinstance(old[name], dict) and isinstance(new[name], dict):
            found += _changes(old[name], new[name], place)
        elif old[name] != new[name] or type(old[name]) is not type(new[name]):
            found.append(f"{place}：{_value(new[name])}")
    return found


def _value(said: object) -> str:
    if isinstance(said, str) and carries_identity(said):
        return f"{mask(said)}（明文证件号码）"
    return json.dumps(said, ensure_ascii=False)


def _compact(said: object) -> str:
    text = json.dumps(_masked(said), ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _masked(said: object) -> object:
    if isinstance(said, dict):
        return {name: _masked(inner) for name, inner in said.items()}
    if isinstance(said, list):
        return [_masked(inner) for inner in said]
    return mask(said) if isinstance(said, str) and carries_identity(said) else said
