"""Whole batches that are or were held for a person, as the store knows them."""

from schemas.feed_reports import HoldReport, decode_report
from sinks.store import AlertStore


def holds(store: AlertStore, feed: str | None = None, *, state: str | None = None) -> list[HoldReport]:
    """The last word about each, by feed, period and batch; of one feed, in one state, or all. Raises StoreError."""
    rows = store.query(
        "SELECT argMax(json, final) AS body, feed, batchid FROM feed_holds "
        "WHERE (%(feed)s = '' OR feed = %(feed)s) GROUP BY feed, batchid",
        {"feed": feed or ""},
    )
    told = [decode_report(str(body).encode()) for body, *_ in rows]
    found = [each for each in told if isinstance(each, HoldReport) and state in (None, each.state)]
    return sorted(found, key=lambda each: (each.feed, each.period, each.at_ms, each.batchid, each.source))
