"""Records of `reports.feeds.v1`: figures about feeds from which the report card is made. Counts, never contents."""

from typing import Literal

import msgspec

from schemas.amounts import Amounts


class ReceiptReport(msgspec.Struct, frozen=True, tag="receipt", tag_field="kind"):
    """One arrival at the gateway. `refused`: rows by code; `left_out`: rows out of scope, discarded there.

    `identities`: identity numbers refused, by flaw, and `fifteen`, good ones in the form of before 1999. `amounts`: of
    a sample of rows, by field and order of magnitude (`schemas.amounts`).
    """

    feed: str
    receipt: str
    batchid: str
    period: str
    way: str
    department: str
    at_ms: int
    read: int
    sent: int
    left_out: int
    refused: dict[str, int]
    closed: bool
    identities: dict[str, int] = {}
    amounts: Amounts = {}


class ClosedPart(msgspec.Struct, frozen=True, array_like=True):
    """A batch that ended in a partition; its number is one of its source's. `source` "": what older intakes wrote."""

    batchid: str
    period: str
    mode: str
    rows: int
    source: str = ""


class ReadingReport(msgspec.Struct, frozen=True, tag="reading", tag_field="kind"):
    """What intake read between two commits of one feed partition: offsets `first` to `last`, both included.

    A range read again after a crash begins at the same `first` and replaces this one. `sampled`: digests of the events
    of one person in sixty-four, so that repeats show; `looked` events tell which fields are filled. `skew`: events by
    how long they were recorded before they were known (see SKEWS). `amounts`: those of looked events, by field and
    order of magnitude.
    """

    topic: str
    feed: str
    partition: int
    first: int
    last: int
    known_ms: int
    rows: int
    routed: int
    out_of_scope: int
    corrected: int
    reversed: int
    refused: dict[str, int]
    looked: int
    filled: dict[str, int]
    skew: dict[str, int]
    sampled: tuple[str, ...]
    closed: tuple[ClosedPart, ...] = ()
    amounts: Amounts = {}


class HoldReport(msgspec.Struct, frozen=True, tag="hold", tag_field="kind"):
    """A whole batch that is held for a person, or what became of one. Told by the monitor, once per state.

    `before`: facts that were there when it began; `gone`: those it does not repeat; `hold_above`: the share of them
    that may be missing, in thousandths. `actor` and `reason`: of whoever decided.
    """

    at_ms: int
    state: str
    feed: str
    batchid: str
    period: str
    areas: tuple[str, ...]
    mode: str
    rows: int
    before: int
    gone: int
    hold_above: int
    actor: str = ""
    reason: str = ""
    source: str = ""


class CardReport(msgspec.Struct, frozen=True, tag="card", tag_field="kind"):
    """The report card of one department's feed for a day or a month; made again until nothing changes any more.

    `every`, `worked`: how often the feed speaks, and whether offices work that day. `volume`: rows of a month's whole
    batches; `due`, `closed_on`: ISO dates, empty where there is none. `read` to `amounts`: what the gateway and the
    sample of intake say, as in their own reports.
    """

    feed: str
    department: str
    span: Literal["day", "month"]
    period: str
    at_ms: int
    every: str
    worked: bool
    on_time: str
    due: str
    closed_on: str
    volume: int
    rows: int
    routed: int
    out_of_scope: int
    corrected: int
    reversed: int
    refused: dict[str, int]
    read: int
    left_out: int
    gateway_refused: dict[str, int]
    identities: dict[str, int]
    amounts: Amounts
    looked: int
    filled: dict[str, int]
    skew: dict[str, int]
    sampled: int
    repeated: int


SKEWS = (("future", "晚于接收时间"), ("day", "一天内"), ("week", "一周内"), ("month", "一月内"), ("late", "一月以上"))
Report = ReceiptReport | ReadingReport | HoldReport | CardReport
_decoder: msgspec.json.Decoder[ReceiptReport | ReadingReport | HoldReport | CardReport] = msgspec.json.Decoder(Report)


def encode_report(report: Report) -> bytes:
    """The message value."""
    return msgspec.json.encode(report)


def decode_report(value: bytes) -> Report:
    """Reads one. Raises msgspec.DecodeError."""
    return _decoder.decode(value)
