"""Feeds in case files: `feed` says which, `feed.day` and `feed.period` what its report card said.

    feed: {area: "339901000000", kind: medical.settlement, every: day}
    facts:
      - {feed.day: {from: 2026-05-04, to: 2026-05-22, rows: 400, numbers: 380, flaws: {checksum: 2}}}
      - {feed.period: {period: 2026-05, rows: 8000, due_on: 2026-06-05, closed_on: 2026-06-04}}

`from`/`to` tells every day between; on Saturdays and Sundays offices do not work and nothing comes, unless `weekends`
is true. `on` tells one day, `worked: false` a holiday. Amounts are `{total: {2000元: 90}}`: ninety of that order.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from detectors.casefacts import Line
from detectors.casefile import Case, feed_fields
from policy.marked import Marked
from schemas.amounts import Amounts
from schemas.feed_declaration import declared_unit
from schemas.feed_units import unit_of
from schemas.feeds.report_cards import FeedDay, FeedPeriod
from schemas.records import FactBody

_OWNER = "主管部门"


def unit(case: Case) -> str:
    """The case unit of the feed."""
    return unit_of(feed_fields(case)["kind"].text(), _department(case), _OWNER)


def declaration(case: Case) -> FactBody:
    """Its area."""
    return declared_unit(unit(case), feed_fields(case)["area"].text(), 0)


def feed_bodies(case: Case, places: tuple[Marked, ...], start: int) -> list[FactBody]:
    """Facts in their order; later lines win over earlier ones."""
    found = []
    for offset, place in enumerate(places):
        for feed, key, fields in place.items():
            line = Line(fields, start + offset, "")
            if feed == "feed.day":
                found += [FactBody(unit(case), each) for each in _days(case, line)]
            elif feed == "feed.period":
                found.append(FactBody(unit(case), _period(case, line)))
            else:
                key.fail(f"没有“{feed}”这个数据，这里可以写 feed.day、feed.period")
            line.finish()
    return found


def _days(case: Case, line: Line) -> Iterator[FeedDay]:
    first = line.day("from") if line.has("from") else line.day("on")
    last = line.day("to") if line.has("to") else first
    weekends = line.has("weekends") and line.fields["weekends"].flag()
    worked = line.fields["worked"].flag() if line.has("worked") else None
    rows, numbers = _whole(line, "rows"), _whole(line, "numbers")
    flaws = tuple((name, each.whole()) for name, _, each in line.fields["flaws"].items()) if line.has("flaws") else ()
    amounts = _amounts(line)
    fields = feed_fields(case)
    every = fields["every"].text() if "every" in fields else "day"
    for day in range(first, last + 1):
        when = date.fromordinal(day)
        office = when.weekday() < 5 if worked is None else worked
        silent = first != last and not office and not weekends
        said = (0, 0, (), ()) if silent else (rows, numbers, flaws, amounts)
        head = line.head(when.isoformat(), day)
        yield FeedDay(*head, fields["kind"].text(), _department(case), every, office, *said)


def _period(case: Case, line: Line) -> FeedPeriod:
    day = line.month("period")
    following = date.fromordinal(day + 31).replace(day=1)
    due_on = line.day_or_none("due_on") or (following + timedelta(days=4)).toordinal()
    head = line.head(f"{date.fromordinal(day):%Y-%m}", day)
    kind = feed_fields(case)["kind"].text()
    return FeedPeriod(*head, kind, _department(case), _whole(line, "rows"), due_on, line.day_or_none("closed_on"))


def _amounts(line: Line) -> tuple[tuple[str, tuple[tuple[int, int], ...]], ...]:
    if not line.has("amounts"):
        return ()
    found: Amounts = {}
    for field, _, told in line.fields["amounts"].items():
        counts = found.setdefault(field, {})
        for _, amount, count in told.items():
            size = amount.fen().bit_length()
            counts[size] = counts.get(size, 0) + count.whole()
    return tuple((field, tuple(sorted(counts.items()))) for field, counts in sorted(found.items()))


def _whole(line: Line, name: str) -> int:
    return line.fields[name].whole() if line.has(name) else 0


def _department(case: Case) -> str:
    fields = feed_fields(case)
    return fields["department"].text() if "department" in fields else _OWNER
