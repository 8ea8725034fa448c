"""Messages of a feed topic: examples of the feed with fields replaced, encodings broken, bytes changed, arrays."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from schemas.feed import FEEDS, FeedSpec, FieldSpec
from schemas.generate import example_event
from tests.conftest import repository
from tests.fuzz.edits import NUMBERS, ODD_VALUES, PLANTED, Choices

PERSON, RELATIVE, STRANGER = "p_" + "0" * 31 + "1", "p_" + "0" * 31 + "2", "p_" + "f" * 32
Json = dict[str, Any]
_read = msgspec.json.Decoder().decode
_ENVELOPE = ("id", "source", "subject", "time", "recordedtime", "operation", "sequence", "batchid", "type", "extra")
_LENGTHS = (1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 0)
_NEAR: dict[str, tuple[object, ...]] = {
    "fen": (0, 1, -1, 99, 52_000, 10**9),
    "count": (0, 1, 2, 7, 240),
    "date": ("2026-05-14", "2026-04-01", "2024-02-29", "1999-12-31", "2026-06-29"),
    "month": ("2026-05", "2026-04", "2025-12", "1999-01"),
    "time": ("2026-05-14T10:00:00+08:00", "2026-05-13T23:00:00Z"),
    "person": (RELATIVE, PERSON, STRANGER),
    "area": ("339901000000", "339901001000", "330109000000"),
}


class Sent(NamedTuple):
    """One message as a foreign client may send it."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@lru_cache(maxsize=100)
def bases(name: str) -> tuple[bytes, ...]:
    """The generated example first, then every single event among the feed's examples, manifests included."""
    spec, kept = FEEDS[name], [json.dumps(example_event(FEEDS[name])).encode()]
    for path in sorted(_examples(spec).glob("*/*.json")):
        try:
            said = json.loads(path.read_bytes())
        except ValueError:
            continue
        kept += [json.dumps(each).encode() for each in (said if isinstance(said, list) else [said])]
    begins = [each.replace(b"lidm.batch.end", b"lidm.batch.begin") for each in kept if b"lidm.batch.end" in each]
    return (*kept, *begins)


@lru_cache(maxsize=100)
def raws(name: str) -> tuple[bytes, ...]:
    """Whole example files, as they are."""
    return tuple(path.read_bytes() for path in sorted(_examples(FEEDS[name]).glob("*/*.json")))


def _examples(spec: FeedSpec) -> Path:
    return repository() / "schemas" / "examples" / spec.kind / f"v{spec.version}"


def message(spec: FeedSpec, script: bytes, sealed: dict[bytes, str] | None = None) -> Sent:
    """The message a script means. `sealed`: instead of subjects, what departments send to a sealed topic, by base."""
    choices = Choices(script)
    form = choices.below(32)
    if form < 24:
        value = _encoded(choices, _event(spec, choices, sealed))
    elif form < 28:
        value = _encoded(choices, [_event(spec, choices, sealed) for _ in range(choices.one(_LENGTHS))])
    elif form < 30:
        value = _damaged(choices, _encoded(choices, _event(spec, choices, sealed)))
    else:
        value = _strange(spec, choices, script)
    if choices.below(16) == 15:
        value = _damaged(choices, value)
    key = choices.one((PERSON, PERSON, PERSON, RELATIVE, STRANGER, NUMBERS[0])).encode()
    headers = (("lidm-replays", b"2"), ("who", NUMBERS[0].encode())) if choices.below(16) == 15 else ()
    return Sent(key if choices.below(16) != 15 else None, value or None, headers)


def _event(spec: FeedSpec, choices: Choices, sealed: dict[bytes, str] | None) -> Json:
    known = bases(spec.name)
    base = known[0] if choices.below(4) < 3 else choices.one(known)
    made: Json = _read(base)
    if sealed is not None and base in sealed:
        made.pop("subject", None)
        made["sealedid"] = sealed[base]
    if choices.below(16) > 0:  # few are the same twice; the seal is of this id
        made |= {"id": f"e-{choices.below(65_536)}"} if sealed is None else {"sequence": choices.below(65_536)}
    if choices.below(6) == 5 and sealed is None and "subject" in made:
        made["subject"] = choices.one((RELATIVE, STRANGER, NUMBERS[0]))
    for _ in range(choices.below(4)):
        _edit(spec, choices, made)
    return made


def _edit(spec: FeedSpec, choices: Choices, made: Json) -> None:
    """One field replaced, taken away, renamed, wrapped, or given a value it may well have."""
    data = made.get("data")
    way = choices.below(12)
    if isinstance(data, dict) and way < 6:
        field = choices.one(spec.fields)
        data[field.name] = _near(field, choices)
        return
    holders = [made, *([data, data, data] if isinstance(data, dict) else [])]
    if isinstance(data, dict):
        holders += [part for part in data.values() if isinstance(part, dict)]
        holders += [each for part in data.values() if isinstance(part, list) for each in part if isinstance(each, dict)]
    holder = choices.one(holders)
    name = choices.one([*holder, *(_ENVELOPE if holder is made else ("note",))])
    if way == 6:
        holder.pop(name, None)
    elif way == 7:
        holder[choices.one((f"{name}x", name.upper(), *PLANTED[:4]))] = holder.pop(name, 1)
    elif way == 8:
        holder[name] = choices.one(PLANTED)
    else:
        holder[name] = choices.one(ODD_VALUES)


def _near(field: FieldSpec, choices: Choices) -> object:
    if field.labels:
        return choices.one(tuple(field.labels))
    return choices.one(_NEAR.get(field.kind, (field.example, "X1", "X2", "县医院", "E-7")))


def _encoded(choices: Choices, said: Any) -> bytes:
    style = choices.below(24)
    text = json.dumps(said, ensure_ascii=style % 2 == 1, indent=1 if style == 2 else None)
    if style == 23:
        return text.encode(choices.one(("gb18030", "utf-16", "utf-8-sig", "utf-32")), "replace")
    return text.encode("utf-8", "surrogatepass")


def _damaged(choices: Choices, value: bytes) -> bytes:
    """The same cut off, or with a few bytes taken out, put in or doubled."""
    at, way = choices.below(max(1, len(value))), choices.below(6)
    some = choices.one((b"\x00", b"\xff", b'"', b"{", b"]", b",", b"\xef\xbb\xbf", b"\\u0000", NUMBERS[0].encode()))
    if way == 0:
        return value[:at]
    if way == 1:
        return value[:at] + value[at + 1 + choices.below(8) :]
    if way == 2:
        return value[:at] + bytes([choices.below(256)]) + value[at + 1 :]
    if way == 3:
        return value + value[at:]
    return value[:at] + some + value[at:]


def _strange(spec: FeedSpec, choices: Choices, script: bytes) -> bytes:
    """Whole examples, noise, single values, what is far too large or deep."""
    way = choices.below(16)
    if way < 1:
        return choices.one(raws(spec.name))
    if way < 12:
        return script[4:]
    if way < 14:
        return json.dumps(choices.one(ODD_VALUES)).encode()
    size = choices.below(256)
    if size < 4:  # few: large ones cost milliseconds
        return choices.one((b"[" + b"1," * 5_000 + b"1]", b" " * 900_001, b"[" * 100_000, b"[" + bases(spec.name)[0]))
    return b"[" * (size - 4) + b"]" * choices.below(256)
