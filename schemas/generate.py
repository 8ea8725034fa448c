"""Writes the JSON Schemas of `schemas/generated/` from the models: `python -m schemas.generate`.

What is committed there is published: a change that breaks it is refused (`schemas.compat` says for whom).
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas.alerts import Alert
from schemas.compat import compare, published
from schemas.explain import BatchData, Envelope
from schemas.feed import FEEDS, FeedSpec, FieldSpec
from schemas.labels import Operation

FOLDER = Path(__file__).with_name("generated")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(spec: FeedSpec) -> dict[str, Any]:
    """JSON Schema of one event of a feed. A correction must carry the key fields, a reversal needs only them."""
    data = spec.model.model_json_schema(ref_template="#/$defs/{model}")
    definitions = data.pop("$defs", {})
    envelope = Envelope.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(envelope.pop("$defs", {}))
    properties = {**envelope["properties"], "data": {"type": "object"}}
    properties["type"] = {**properties["type"], "const": spec.event_type}
    keys = list(spec.key_fields)
    required = data["required"] + [name for name in keys if name not in data["required"]]
    return {
        "$schema": _DIALECT,
        "title": spec.title,
        "description": f"{spec.topic}：一条消息是一个事件，或事件的数组",
        "type": "object",
        "properties": properties,
        "required": [*envelope["required"], "data"],
        "additionalProperties": False,
        "allOf": [
            _when(Operation.correct, ["recordedtime"], "correction"),
            _when(Operation.reverse, ["recordedtime"], "reversal"),
            {
                "if": {"properties": {"operation": {"const": Operation.record.value}}},
                "then": {"properties": {"data": {"$ref": "#/$defs/data"}}},
            },
        ],
        "$defs": {
            **definitions,
            "data": data,
            "correction": {**data, "required": required},
            "reversal": {**data, "required": keys},
        },
    }


def _when(operation: Operation, required: list[str], data: str) -> dict[str, Any]:
    return {
        "if": {"properties": {"operation": {"const": operation.value}}, "required": ["operation"]},
        "then": {"properties": {"data": {"$ref": f"#/$defs/{data}"}}, "required": required},
    }


def manifest_schema() -> dict[str, Any]:
    """JSON Schema of `lidm.batch.begin` and `lidm.batch.end`."""
    envelope = Envelope.model_json_schema(ref_template="#/$defs/{model}")
    body = BatchData.model_json_schema(ref_template="#/$defs/{model}")
    kept = ("specversion", "id", "source", "type", "time", "recordedtime", "batchid", "datacontenttype")
    properties = {name: envelope["properties"][name] for name in kept}
    properties["type"] = {**properties["type"], "enum": ["lidm.batch.begin", "lidm.batch.end"]}
    definitions = body.pop("$defs", {})
    return {
        "$schema": _DIALECT,
        "title": "批次标记",
        "description": "写入主题的每个分区，消息键为批次编号，不带 subject",
        "type": "object",
        "properties": {**properties, "data": {"$ref": "#/$defs/batch"}},
        "required": ["specversion", "id", "source", "type", "time", "batchid", "data"],
        "additionalProperties": False,
        "$defs": {**definitions, "batch": body},
    }


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


def generated() -> dict[str, str]:
    """File name and content of everything generated."""
    schemas = {f"{spec.name}.schema.json": schema_of(spec) for spec in FEEDS.every}
    schemas["batch.v1.schema.json"] = manifest_schema()
    schemas["alerts.v1.schema.json"] = {"$schema": _DIALECT, **Alert.model_json_schema()}
    return {name: json.dumps(schema, ensure_ascii=False, indent=2) + "\n" for name, schema in schemas.items()}


def main() -> None:
    """Writes the files and removes those no model stands behind. On a breaking change: exit 1, nothing written."""
    found = compare(published(), {spec.name: schema_of(spec) for spec in FEEDS.every})
    if found:
        sys.exit("\n".join([*map(str, found), "已发布的版本不能这样改：请另出新版本，与旧版本并存。"]))
    FOLDER.mkdir(exist_ok=True)
    wanted = generated()
    for stale in FOLDER.glob("*.schema.json"):
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
