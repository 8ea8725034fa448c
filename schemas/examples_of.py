"""Example events of a feed: one made of the examples at its fields, and the files of `schemas/examples`."""

from pathlib import Path
from typing import Any, Final, Literal

from schemas.feed import FeedSpec, FieldSpec

EXAMPLES: Final = Path(__file__).with_name("examples")
KNOWN_AT_MS: Final = 1_782_792_000_000
"""The broker's time for every example file: 2026-06-30 12:00 in Shanghai."""


def example_files(spec: FeedSpec, which: Literal["valid", "invalid"]) -> list[Path]:
    """The example files of a version, by name."""
    return sorted((EXAMPLES / spec.kind / f"v{spec.version}" / which).glob("*.json"))


def example_event(spec: FeedSpec) -> dict[str, Any]:
    """A valid event made of the examples that stand at the fields."""
    return {
        "specversion": "1.0",
        "id": f"{spec.kind}-000001",
        "source": "urn:lidm:339901:" + spec.kind.split(".")[0],
        "type": spec.event_type,
        "subject": "p_" + "0" * 31 + "1",
        "time": "2026-05-14T10:21:00+08:00",
        "recordedtime": "2026-05-15T02:00:00+08:00",
        "operation": "record",
        "sequence": 0,
        "data": _examples(spec.fields),
    }


def _examples(fields: tuple[FieldSpec, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields:
        if each.parts:
            inner = _examples(each.parts)
            found[each.name] = [inner] if each.kind == "parts" else inner
        elif each.example is not None:
            found[each.name] = each.example
    return found
