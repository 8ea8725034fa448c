"""The slow path of decoding: says in Chinese what is wrong with an element and where, never repeating the value.

It asks the pydantic models, so a refusal reads like the contract; what they accept goes the same way as on the hot
path. Reversals and manifests, which are rare, are decoded here as well.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from schemas.calendar import SHANGHAI
from schemas.compiled import Event, reversed_data
from schemas.envelope import DAY_MS, FUTURE_TIME, LOST, MANIFESTS, Manifest, Outcome, problem_of
from schemas.feed import Flaw, field
from schemas.labels import BatchMode, Operation, ProblemCode
from schemas.plain_identity import carries_identity
from schemas.scalars import Area, Count, Moment, Month, Person, Text, Trail, Word

if TYPE_CHECKING:
    from schemas.envelope import Decoder

_KNOWN_NAME = re.compile(r"[a-z][a-z_]{0,39}")
NO_SNAPSHOT = "这类数据不收全量快照：离开须以终止日期写明，逐人核对用 lidm roster reconcile"
_NOT_ENVELOPE = ("specversion", "type", "source", "id")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Envelope(_Strict):
    """CloudEvents 1.0 attributes and extensions of an event of a feed, without `data`."""

    specversion: Annotated[Literal["1.0"], field("CloudEvents 版本", example="1.0")]
    id: Annotated[Word, field("事件编号", meaning="来源内唯一", example="7d9c1f60-1111-4222-8333-abcdefabcdef")]
    source: Annotated[Word, field("来源", meaning="发布系统", example="urn:lidm:339901:yibao")]
    type: Annotated[Word, field("事件类型", example="lidm.medical.settlement")]
    subject: Annotated[Person, field("人员假名", example="p_" + "0" * 31 + "1")]
    time: Annotated[Moment, field("事件时间", example="2026-05-14T10:21:00+08:00")]
    recordedtime: Annotated[
        Moment | None,
        field(
            "记录时间", meaning="更正和冲销必填；同一业务主键记录时间最新者有效", example="2026-05-15T02:00:00+08:00"
        ),
    ] = None
    operation: Annotated[Operation, field("操作", example="record")] = Operation.record
    supersedes: Annotated[Word | None, field("所更正的事件编号", meaning="仅作线索")] = None
    batchid: Annotated[Word | None, field("批次编号", example="yb-202605-01")] = None
    sequence: Annotated[Count, field("序号", meaning="记录时间相同时大者有效", example=0)] = 0
    datacontenttype: Annotated[Literal["application/json"] | None, field("内容类型")] = None
    dataschema: Annotated[Trail | None, field("数据模式地址")] = None
    partitionkey: Annotated[Word | None, field("分区键")] = None
    traceparent: Annotated[Word | None, field("追踪编号")] = None
    tracestate: Annotated[Trail | None, field("追踪状态")] = None


class BatchData(_Strict):
    """What a manifest says about its batch in this partition."""

    feed: Annotated[Text, field("数据种类", example="medical.settlement")]
    period: Annotated[Month, field("所属期", example="2026-05")]
    areas: Annotated[list[Area], Field(min_length=1), field("区划范围")]
    mode: Annotated[BatchMode, field("方式", example="delta")]
    rows: Annotated[Count, field("本分区行数", meaning="结束标记填写", example=0)] = 0
    nothing_happened: Annotated[bool, field("本期无事")] = False


class Explainer:
    """The slow path of one feed's decoder."""

    def __init__(self, decoder: "Decoder") -> None:
        self._decoder = decoder
        self._spec = decoder.spec

    def decide(self, raw: bytes, known_at_ms: int, index: int | None) -> Outcome:
        """One element: what it says, or the first thing wrong with it."""
        try:
            element = msgspec.json.decode(raw)
            if not isinstance(element, dict):
                return problem_of(Flaw("NOT_ENVELOPE", "", "应为 CloudEvents 1.0 对象或其数组"), index, None)
            outcome = self._decide(element, raw, known_at_ms)
        except RecursionError:
            return problem_of(Flaw("NOT_JSON", "", "内容嵌套过深"), index, None)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return problem_of(Flaw("NOT_JSON", "", ProblemCode.NOT_JSON.label), index, None)
        return problem_of(outcome, index, _batch_of(element)) if isinstance(outcome, Flaw) else outcome

    def _decide(self, element: dict[str, object], raw: bytes, known_at_ms: int) -> Outcome | Flaw:
        pointer = next(find(element, carries_identity), None)
        if pointer is not None:
            return Flaw("PLAIN_IDENTITY", pointer, "出现明文证件号码，人员只能以假名出现")
        pointer = next(find(element, lambda text: LOST in text), None)
        if pointer is not None:
            return Flaw("BAD_ENCODING", pointer, "含有转换编码时已经丢失的字符，请从原始数据重新转换")
        if any(name not in element for name in _NOT_ENVELOPE):
            missing = next(name for name in _NOT_ENVELOPE if name not in element)
            return Flaw("NOT_ENVELOPE", f"/{missing}", "缺少 CloudEvents 1.0 必备属性")
        if element["type"] in tuple(MANIFESTS):
            return self._manifest(element, raw, known_at_ms)
        if element["type"] != self._spec.event_type:
            return Flaw("WRONG_TYPE", "/type", "事件类型与主题不符")
        parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        data = bytes(parts.pop("data", b""))
        reverse = element.get("operation") == "reverse"
        flaw = _first_flaw(Envelope, msgspec.json.encode(parts), "") or self._data_flaw(data, element)
        if flaw is not None:
            return flaw
        event = self._reversal(element) if reverse else msgspec.json.decode(raw, type=self._decoder.event_type)
        return self._decoder.deliver(event, known_at_ms)

    def _data_flaw(self, data: bytes, element: dict[str, object]) -> Flaw | None:
        if not data:
            return Flaw("MISSING_FIELD", "/data", ProblemCode.MISSING_FIELD.label)
        changes = element.get("operation") in ("correct", "reverse")
        for error in _errors(self._spec.model, data):
            missing = error["type"] == "missing" and len(error["loc"]) == 1
            name = str(error["loc"][0]) if error["loc"] else ""
            if missing and changes and name in self._spec.key_fields:
                return Flaw("NO_KEY", f"/data/{name}", ProblemCode.NO_KEY.label)
            if missing and element.get("operation") == "reverse":
                continue
            return _flaw(error, "/data")
        return None

    def _reversal(self, element: dict[str, object]) -> Any:
        """The event of a reversal: only its key and, when given, its day count."""
        given = element["data"]
        head: Any = msgspec.convert({**element, "data": None}, Event[None])
        at = head.time.astimezone(SHANGHAI)
        data = reversed_data(self._spec.model, self._decoder.data_type, given if isinstance(given, dict) else {}, at)
        return msgspec.structs.replace(head, data=data)

    def _manifest(self, element: dict[str, object], raw: bytes, known_at_ms: int) -> Manifest | Flaw:
        parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        data = bytes(parts.pop("data", b"{}"))
        if "subject" in parts:
            return Flaw("UNKNOWN_FIELD", "/subject", "批次标记不带人员")
        if element.get("batchid") is None:
            return Flaw("MISSING_FIELD", "/batchid", "批次标记须带批次编号")
        placeholder = msgspec.Raw(b'"p_' + b"0" * 32 + b'"')
        envelope = msgspec.json.encode({**parts, "subject": placeholder})
        flaw = _first_flaw(Envelope, envelope, "") or _first_flaw(BatchData, data, "/data")
        if flaw is not None:
            return flaw
        head, body = Envelope.model_validate_json(envelope), BatchData.model_validate_json(data)
        if body.feed != self._spec.kind:
            return Flaw("BAD_FIELD", "/data/feed", "批次标记的数据种类与主题不符")
        if body.mode is BatchMode.full_snapshot and not self._spec.fact.snapshots:
            return Flaw("BAD_FIELD", "/data/mode", NO_SNAPSHOT)
        recorded_ms = self._decoder.milliseconds(head.recordedtime or head.time)
        if recorded_ms > known_at_ms + DAY_MS:
            return FUTURE_TIME
        return Manifest(
            what="begin" if head.type == "lidm.batch.begin" else "end",
            batchid=str(head.batchid),
            feed=body.feed,
            period=body.period,
            areas=tuple(body.areas),
            mode=body.mode.value,  # type: ignore[arg-type]  # the enum's values are the literal's
            rows=body.rows,
            nothing_happened=body.nothing_happened,
            recorded_ms=recorded_ms,
            source=str(head.source),
        )


