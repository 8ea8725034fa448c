"""Which month is closed and how much it holds: a batch is its number within its source."""

from datetime import date

import pytest

from schemas.feed_reports import ClosedPart, HoldReport, ReadingReport, encode_report
from schemas.topics import Catalogue, feed_topic
from sinks.feed_periods import Closing, closing_of
from sinks.store import AlertStore
from tests.sinks.test_feedcard import AT_MS, Intake

ONE, SEVERAL, MONTH = "employment.contribution", "utility.bill", "2026-05"
CATALOGUE = Catalogue.load()
DAY_MS = 86_400_000


class Ends:
    """Ends of batches in two partitions, as intake tells them."""

    def __init__(self, store: AlertStore, feed: str) -> None:
        self.intake, self.feed, self.offset = Intake(store), feed, 0

    def end(
        self, partition: int, source: str, mode: str, rows: int, batchid: str = "b1", period: str = MONTH, day: int = 0
    ) -> None:
        self.offset += 1
        part = ClosedPart(batchid, period, mode, rows, source)
        report = ReadingReport(
            feed_topic(self.feed), self.feed, partition, self.offset, self.offset, AT_MS + self.offset + day * DAY_MS,
            0, 0, 0, 0, 0, {}, 0, {}, {}, (), (part,),
        )  # fmt: skip
        self.intake.put(encode_report(report))

    def whole(
        self, source: str, mode: str, rows: int, batchid: str = "b1", period: str = MONTH, day: int = 0
    ) -> None:
        for partition in range(2):
            self.end(partition, source, mode, rows, batchid, period, day)

    def closing(self, *told: HoldReport) -> Closing:
        return closing_of(self.intake.store, self.feed, MONTH, CATALOGUE, told)


def test_halves_of_two_sources_under_one_number_close_nothing(store: AlertStore) -> None:
    ends = Ends(store, ONE)
    ends.end(0, "urn:a", "delta", 3)
    ends.end(1, "urn:b", "delta", 4)
    assert ends.closing().closed_on is None
    ends.end(1, "urn:a", "delta", 5)
    assert (ends.closing().closed_on, ends.closing().rows) == (date(2026, 5, 18), 8)


def test_a_held_batch_of_one_source_holds_nothing_of_another(store: AlertStore) -> None:
    ends = Ends(store, ONE)
    ends.whole("urn:a", "replace_period", 3)
    waits = HoldReport(AT_MS, "held", ONE, "b1", MONTH, (), "replace_period", 6, 9, 9, 200, source="urn:b")
    assert ends.closing(waits).closed_on is not None
    own = HoldReport(AT_MS, "held", ONE, "b1", MONTH, (), "replace_period", 6, 9, 9, 200, source="urn:a")
    assert ends.closing(own).closed_on is None


@pytest.mark.parametrize(("feed", "rows"), [(ONE, 14), (SEVERAL, 20)])
def test_several_producers_each_bring_their_own_rows(store: AlertStore, feed: str, rows: int) -> None:
    """Of a feed of one department the newest whole file stands for the month, whichever way it came."""
    assert CATALOGUE.cadence(feed).several == (feed == SEVERAL)
    ends = Ends(store, feed)
    ends.whole("urn:a", "replace_period", 3)
    ends.whole("urn:b", "replace_period", 7, "b2")
    assert ends.closing().rows == rows


@pytest.mark.parametrize(("feed", "first", "both"), [(ONE, 18, 18), (SEVERAL, None, 21)])
def test_several_producers_have_closed_a_month_when_the_last_of_them_has(
    store: AlertStore, feed: str, first: int | None, both: int
) -> None:
    """Water came, electricity, who sends every month, did not: nothing is complete yet. Gas never sent anything."""
    ends = Ends(store, feed)
    ends.whole("urn:water", "delta", 3, "w4", "2026-04")
    ends.whole("urn:power", "delta", 5, "p4", "2026-04")
    ends.whole("urn:water", "delta", 3, "w5")
    assert ends.closing().closed_on == (date(2026, 5, first) if first else None)
    ends.whole("urn:power", "delta", 7, "p5", day=3)
    assert (ends.closing().closed_on, ends.closing().rows) == (date(2026, 5, both), 20)


def test_a_month_held_for_ever_makes_nobody_waited_for(store: AlertStore) -> None:
    """On the ledgers it never closed either."""
    ends = Ends(store, SEVERAL)
    ends.whole("urn:power", "replace_period", 5, "p4", "2026-04")
    ends.whole("urn:water", "delta", 3, "w5")
    assert ends.closing().closed_on is None
    held = HoldReport(AT_MS, "held", SEVERAL, "p4", "2026-04", (), "replace_period", 6, 9, 9, 200, source="urn:power")
    assert (ends.closing(held).closed_on, ends.closing(held).waits) == (date(2026, 5, 18), False)


def test_a_producer_that_closed_nothing_for_a_year_is_waited_for_no_more(store: AlertStore) -> None:
    ends = Ends(store, SEVERAL)
    ends.whole("urn:power", "delta", 5, "p1", "2025-04", day=-390)
    ends.whole("urn:water", "delta", 3, "w5")
    assert ends.closing().closed_on == date(2026, 5, 18)
    ends.whole("urn:gas", "delta", 5, "g5", "2025-05", day=-340)
    assert ends.closing().closed_on is None
