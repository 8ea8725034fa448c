"""Reads one message of a feed topic: a CloudEvent or an array of them, into deliveries, manifests and problems.

The hot path decodes straight into structs and lets pass only what is certainly right. Whatever is unusual goes to
`schemas.explain`, which asks the pydantic model, decides the same and can say in Chinese what is wrong and where.
"""

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import msgspec

from schemas.compiled import Event, event_of, struct_of
from schemas.facts import AnyFact
from schemas.feed import MAX_VALUE_BYTES, FactHead, FeedData, FeedSpec, Flaw
from schemas.plain_identity import carries_identity, surely_none

if TYPE_CHECKING:
    from schemas.explain import Explainer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000
FIRST_DAY = datetime(1900, 1, 1, tzinfo=UTC).toordinal()
FIRST_MS = (FIRST_DAY - EPOCH_DAY) * DAY_MS

_OBJECT = ord("{")

MANIFESTS = {"lidm.batch.begin": "begin", "lidm.batch.end": "end"}

FUTURE_TIME = Flaw("FUTURE_DATE", "/time", "事件时间晚于接收时间一天以上")
FUTURE_RECORD = Flaw("FUTURE_DATE", "/recordedtime", "记录时间晚于接收时间一天以上")
FUTURE_DAY = Flaw("FUTURE_DATE", "/data", "业务日期超出接收日期允许的范围")
OLD_TIME = Flaw("TOO_OLD", "/time", "时间早于 1900 年")
OLD_DAY = Flaw("TOO_OLD", "/data", "业务日期早于 1900 年")
NO_KEY = Flaw("NO_KEY", "/data", "更正或冲销缺少业务主键")
NO_RECORDEDTIME = Flaw("MISSING_FIELD", "/recordedtime", "更正或冲销须带记录时间")


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One accepted event: a fact of a person; `household` only where the feed names it (civil.household)."""

    person: str
    fact: AnyFact
    household: str | None
    operation: str
    batchid: str | None


class Manifest(msgspec.Struct, frozen=True, gc=False):
    """Begin or end of a batch in one partition; `rows` is the number of events this partition got (end only)."""

    what: Literal["begin", "end"]
    batchid: str
    feed: str
    period: str
    areas: tuple[str, ...]
    mode: Literal["delta", "replace_period"]
    rows: int
    nothing_happened: bool
    recorded_ms: int


class Problem(msgspec.Struct, frozen=True, gc=False):
    """Why an element was refused; never the value. `index` is its place in an array, None for the whole message.

    `batchid` is given when it could be read, because refused rows count as rows of their batch.
    """

    code: str
    pointer: str
    message_zh: str
    index: int | None = None
    batchid: str | None = None


Outcome = Delivery | Manifest | Problem


class Decoder:
    """Decodes the messages of one feed."""

    def __init__(self, spec: FeedSpec) -> None:
        self.spec = spec
        self.data_type: Any = struct_of(spec.model)
        self.event_type: Any = event_of(self.data_type)
        self._type = spec.event_type
        self._ahead = spec.model.feed_ahead_days
        self._of_household = "household" in spec.model.model_fields
        self._read = msgspec.json.Decoder(self.event_type).decode
        self._split = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._tags: dict[str, str] = {}
        self._explainer: Explainer | None = None

    @property
    def explainer(self) -> "Explainer":
        """The slow path, made when it is first needed."""
        if self._explainer is None:
            from schemas.explain import Explainer

            self._explainer = Explainer(self)
        return self._explainer

    def decode(self, value: bytes | None, known_at_ms: int) -> list[Outcome]:
        """What the message says, in its order. Never raises: what cannot be read is a Problem."""
        if not value or len(value) > MAX_VALUE_BYTES:
            return [self.explainer.unreadable(value)]
        if value[0] == _OBJECT:
            return [self._element(value, known_at_ms, None, is_simple(value))]
        try:
            elements = self._split(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [self.explainer.decide(value, known_at_ms, None)]
        if not elements:
            return [self.explainer.unreadable(value)]
        simple = is_simple(value)
        return [self._element(raw, known_at_ms, index, simple) for index, raw in enumerate(elements)]

    def _element(self, raw: bytes | msgspec.Raw, known_at_ms: int, index: int | None, simple: bool) -> Outcome:
        try:
            event: Event[FeedData] = self._read(raw)
            if event.type == self._type and event.operation != "reverse" and (simple or is_clean(raw)):
                outcome = self.deliver(event, known_at_ms)
                if is_delivery(outcome):
                    return outcome
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        return self.explainer.decide(bytes(raw), known_at_ms, index)

    def deliver(self, event: Event[FeedData], known_at_ms: int) -> Delivery | Flaw:
        """A well-formed event as a delivery, or what is wrong between its fields."""
        data = event.data
        operation = event.operation
        delta = event.time - EPOCH
        time_ms = recorded_ms = delta.days * DAY_MS + delta.seconds * 1000 + delta.microseconds // 1000
        if event.recordedtime is not None:
            delta = event.recordedtime - EPOCH
            recorded_ms = delta.days * DAY_MS + delta.seconds * 1000 + delta.microseconds // 1000
        day = data.day()
        limit = known_at_ms + DAY_MS
        if time_ms > limit or recorded_ms > limit or time_ms < FIRST_MS or recorded_ms < FIRST_MS:
            return self._wrong_time(time_ms, recorded_ms, limit)
        if not FIRST_DAY <= day <= (known_at_ms + SHANGHAI_MS) // DAY_MS + EPOCH_DAY + self._ahead:
            return OLD_DAY if day < FIRST_DAY else FUTURE_DAY
        gone = operation == "reverse"
        if operation != "record":
            flaw = self._unfit_for_change(event)
            if flaw is not None:
                return flaw
        if not gone:
            for problem in data.problems():
                return problem
        source = event.source
        tag = self._tags.get(source) or self._tag(source)
        head = FactHead(data.natural_key(event), recorded_ms, event.sequence, event.id + tag, source, gone, day)
        return Delivery(
            event.subject,
            data.to_fact(head),
            data.household if self._of_household else None,  # type: ignore[attr-defined]
            operation,
            event.batchid,
        )

    def _unfit_for_change(self, event: Event[FeedData]) -> Flaw | None:
        if event.recordedtime is None:
            return NO_RECORDEDTIME
        missing = next((name for name in self.spec.key_fields if getattr(event.data, name) is None), None)
        return None if missing is None else NO_KEY._replace(pointer=f"/data/{missing}")

    @staticmethod
    def _wrong_time(time_ms: int, recorded_ms: int, limit: int) -> Flaw:
        if time_ms > limit:
            return FUTURE_TIME
        if recorded_ms > limit:
            return FUTURE_RECORD
        return OLD_TIME if time_ms < FIRST_MS else OLD_TIME._replace(pointer="/recordedtime")

    def _tag(self, source: str) -> str:
        # Ids are unique per source only: with the source's digest two sources never tie in version.
        if len(self._tags) >= 1000:
            self._tags.clear()
        tag = self._tags[source] = "~" + hashlib.sha256(source.encode()).hexdigest()[:8]
        return tag


def is_delivery(outcome: Delivery | Flaw) -> TypeGuard[Delivery]:
    """Whether the event was accepted."""
    return type(outcome) is Delivery


def is_simple(raw: bytes) -> bool:
    """Whether all strings in the JSON are certainly printable, without bar and without an identity number."""
    return raw.isascii() and b"\\" not in raw and b"|" not in raw and b"\x7f" not in raw and surely_none(raw)


def is_clean(raw: bytes | msgspec.Raw) -> bool:
    """The same, looking at every string (Chinese text, escapes); False sends the element to the slow path."""
    return all(
        text.isprintable() and "|" not in text and not carries_identity(text)
        for text in strings_of(msgspec.json.decode(raw))
    )


def strings_of(value: object) -> list[str]:
    """Every string and field name inside a decoded JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in (name, *strings_of(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in strings_of(inner)]
    return []