def find(value: object, carries: Callable[[str], bool], pointer: str = "") -> Iterator[str]:
    """Pointers of strings that carry something; a field name that does is known by its parent's pointer."""
    if isinstance(value, str) and carries(value):
        yield pointer
    elif isinstance(value, dict):
        for name, inner in value.items():
            if carries(name):
                yield pointer
            yield from find(inner, carries, f"{pointer}{step_of(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from find(inner, carries, f"{pointer}/{index}")


def step_of(name: str | int) -> str:
    """One step of a pointer. A name may itself be a value: only what looks like a field name is repeated."""
    return f"/{name}" if isinstance(name, int) or _KNOWN_NAME.fullmatch(name) else "/?"


def _errors(model: type[BaseModel], data: bytes) -> list[ErrorDetails]:
    try:
        model.model_validate_json(data)
    except ValidationError as error:
        return error.errors(include_url=False, include_input=False, include_context=False)
    return []


def _first_flaw(model: type[BaseModel], data: bytes, pointer: str) -> Flaw | None:
    return next((_flaw(error, pointer) for error in _errors(model, data)), None)


def _flaw(error: ErrorDetails, pointer: str) -> Flaw:
    where = pointer + "".join(map(step_of, error["loc"]))
    kind = error["type"]
    if kind == "missing":
        return Flaw("MISSING_FIELD", where, ProblemCode.MISSING_FIELD.label)
    if kind == "extra_forbidden":
        return Flaw("UNKNOWN_FIELD", where, ProblemCode.UNKNOWN_FIELD.label)
    if kind in ("wrong_type", "bad_value"):
        return Flaw("WRONG_TYPE" if kind == "wrong_type" else "BAD_FIELD", where, error["msg"])
    code = ProblemCode.WRONG_TYPE if kind.endswith("_type") else ProblemCode.BAD_FIELD
    return Flaw(code.value, where, code.label)


def _batch_of(element: dict[str, object]) -> str | None:
    batch = element.get("batchid")
    return batch if isinstance(batch, str) and 1 <= len(batch) <= 128 and not carries_identity(batch) else None
