"""Reads one message of a feed topic: a CloudEvent or an array of them, into deliveries, manifests and problems.

The hot path decodes straight into structs and lets pass only what is certainly right. Whatever is unusual goes to
`schemas.explain`, which asks the pydantic model, decides the same and can say in Chinese what is wrong and where.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from schemas.compiled import Event, event_of, struct_of
from schemas.facts import AnyFact
from schemas.feed import MAX_ELEMENTS, MAX_VALUE_BYTES, FeedData, FeedSpec, Flaw
from schemas.plain_identity import carries_identity, surely_plain
from schemas.scalars import PERSON

if TYPE_CHECKING:
    from schemas.explain import Explainer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000
MILLISECOND = timedelta(milliseconds=1)
FIRST_YEAR = 1900
FIRST_DAY = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).toordinal()

_is_person = re.compile(PERSON).fullmatch
_OBJECT = ord("{")
LOST = "\ufffd"
"""What a conversion writes for a character it could not read."""

MANIFESTS = {"lidm.batch.begin": "begin", "lidm.batch.end": "end"}

EMPTY = Flaw("NOT_JSON", "", "消息没有内容")
TOO_LARGE = Flaw("TOO_LARGE", "", f"消息超过 {MAX_VALUE_BYTES} 字节")
TOO_MANY = Flaw("TOO_LARGE", "", f"一条消息超过 {MAX_ELEMENTS} 个事件")
NO_EVENTS = Flaw("NOT_ENVELOPE", "", "数组里没有事件")
NOT_PERSON = Flaw("BAD_FIELD", "/subject", "应为 p_ 加 32 位十六进制的人员假名")
FUTURE_TIME = Flaw("FUTURE_DATE", "/time", "事件时间晚于接收时间一天以上")
FUTURE_RECORD = Flaw("FUTURE_DATE", "/recordedtime", "记录时间晚于接收时间一天以上")
FUTURE_DAY = Flaw("FUTURE_DATE", "/data", "业务日期超出接收日期允许的范围")
OLD_TIME = Flaw("TOO_OLD", "/time", "时间早于 1900 年")
OLD_RECORD = Flaw("TOO_OLD", "/recordedtime", "时间早于 1900 年")
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
    mode: Literal["delta", "replace_period", "full_snapshot"]
    rows: int
    nothing_happened: bool
    recorded_ms: int
    source: str


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


def problem_of(flaw: Flaw, index: int | None = None, batchid: str | None = None) -> Problem:
    """The problem of an element."""
    return Problem(flaw.code, flaw.pointer, flaw.message_zh, index, batchid)


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
        self._zone: tzinfo | None = None
        self._offset_ms = 0
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
            return [problem_of(TOO_LARGE if value else EMPTY)]
        if value[0] == _OBJECT:
            return [self._element(value, known_at_ms, None, surely_plain(value))]
        try:
            elements = self._split(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [self.explainer.decide(value, known_at_ms, None)]
        if not elements or len(elements) > MAX_ELEMENTS:
            return [problem_of(TOO_MANY if elements else NO_EVENTS)]
        plain = surely_plain(value)
        return [self._element(raw, known_at_ms, index, plain) for index, raw in enumerate(elements)]

    def _element(self, raw: bytes | msgspec.Raw, known_at_ms: int, index: int | None, plain: bool) -> Outcome:
        try:
            event: Event[FeedData] = self._read(raw)
            # One doubtful element makes no whole array doubtful: each is looked at by itself before the slow way.
            clean = plain or (index is not None and surely_plain(bytes(raw))) or is_clean(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.explainer.decide(bytes(raw), known_at_ms, index)
        if clean and event.type == self._type and event.operation != "reverse":
            outcome = self.deliver(event, known_at_ms)
            if type(outcome) is Delivery:
                return outcome
        return self.explainer.decide(bytes(raw), known_at_ms, index)

    def deliver(self, event: Event[FeedData], known_at_ms: int) -> Delivery | Flaw:
        """A well-formed event as a delivery, or what is wrong between its fields."""
        data = event.data
        operation = event.operation
        recorded = event.recordedtime
        if recorded is None:
            recorded = event.time
        recorded_ms = self.milliseconds(recorded)
        if _is_person(event.subject) is None:
            return NOT_PERSON
        day = data.day()
        if (
            recorded_ms > known_at_ms + DAY_MS
            or event.time > recorded
            or event.time.year < FIRST_YEAR
            or not FIRST_DAY <= day <= (known_at_ms + SHANGHAI_MS) // DAY_MS + EPOCH_DAY + self._ahead
        ):
            flaw = self._time_flaw(event, recorded_ms, day, known_at_ms)
            if flaw is not None:
                return flaw
        if operation != "record":
            flaw = self._change_flaw(event)
            if flaw is not None:
                return flaw
        gone = operation == "reverse"
        if not gone and (problems := data.problems()):
            return problems[0]
        source = event.source
        head = (
            data.natural_key(event),
            recorded_ms,
            event.sequence,
            event.id + (self._tags.get(source) or self._tag(source)),
            source,
            gone,
            day,
        )
        household = data.household if self._of_household else None  # type: ignore[attr-defined]  # asked once, in __init__
        return Delivery(event.subject, data.to_fact(head), household, operation, event.batchid)

    def milliseconds(self, moment: datetime) -> int:
        """Milliseconds since 1970, rounded down. Messages share zones, so the last zone's offset is remembered."""
        if moment.tzinfo is not self._zone:
            self._zone = moment.tzinfo
            self._offset_ms = (moment.replace(tzinfo=UTC) - moment) // MILLISECOND + EPOCH_DAY * DAY_MS
        minutes = moment.toordinal() * 1440 + moment.hour * 60 + moment.minute
        return minutes * 60_000 + moment.second * 1000 + moment.microsecond // 1000 - self._offset_ms

    def _time_flaw(self, event: Event[FeedData], recorded_ms: int, day: int, known_at_ms: int) -> Flaw | None:
        limit = known_at_ms + DAY_MS
        if self.milliseconds(event.time) > limit:
            return FUTURE_TIME
        if recorded_ms > limit:
            return FUTURE_RECORD
        if event.time.year < FIRST_YEAR:
            return OLD_TIME
        if event.recordedtime is not None and event.recordedtime.year < FIRST_YEAR:
            return OLD_RECORD
        if day < FIRST_DAY:
            return OLD_DAY
        today = (known_at_ms + SHANGHAI_MS) // DAY_MS + EPOCH_DAY
        return FUTURE_DAY if day > today + self._ahead else None

    def _change_flaw(self, event: Event[FeedData]) -> Flaw | None:
        if event.recordedtime is None:
            return NO_RECORDEDTIME
        missing = next((name for name in self.spec.key_fields if getattr(event.data, name) is None), None)
        return None if missing is None else NO_KEY._replace(pointer=f"/data/{missing}")

    def _tag(self, source: str) -> str:
        # Ids are unique per source only: with the source's digest two sources never tie in version.
        if len(self._tags) >= 1000:
            self._tags.clear()
        tag = self._tags[source] = "~" + hashlib.sha256(source.encode()).hexdigest()[:8]
        return tag


def is_clean(raw: bytes | msgspec.Raw) -> bool:
    """Whether every string is printable, whole, without bar and without an identity number; slower than
    `surely_plain`."""
    return all(
        text.isprintable() and LOST not in text and "|" not in text and not carries_identity(text)
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
