"""The AsyncAPI 3 document of every topic that somebody outside may write or read: `schemas/generated/asyncapi.yaml`.

Made from the catalogue, the feed registry and the JSON Schemas beside it, to which its payloads refer. Written from
lidm's side: what departments publish it receives, what subscribers read it sends. Servers are places to fill in.
"""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from schemas.catalogue_words import LEVELS, cadence_text, kept_text, watched_text
from schemas.examples_of import example_event
from schemas.feed import FEEDS
from schemas.scalars import PERSON
from schemas.topics import (
    ALERTS,
    CASE_COMMANDS,
    CASE_EVENTS,
    FEED_REPORTS,
    PARTITIONS,
    REJECTED,
    Catalogue,
    Entry,
    Size,
    inbox_topic,
)

Json = dict[str, Any]
FILE: Final = "asyncapi.yaml"
DESCRIBED_SIZE: Final[Size] = "county"
"""The class whose number of partitions stands in the bindings; every class stands beside it."""

_ONE, _MANY, _OPAQUE = "application/cloudevents+json", "application/cloudevents-batch+json", "application/octet-stream"
_SENT: Final = (ALERTS, CASE_EVENTS, REJECTED, FEED_REPORTS)
_BINDING: Final = "0.5.0"
_KEYS: Final[dict[str, Json]] = {
    "subject": {"type": "string", "pattern": f"^{PERSON}$", "description": "人员假名，即 subject"},
    "household": {"type": "string", "pattern": "^[hv]_[0-9a-f]{32}$", "description": "户假名；v_ 为临时户"},
    "coordinates": {"type": "string", "description": "原消息的位置：主题/分区/位移"},
    "feed": {"type": "string", "description": "数据类，如 medical.settlement"},
}
REPLAYS: Final = {"lidm-replays": {"type": "string", "pattern": "^[0-9]+$", "description": "被数据专员重发的次数"}}
_CONTENT: Final = {"content-type": {"type": "string", "description": "可不写；写则与消息的内容类型一致"}}
REJECTED_HEADERS: Final = {
    "code": "第一处问题的代码",
    "pointer": "第一处问题的位置（JSON 指针）",
    "message": "第一处问题的中文说明，不含原值",
    "count": "问题数",
    "problems": "各处问题的代码和位置，至多一百处",
    "digest": "原消息的摘要",
    "topic": "原消息所在主题",
    "partition": "原消息所在分区",
    "offset": "原消息的位移",
    "known_at": "接收时间（1970 年以来毫秒）",
    "batch": "批次编号",
    "replays": "已重发的次数",
    "part": "分几部分，第几部分：1/1",
}
_INFO: Final = """\
从本系统一侧书写：部门发布的由本系统接收（receive），供订阅的由本系统发送（send）。
一条消息是一个 CloudEvents 1.0 事件（结构化模式），或事件的数组；UTF-8，不超过 900000 字节。
键即 subject，分区算法为 murmur2（librdkafka 系的客户端写 partitioner=murmur2_random）。
金额为整数分，日期为 YYYY-MM-DD（北京时间），起止区间含起不含止。任何主题不得出现明文证件号码。
内部主题（户事件、户账状态、分户登记等）不是接口，不在其中。"""


def document(size: Size = DESCRIBED_SIZE) -> Json:
    """The document as plain values, its payloads referring to the schema files beside it."""
    catalogue = Catalogue.load()
    messages = dict(_feed_messages(catalogue)) | _other_messages()
    topics = [name for name in catalogue.names if _direction(name) is not None]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "低收入人口动态监测数据接口",
            "version": "1",
            "description": _INFO,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _ONE,
        "servers": _servers(),
        "channels": {name: _channel(name, catalogue, size) for name in topics},
        "operations": dict(_operation(name, catalogue.entries[name]) for name in topics),
        "components": {
            "messages": messages,
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "用户名和口令由运行单位发给"}},
        },
    }


def text(size: Size = DESCRIBED_SIZE) -> str:
    """The document as YAML."""
    head = "# 由 python -m schemas.generate 生成，不要手改。\n"
    return head + yaml.dump(document(size), Dumper=_Plain, allow_unicode=True, sort_keys=False, width=120)


class _Plain(yaml.SafeDumper):
    """Writes equal parts out each time, not as anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block(dumper: yaml.SafeDumper, said: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", said, style="|" if "\n" in said else None)


_Plain.add_representer(str, _block)


def _servers() -> Json:
    broker = {"description": "Kafka 的地址和端口，由运行单位给出"}
    return {
        "zone": {
            "host": "{broker}",
            "protocol": "kafka-secure",
            "title": "正式集群",
            "description": "部门一侧：TLS，SCRAM-SHA-512",
            "variables": {"broker": broker},
            "security": [{"$ref": "#/components/securitySchemes/scram"}],
        },
        "local": {
            "host": "{broker}",
            "protocol": "kafka",
            "title": "本机试用",
            "description": "make up 或 lidm run --embedded 所启动，只在本机",
            "variables": {"broker": broker},
        },
    }


def _direction(topic: str) -> str | None:
    """What lidm does with a topic; None for what is nobody else's."""
    if topic in _SENT:
        return "send"
    return "receive" if topic.startswith(("feeds.", "inbox.")) or topic == CASE_COMMANDS else None


