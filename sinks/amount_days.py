"""What the stored report cards say of a feed's amounts, day by day, whoever sent them."""

from datetime import date

from schemas.amounts import Amounts, Histogram, merged
from schemas.feed_reports import CardReport, decode_report
from sinks.store import AlertStore

FieldDays = dict[str, list[tuple[int, Histogram]]]
"""By field: ordinal of the day and the amounts of it, in order."""


def amount_days(store: AlertStore, since: date, before: date) -> dict[str, FieldDays]:
    """Of each feed with a card on one of the days. Raises StoreError."""
    rows = store.query(
        "SELECT argMax(json, at_ms) AS body, feed, department, period FROM feed_cards "
        "WHERE span = 'day' AND period >= %(since)s AND period < %(before)s GROUP BY feed, department, period",
        {"since": since.isoformat(), "before": before.isoformat()},
    )
    found: dict[str, dict[date, Amounts]] = {}
    for body, *_ in rows:
        card = decode_report(str(body).encode())
        if isinstance(card, CardReport):
            day = found.setdefault(card.feed, {}).setdefault(date.fromisoformat(card.period), {})
            for name, counts in card.amounts.items():
                day[name] = merged((day.get(name, {}), counts))
    return {feed: _by_field(days) for feed, days in sorted(found.items())}


def _by_field(days: dict[date, Amounts]) -> FieldDays:
    said: FieldDays = {}
    for day, amounts in sorted(days.items()):
        for name, counts in sorted(amounts.items()):
            said.setdefault(name, []).append((day.toordinal(), counts))
    return said
