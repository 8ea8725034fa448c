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


class Ends:
    """Ends of batches in two partitions, as intake tells them."""

    def __init__(self, store: AlertStore, feed: str) -> None:
        self.intake, self.feed, self.offset = Intake(store), feed, 0

    def end(self, partition: int, source: str, mode: str, rows: int, batchid: str = "b1") -> None:
        self.offset += 1
        part = ClosedPart(batchid, MONTH, mode, rows, source)
        report = ReadingReport(
            feed_topic(self.feed), self.feed, partition, self.offset, self.offset, AT_MS + self.offset,
            0, 0, 0, 0, 0, {}, 0, {}, {}, (), (part,),
        )  # fmt: skip
        self.intake.put(encode_report(report))

    def whole(self, source: str, mode: str, rows: int, batchid: str = "b1") -> None:
        for partition in range(2):
            self.end(partition, source, mode, rows, batchid)

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