def _channel(topic: str, catalogue: Catalogue, size: Size) -> Json:
    entry = catalogue.entries[topic]
    config = catalogue.config(topic)
    whole = {name: int(said) for name, said in config.items() if said.lstrip("-").isdigit()}
    shown = {"owner", "producers", "consumers", "sensitivity", "cadence", "scope", "versions"}
    return {
        "address": topic,
        "title": entry.title,
        "description": "；".join(_about(topic, entry)),
        "messages": {name: {"$ref": f"#/components/messages/{at}"} for name, at in _messages_of(topic).items()},
        "tags": [{"name": entry.owner}],
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": PARTITIONS[size],
                "topicConfiguration": {**config, **whole, "cleanup.policy": [entry.cleanup]},
                "bindingVersion": _BINDING,
            }
        },
        "x-partitions": dict(PARTITIONS),
        "x-catalogue": entry.model_dump(mode="json", include=shown, exclude_none=True),
    }


def _about(topic: str, entry: Entry) -> Iterator[str]:
    yield f"归属：{entry.owner}"
    if entry.cadence is not None:
        yield f"频次与时限：{cadence_text(entry.cadence)}"
    if entry.scope is not None:
        yield f"人员范围：{watched_text(entry.scope)}"
        yield f"依据：{entry.scope.basis}"
        yield f"用途：{entry.scope.purpose}"
    yield f"敏感程度：{LEVELS[entry.sensitivity]}"
    yield f"留存：{kept_text(entry)}"


def _messages_of(topic: str) -> dict[str, str]:
    """The messages of a channel: name there, name among the components."""
    if topic.startswith("inbox.") or (topic.startswith("feeds.") and topic != REJECTED):
        name = topic.removeprefix("feeds.")
        return {"event": name, "events": f"{name}.array", "batch": "batch.v1"}
    return {"message": topic}


def _operation(topic: str, entry: Entry) -> tuple[str, Json]:
    action = _direction(topic)
    said = "接收" if action == "receive" else "发送"
    here = f"#/channels/{topic}"
    return f"{action}.{topic}", {
        "action": action,
        "title": f"{said}{entry.title}",
        "summary": f"写入：{'、'.join(entry.producers)}；读取：{'、'.join(entry.consumers)}",
        "channel": {"$ref": here},
        "messages": [{"$ref": f"{here}/messages/{name}"} for name in _messages_of(topic)],
    }


def _feed_messages(catalogue: Catalogue) -> Iterator[tuple[str, Json]]:
    for spec in FEEDS.every:
        key = "、".join(each.label for each in spec.fields if each.key)
        about = f"第 {spec.version} 版。业务主键：{key or '来源和事件编号'}"
        yield from _event(spec.name, spec.title, about, example_event(spec), key=_KEYS["subject"])
        if catalogue.entries[spec.topic].sealed:
            title = f"{spec.title}（身份列密封）"
            yield from _event(inbox_topic(spec.kind), title, f"{about}。不写 subject，写 sealedid", None, key=None)
    batch = {"type": "string", "description": "批次编号"}
    payload = {"$ref": "./batch.v1.schema.json"}
    about = "批次开始与结束；写入主题的每个分区，键为批次编号"
    yield "batch.v1", _message("batch.v1", "批次标记", about, _ONE, payload, batch, {**_CONTENT, **REPLAYS})


def _event(name: str, title: str, about: str, example: Json | None, key: Json | None) -> Iterator[tuple[str, Json]]:
    one = {"$ref": f"./{name}.schema.json"}
    headers = {**_CONTENT, **REPLAYS}
    message = _message(name, title, about, _ONE, one, key, headers)
    if example is not None:
        message["examples"] = [{"name": "record", "summary": "登记一条", "payload": example}]
    yield name, message
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": 5000}
    about = f"{about}。数组里的事件须属同一分区，键为其中一个 subject"
    yield f"{name}.array", _message(f"{name}.array", f"{title}（多条）", about, _MANY, many, key, headers)


def _message(name: str, title: str, about: str, content: str, payload: Json, key: Json | None, headers: Json) -> Json:
    kafka = {"key": key, "bindingVersion": _BINDING} if key else {"bindingVersion": _BINDING}
    return {
        "name": name,
        "title": title,
        "description": about,
        "contentType": content,
        "headers": {"type": "object", "properties": headers},
        "payload": payload,
        "bindings": {"kafka": kafka},
    }


def _plain(topic: str, title: str, about: str, key: Json) -> Json:
    return _message(topic, title, about, "application/json", {"$ref": f"./{topic}.schema.json"}, key, {})


def _other_messages() -> dict[str, Json]:
    household = _KEYS["household"]
    coded = {name: {"type": "string", "description": said} for name, said in REJECTED_HEADERS.items()}
    sealed = {"type": "string", "format": "binary", "description": "原消息，以网关公钥密封；只有数据专员能打开"}
    refused = _message(
        REJECTED, "未能受理的消息（密封）", "问题写在消息头，原文密封", _OPAQUE, sealed, _KEYS["coordinates"], coded
    )
    return {
        ALERTS: _plain(ALERTS, "预警", "一条预警的一个版次；版次最新者为准", household),
        CASE_COMMANDS: _plain(CASE_COMMANDS, "个案指令", "每条指令按编号只办一次", household),
        CASE_EVENTS: _plain(CASE_EVENTS, "个案事件", "每件个案的事件前后相链", household),
        FEED_REPORTS: _plain(FEED_REPORTS, "数据质量计数", "报告单由此计算；只有计数，没有内容", _KEYS["feed"]),
        REJECTED: refused,
    }
