"""Writes the JSON Schemas and the AsyncAPI document of `schemas/generated/`: `python -m schemas.generate`.

What is committed there is published: a change that breaks it is refused (`schemas.compat` says for whom).
"""

import json
import sys
from pathlib import Path
from typing import Any

from schemas import asyncapi
from schemas.compat import compare, published
from schemas.examples_of import example_event
from schemas.explain import BatchData, Envelope
from schemas.feed import FEEDS, FeedSpec
from schemas.labels import Operation
from schemas.topics import Catalogue, inbox_topic
from schemas.wire_schemas import DIALECT, sealed, wire_schemas

__all__ = ["FOLDER", "example_event", "generated", "main", "manifest_schema", "schema_of"]  # an example goes with it

FOLDER = Path(__file__).with_name("generated")


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
        "$schema": DIALECT,
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
        "$schema": DIALECT,
        "title": "批次标记",
        "description": "写入主题的每个分区，消息键为批次编号，不带 subject",
        "type": "object",
        "properties": {**properties, "data": {"$ref": "#/$defs/batch"}},
        "required": ["specversion", "id", "source", "type", "time", "batchid", "data"],
        "additionalProperties": False,
        "$defs": {**definitions, "batch": body},
    }


def generated() -> dict[str, str]:
    """File name and content of everything generated."""
    schemas = {f"{spec.name}.schema.json": schema_of(spec) for spec in FEEDS.every}
    schemas["batch.v1.schema.json"] = manifest_schema()
    schemas |= {f"{topic}.schema.json": schema for topic, schema in wire_schemas().items()}
    topics = Catalogue.load().entries
    for spec in (each for each in FEEDS.every if inbox_topic(each.kind) in topics):
        schemas[f"{inbox_topic(spec.kind)}.schema.json"] = sealed(schema_of(spec))
    files = {name: json.dumps(schema, ensure_ascii=False, indent=2) + "\n" for name, schema in schemas.items()}
    return files | {asyncapi.FILE: asyncapi.text()}


def main() -> None:
    """Writes the files and removes those no model stands behind. On a breaking change: exit 1, nothing written."""
    found = compare(published(), {spec.name: schema_of(spec) for spec in FEEDS.every})
    if found:
        sys.exit("\n".join([*map(str, found), "已发布的版本不能这样改：请另出新版本，与旧版本并存。"]))
    FOLDER.mkdir(exist_ok=True)
    wanted = generated()
    for stale in FOLDER.iterdir():
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
