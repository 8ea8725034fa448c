"""Messages of the archived topics as rows: one message at a time, whenever and however often it is read."""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec
from pydantic import ValidationError

from schemas.alerts import Alert
from schemas.cases import CaseEvent, decode_event
from schemas.feed_reports import CardReport, HoldReport, ReceiptReport, decode_report
from schemas.topics import ALERTS, ALERTS_SHADOW, CASE_EVENTS, FEED_REPORTS, HOUSEHOLD_EVENTS, REJECTED
from sinks.tables import TABLES, Row, clamp


class Message(Protocol):
    """What a consumer hands over (kafka-python's ConsumerRecord)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Placed(NamedTuple):
    """A row and the table it belongs to."""

    table: str
    row: Row


Maker = Callable[[Message, str], Placed | None]


def placed(message: Message, generation: str) -> Placed | None:
    """The row a message becomes; None when it needs none. What cannot be read becomes a row of `rejected`."""
    made = _MAKERS[message.topic](message, generation)
    if made is None or TABLES[made.table].holds(made.row):
        return made
    return _unreadable(message, generation, "OUT_OF_RANGE")


def alert_row(alert: Alert, text: str) -> Row:
    """A row of `alerts`; `text` is the message as it was sent."""
    areas = alert.areas
    return (
        alert.alert_id,
        alert.revision,
        alert.state,
        alert.household,
        alert.detector,
        alert.detector_version,
        alert.family,
        alert.subject,
        alert.cause,
        clamp(alert.since),
        alert.severity,
        alert.measure,
        alert.unit,
        alert.threshold.value,
        _document(alert),
        alert.threshold.document.status,
        alert.threshold.policy,
        alert.reason,
        areas.responsible if areas else "",
        areas.hukou if areas else "",
        areas.residence if areas else "",
        areas.incident if areas else "",
        int(alert.baseline),
        alert.moved_to or "",
        alert.continues or "",
        clamp(alert.on),
        max(0, round(alert.known_at.timestamp() * 1000)),
        text,
    )


def case_event_row(event: CaseEvent, text: str) -> Row:
    """A row of `case_events`; `text` is the message as it was sent."""
    cause = event.cause
    return (
        event.case_id,
        event.seq,
        event.household,
        str(event.lane.value) if event.lane else "",
        str(event.type.value),
        event.at_ms,
        event.actor,
        str(event.role.value),
        event.reason_code,
        len(event.evidence),
        cause.command_id or "",
        cause.alert_id or "",
        cause.revision or 0,
        text,
    )


def _alert(message: Message, generation: str) -> Placed:
    try:
        text = _text(message)
        table = "alerts" if message.topic == ALERTS else "alerts_shadow"
        return Placed(table, alert_row(Alert.model_validate_json(text), text))
    except (ValidationError, UnicodeDecodeError, TypeError):
        return _unreadable(message, generation, "NOT_ALERT")


def _case_event(message: Message, generation: str) -> Placed:
    try:
        text = _text(message)
        return Placed("case_events", case_event_row(decode_event(text.encode()), text))
    except (ValidationError, UnicodeDecodeError, TypeError):
        return _unreadable(message, generation, "NOT_CASE_EVENT")


def _block(message: Message, generation: str) -> Placed:
    return Placed("household_log", (generation, message.partition, message.offset, _ms(message), message.value or b""))


def _letter(message: Message, generation: str) -> Placed | None:
    headers = {name: value.decode("utf-8", "replace") for name, value in message.headers or ()}
    if not headers.get("part", "1/1").startswith("1/"):
        return None
    topic = headers.get("topic", "")
    row: Row = (
        generation,
        topic,
        _number(headers.get("partition")),
        _number(headers.get("offset")),
        headers.get("pointer", ""),
        headers.get("code", ""),
        _feed(topic),
        headers.get("digest", ""),
        headers.get("message", ""),
        _ms(message),
        message.partition,
        message.offset,
    )
    return Placed("rejected", row)


def _report(message: Message, generation: str) -> Placed:
    try:
        text = _text(message)
        report = decode_report(text.encode())
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        return _unreadable(message, generation, "NOT_REPORT")
    if isinstance(report, HoldReport):
        # a number names one batch within its source and month: the column holds all three, the report each by itself
        number = f"{report.batchid}|{report.source}|{report.period}" if report.source else report.batchid
        said: Row = (report.feed, number, report.period, report.state, report.at_ms)
        return Placed("feed_holds", (*said, text, int(report.state != "held")))
    if isinstance(report, CardReport):
        named: Row = (report.feed, report.department, report.span, report.period, report.at_ms)
        return Placed("feed_cards", (*named, report.rows, sum(report.refused.values()), report.on_time, text))
    refused = sum(report.refused.values())
    if isinstance(report, ReceiptReport):
        head: Row = (report.feed, report.receipt, report.at_ms, report.period, report.way, report.department)
        counts: Row = (report.read, report.sent, report.left_out, refused, int(report.closed))
        return Placed("feed_receipts", (*head, *counts, text, message.offset))
    head = (generation, report.topic, report.partition, report.first, report.last, report.feed, report.known_ms)
    counts = (report.rows, report.routed, report.out_of_scope, refused, report.corrected, report.reversed)
    return Placed("feed_reading", (*head, *counts, text, message.offset))


def _unreadable(message: Message, generation: str, code: str) -> Placed:
    digest = hashlib.sha256(message.value or b"").hexdigest()
    where = (generation, message.topic, message.partition, message.offset)
    return Placed("rejected", (*where, "", code, "", digest, "消息不符合格式", _ms(message), 0, 0))


def _document(alert: Alert) -> str:
    document = alert.threshold.document
    return f"{document.title}（{document.number}）" if document.number else document.title


def _text(message: Message) -> str:
    if message.value is None:
        raise TypeError("no value")
    return message.value.decode()


def _ms(message: Message) -> int:
    return max(0, message.timestamp or 0)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _feed(topic: str) -> str:
    parts = topic.split(".")
    return ".".join(parts[1:-1]) if parts[0] == "feeds" and len(parts) > 2 else ""


_MAKERS: dict[str, Maker] = {
    ALERTS: _alert,
    ALERTS_SHADOW: _alert,
    CASE_EVENTS: _case_event,
    HOUSEHOLD_EVENTS: _block,
    REJECTED: _letter,
    FEED_REPORTS: _report,
}
ARCHIVED = tuple(_MAKERS)
