"""Report cards as records: every department's feed, day by day and month by month, from what the store has.

A card is made again as long as its day or month may still change; only one that says something new is worth sending.
Days on which nothing came have cards as well, or nobody could tell silence from a card that was not made.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import msgspec

from schemas.feed import FEEDS
from schemas.feed_reports import CardReport, decode_report
from schemas.topics import Catalogue
from sinks.feed_periods import Closing, day_bounds, day_of, due_of
from sinks.feedcard import Card, card, fill, readings, receipts
from sinks.store import AlertStore

MONTHS_BACK = 3
Worked = Callable[[date], bool]
Name = tuple[str, str, str, str]


def began(store: AlertStore) -> dict[str, date]:
    """The day on which something of each feed was first known. Raises StoreError."""
    found: dict[str, int] = {}
    for sql in (
        "SELECT feed, min(known_at_ms) AS m FROM feed_reading GROUP BY feed",
        "SELECT feed, min(at_ms) AS m FROM feed_receipts GROUP BY feed",
    ):
        for feed, at_ms in store.query(sql):
            found[str(feed)] = min(int(str(at_ms)), found.get(str(feed), 2**62))
    return {feed: day_of(at_ms) for feed, at_ms in sorted(found.items()) if feed in FEEDS}


def cards(
    store: AlertStore, catalogue: Catalogue, today: date, *, at_ms: int, worked: Worked, days: int = 3
) -> list[CardReport]:
    """New cards of the last `days` days, and of months that may still close, of every feed that ever brought something.

    New are those that say what the newest stored one of their day or month does not. A month is looked at again when a
    day of its feed says something new, which every day does once. Where no card was made for longer than `days`, those
    days are caught up with. Raises StoreError.
    """
    known, found = _stored(store, today - timedelta(days=days + 31 * (MONTHS_BACK + 1))), list[CardReport]()
    newest = max((date.fromisoformat(period) for _, _, span, period in known if span == "day"), default=today)
    for feed, first in began(store).items():
        since = max(first, min(newest, today - timedelta(days=days - 1)))
        told = day_cards(store, catalogue, feed, since, today, at_ms=at_ms, worked=worked)
        new = [each for each in told if _differs(each, known)]
        found += new
        owner = catalogue.owner(feed)
        for month in _months(feed, first, today, catalogue):
            if new or (feed, owner, "month", month) not in known:
                made = card(store, feed, month, today, catalogue)
                told_month = _report(made, owner, "month", at_ms, catalogue, worked=True)
                found += [told_month] if _differs(told_month, known) else []
    return found


def day_cards(
    store: AlertStore, catalogue: Catalogue, feed: str, first: date, last: date, *, at_ms: int, worked: Worked
) -> Iterator[CardReport]:
    """A card a day: of the owner always, of other departments where the gateway took something of theirs."""
    begin, end = day_bounds(first)[0], day_bounds(last)[1]
    owner = catalogue.owner(feed)
    made = {(first + timedelta(days=n), owner): _empty(feed, owner) for n in range((last - first).days + 1)}
    by_day: dict[tuple[date, str], tuple[list[object], list[object]]] = {}
    for reading in readings(store, feed, begin, end):
        by_day.setdefault((day_of(reading.known_ms), owner), ([], []))[0].append(reading)
    for receipt in receipts(store, feed, begin, end):
        place = (day_of(receipt.at_ms), receipt.department or owner)
        by_day.setdefault(place, ([], []))[1].append(receipt)
    for place, (read, took) in by_day.items():
        fill(made.setdefault(place, _empty(feed, place[1])), read, took)  # type: ignore[arg-type]
    for (day, department), each in sorted(made.items()):
        each.month = day.isoformat()
        each.on_time = "有数据" if each.total.rows or each.gateway_read else "没有数据"
        yield _report(each, department, "day", at_ms, catalogue, worked=worked(day))


def _stored(store: AlertStore, since: date) -> dict[Name, CardReport]:
    """The newest card of each day and month since then."""
    rows = store.query(
        "SELECT argMax(json, at_ms) AS body, feed, department, span, period FROM feed_cards "
        "WHERE period >= %(since)s GROUP BY feed, department, span, period",
        {"since": f"{since:%Y-%m}"},
    )
    read = (decode_report(str(body).encode()) for body, *_ in rows)
    return {_name(each): each for each in read if isinstance(each, CardReport)}


def _differs(made: CardReport, known: dict[Name, CardReport]) -> bool:
    before = known.get(_name(made))
    return before is None or msgspec.structs.replace(before, at_ms=made.at_ms) != made


def _name(card: CardReport) -> Name:
    return (card.feed, card.department, card.span, card.period)


def _months(feed: str, first: date, today: date, catalogue: Catalogue) -> Iterator[str]:
    """Months that were to be closed since the feed began, up to this one, as far back as they may still change."""
    if catalogue.cadence(feed).closes != "month":
        return
    for back in range(MONTHS_BACK, -1, -1):
        number = today.year * 12 + today.month - 1 - back
        month = f"{number // 12:04d}-{number % 12 + 1:02d}"
        due = due_of(month, feed, catalogue)
        if due is not None and due >= first:
            yield month


def _empty(feed: str, department: str) -> Card:
    return Card(feed, FEEDS[feed].title, department, "", Closing("", None, None, 0), "")


def _report(
    made: Card, department: str, span: str, at_ms: int, catalogue: Catalogue, *, worked: bool
) -> CardReport:  # fmt: skip
    total, closing = made.total, made.closing
    return CardReport(
        feed=made.feed,
        department=department,
        span="day" if span == "day" else "month",
        period=made.month,
        at_ms=at_ms,
        every=catalogue.cadence(made.feed).every,
        worked=worked,
        on_time=made.on_time,
        due=closing.due.isoformat() if closing.due else "",
        closed_on=closing.closed_on.isoformat() if closing.closed_on else "",
        volume=closing.rows,
        rows=total.rows,
        routed=total.routed,
        out_of_scope=total.out_of_scope,
        corrected=total.corrected,
        reversed=total.reversed,
        refused=_sorted(made.refused),
        read=made.gateway_read,
        left_out=made.gateway_left_out,
        gateway_refused=_sorted(made.gateway_refused),
        identities=_sorted(made.flaws),
        amounts={name: dict(sorted(counts.items())) for name, counts in sorted(made.amounts.items())},
        looked=made.looked,
        filled=_sorted(made.filled),
        skew=_sorted(made.skew),
        sampled=made.sampled,
        repeated=made.repeated,
    )


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
