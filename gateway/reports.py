"""What the gateway tells the report card about an arrival: counts by code, never a row. Topic `reports.feeds.v1`."""

from dataclasses import dataclass
from datetime import datetime

from gateway.publish import Published
from schemas.feed_reports import ReceiptReport, encode_report
from schemas.partition import partition_of
from schemas.topics import FEED_REPORTS


@dataclass(frozen=True)
class ReportLetter:
    """One record on its way."""

    key: bytes
    value: bytes
    topic: str = FEED_REPORTS

    def partition_in(self, partitions: int) -> int:
        """Its partition: that of the feed."""
        return partition_of(self.key, partitions)


def receipt_letter(done: Published, way: str, department: str, at: datetime) -> ReportLetter:
    """The record of one arrival; the same arrival always makes the same record."""
    receipt = done.receipt
    report = ReceiptReport(
        feed=receipt.feed,
        receipt=receipt.digest,
        batchid=receipt.batchid or "",
        period=receipt.period or "",
        way=way,
        department=department,
        at_ms=int(at.timestamp() * 1000),
        read=receipt.read,
        sent=receipt.sent,
        left_out=receipt.left_out,
        refused=dict(done.codes),
        closed=receipt.closed,
        identities=dict(done.identities),
        amounts=done.amounts,
    )
    return ReportLetter(receipt.feed.encode(), encode_report(report))
