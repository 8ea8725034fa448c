"""JSON Schemas of what travels beside the feeds: sealed ways in, alerts, case commands and events, counts of feeds.

The models say what is accepted; the Chinese names of their fields stand in `wire_titles.yaml`.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from pydantic import TypeAdapter

from schemas import case_words
from schemas.alerts import Alert
from schemas.case_commands import CaseOrder
from schemas.cases import CaseEvent
from schemas.feed_reports import Report
from schemas.labels import AlertStateLabel, FamilyLabel
from schemas.topics import ALERTS, CASE_COMMANDS, CASE_EVENTS, FEED_REPORTS

Json = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID_TYPES = ("ric", "passport", "permit", "other")
"""Kinds of document a sealed number may come from; the first when nothing is said."""

_TITLES = Path(__file__).with_name("wire_titles.yaml")
_REF = "#/$defs/{name}"


def wire_schemas() -> dict[str, Json]:
    """Topic and schema of one message of it."""
    commands: TypeAdapter[CaseOrder] = TypeAdapter(CaseOrder)
    (reports,), parts = msgspec.json.schema_components([Report], ref_template=_REF)
    reports.pop("discriminator")  # AsyncAPI's own word of that name means something else
    found = {
        ALERTS: ("预警", Alert.model_json_schema()),
        CASE_COMMANDS: ("个案指令", commands.json_schema()),
        CASE_EVENTS: ("个案事件", CaseEvent.model_json_schema()),
        FEED_REPORTS: ("数据质量计数", {**reports, "$defs": parts}),
    }
    return {topic: _named(title, schema) for topic, (title, schema) in found.items()}


def sealed(schema: Json) -> Json:
    """The schema of a feed's event on its sealed way in: instead of the subject the number, sealed for the gateway."""
    properties = {name: said for name, said in schema["properties"].items() if name != "subject"}
    properties["sealedid"] = {
        "type": "string",
        "title": "密封的证件号码",
        "description": "以网关公钥加密的证件号码，绑定本事件的来源和编号，base64",
        "contentEncoding": "base64",
    }
    properties["idtype"] = {
        "type": "string",
        "title": "证件类型",
        "description": "居民身份证、居住证为 ric，护照为 passport，通行证为 permit，其他为 other",
        "enum": list(ID_TYPES),
        "default": ID_TYPES[0],
    }
    required = [name for name in schema["required"] if name != "subject"]
    return {
        **schema,
        "title": f"{schema['title']}（身份列密封）",
        "description": "发往网关的密封主题：不写人员假名，写密封的证件号码",
        "properties": properties,
        "required": [*required, "sealedid"],
    }


@cache
def _titles() -> dict[str, str]:
    said: dict[str, str] = yaml.safe_load(_TITLES.read_text(encoding="utf-8"))
    return said


def _named(title: str, schema: Json) -> Json:
    """The schema with Chinese names at its fields and the labels of its codes."""
    owners = {str(schema.get("title", "")): schema, **schema.get("$defs", {})}
    for owner, part in owners.items():
        labels = _labels_of(owner)
        if labels:
            part["x-labels"] = labels
        for name, said in part.get("properties", {}).items():
            said["title"] = _title_of(owner, name)
            if name in ("state", "family") and "enum" in said:
                said["x-labels"] = _label_of_alert(name)
    return {"$schema": DIALECT, **schema, "title": title}


def _title_of(owner: str, name: str) -> str:
    """Raises LookupError for a field without a Chinese name."""
    titles = _titles()
    found = titles.get(f"{owner}.{name}") or titles.get(name)
    if found is None:
        raise LookupError(f"{owner}.{name} has no Chinese name: write it into {_TITLES.name}")
    return found


def _labels_of(owner: str) -> dict[str, str]:
    word = getattr(case_words, owner, None)
    if not (isinstance(word, type) and issubclass(word, case_words.Word)):
        return {}
    return {each.value: each.label for each in word}


def _label_of_alert(name: str) -> dict[str, str]:
    words = AlertStateLabel if name == "state" else FamilyLabel
    return {each.value: each.label for each in words}
