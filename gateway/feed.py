"""FeedPublisher: a department's own program publishes records of one feed, in five lines.

    with FeedPublisher("medical.settlement", broker="127.0.0.1:9092", keys=Path(".lidm/keys")) as feed:
        for record in records:
            feed.send(record)

A record is a dict of the feed's fields (money in fen, dates as text or `date`) and `identity`, with `id`, `operation`,
`recordedtime`, `sequence` beside it where wanted. The identity number becomes a pseudonym before anything is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from gateway.courier import Courier, Receipt
from gateway.events import BatchPlan, envelope_of
from gateway.identities import Linkage
from gateway.json_rows import RecordReader
from gateway.keys import KeyFiles
from gateway.problems import BadRow, RowProblem
from gateway.publish import feed_spec
from gateway.publisher import BrokerPublisher, Publisher
from gateway.security import PLAIN, Security
from gateway.sources import source_for
from schemas.calendar import SHANGHAI
from schemas.envelope import Delivery, Problem
from schemas.errors import CallError

__all__ = ["BadRow", "BatchPlan", "FeedPublisher", "Security"]


class FeedPublisher:
    """Publishes records of one feed; leaving the block delivers them and closes the batch, if there is one.

    A batch is closed only when every record was accepted and the block ended without an error: otherwise a person
    whose record is missing would count as absent.
    """

    def __init__(
        self,
        feed: str,
        *,
        broker: str | None = None,
        keys: Path | None = None,
        batch: BatchPlan | None = None,
        source: str | None = None,
        array: int = 1,
        security: Security = PLAIN,
        embedded: bool = False,
        publisher: Publisher | None = None,
        linkage: Linkage | None = None,
        recorded: datetime | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(SHANGHAI),
    ) -> None:
        """`broker` and `keys` (the folder `lidm gateway init` made), or a `publisher` and a `linkage` of one's own.

        A record that does not say when it was recorded was recorded when it is sent, in a batch when that began;
        `recorded` says otherwise, `now` is the clock. A batch of a feed of several producers names its `source`. Raises
        CallError without keys, Unreachable without broker.
        """
        self._spec, self._batch, self._now = feed_spec(feed), batch, now
        own = source_for(self._spec.kind, batch, source)
        self._as_sent = batch is None and recorded is None
        self._envelope = envelope_of(self._spec.kind, own, recorded or now(), batch)
        if linkage is None:
            if keys is None:
                raise CallError("请给出密钥目录 keys（lidm gateway init 所建）")
            linkage = KeyFiles.under(keys).linkage_of()
        if publisher is None:
            if broker is None:
                raise CallError("请给出消息服务地址 broker")
            publisher = BrokerPublisher(broker, embedded=embedded, security=security)
        self._own = publisher if isinstance(publisher, BrokerPublisher) else None
        self._courier = Courier(publisher, self._spec.topic, self._envelope, plan=batch, array=array)
        self._reader = RecordReader(self._spec, linkage)
        self._read = self._refused = 0
        self.receipt: Receipt | None = None

    def __enter__(self) -> Self:
        self._courier.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if error is None:
                closed = self._batch is not None and not self._refused
                self._courier.end(close=closed, at=max(self._envelope.recorded, self._now()))
                self.receipt = self._courier.receipt(read=self._read, bad=self._refused, left_out=0, closed=closed)
        finally:
            if self._own is not None:
                self._own.__exit__(kind, error, tb)

    def send(self, record: Mapping[str, object]) -> None:
        """Takes one record; it is certainly delivered when the block has ended. Raises BadRow, which says why not."""
        self._read += 1
        envelope = replace(self._envelope, recorded=self._now()) if self._as_sent else self._envelope
        try:
            said = {name: _plain(value) for name, value in record.items() if value is not None}
            row = self._reader.row(self._read, said)
            event = envelope.event(row)
        except BadRow:
            self._refused += 1
            raise
        except (msgspec.MsgspecError, TypeError, UnicodeEncodeError):
            self._refused += 1
            raise BadRow(RowProblem(self._read, "", "含有不能写成 JSON 的值", code="NOT_JSON")) from None
        outcome = self._spec.decode(event, int(envelope.recorded.timestamp() * 1000))[0]
        if not isinstance(outcome, Delivery):
            self._refused += 1
            problem = outcome if isinstance(outcome, Problem) else None
            field = problem.pointer.removeprefix("/data/") if problem else ""
            raise BadRow(
                RowProblem(
                    self._read, field, problem.message_zh if problem else "", code=problem.code if problem else ""
                )
            )
        self._courier.carry(row.person, event)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
