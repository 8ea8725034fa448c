"""Batches under one number, of several sources, of several areas: each for itself, and nothing in silence."""

from datetime import datetime

import pytest

from households.coverage import Coverage
from households.volumes import Least
from load_tests.chaos.events import SOURCE, Message
from schemas.records import BatchBegunBody, BatchPartBody, BatchPartRecord, FactBody
from schemas.topics import Catalogue
from streams.metrics import METRICS
from streams.wholes import Wholes
from tests.households.making import START, close, contribution, member
from tests.streams.test_wholes import BENEFIT, CERT, benefits, certificates, closed, holders, town
from tests.streams.town import Town

CITY, TOWN, OTHER = "339901000000", "339901001000", "339901002000"
FEED = "utility.bill"
MAY = 2026 * 12 + 4


def of_source(messages: "list[Message]", source: str) -> list[Message]:
    """The same, as another publisher would send them."""
    from dataclasses import replace

    return [replace(each, value=each.value.replace(SOURCE.encode(), source.encode())) for each in messages]


def refused(made: Town) -> list[str]:
    """Codes of what was put aside."""
    return made.refused


def test_another_sources_whole_month_reverses_nothing_of_the_first() -> None:
    made = town(rows=benefits(range(20)), kind=BENEFIT)
    made.read(of_source(list(made.batch(BENEFIT, {}, "mine", "replace_period")), "urn:lidm:else"))
    assert [n for n in range(20) if made.household(n).benefits()] == list(range(20))
    assert made.told == [], "nothing of that source was there, so nothing of it is missing"
    made.read(of_source(list(made.batch(CERT, {}, "mine", "full_snapshot")), "urn:lidm:else"))
    assert made.told == []


def test_a_correction_under_a_used_number_is_refused_aloud_and_a_repeat_is_nothing() -> None:
    made = town()
    batch = list(made.batch(CERT, certificates(range(19)), "s", "full_snapshot"))
    for _ in range(2):
        made.read(batch)
        assert (holders(made), refused(made)) == (set(range(19)), [])
    made.pass_time()
    made.read(made.batch(CERT, certificates(range(18)), "s", "full_snapshot"))
    assert (holders(made), refused(made)) == (set(range(19)), ["BATCH_REUSED"])


def test_a_correction_under_the_number_of_a_batch_that_is_held_is_refused_aloud() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    made.pass_time()
    made.read(made.batch(CERT, certificates(range(20)), "s", "full_snapshot"))
    assert refused(made) == ["BATCH_REUSED"]
    assert [each.state for each in made.told] == ["held"]


def test_one_number_in_two_months_and_of_two_sources_is_two_batches() -> None:
    made = town()
    for month in ("2026-05", "2026-06"):
        made.read(made.batch(CERT, certificates(range(20)), "s", "full_snapshot", month))
        made.read(of_source(list(made.batch(CERT, {}, "s", "full_snapshot", month)), "urn:lidm:else"))
    assert refused(made) == []
    assert (closed(made), closed(made, month=MAY + 1)) == ({True}, {True})


def test_two_sources_at_once_under_one_number_are_told_and_the_first_goes_on() -> None:
    made = town()
    mine = list(made.batch(CERT, certificates(range(20)), "s", "full_snapshot"))
    theirs = of_source(list(made.batch(CERT, {}, "s", "full_snapshot")), "urn:lidm:else")
    made.read([*mine[:5], *theirs, *mine[5:]])
    assert closed(made) == {True}
    assert refused(made) == ["BATCH_REUSED"] * len(theirs)


class Monthly:
    closes = "month"
    by_day = 5
    several = True


@pytest.mark.parametrize("order", [("水", "电"), ("电", "水")])
def test_a_month_of_several_producers_is_closed_when_each_that_sends_has_closed_it(order: tuple[str, str]) -> None:
    coverage = Coverage({FEED: Monthly()})
    for source in order:
        close(coverage, FEED, MAY - 1, 1, (CITY,), source, "delta")
    assert coverage.closed(FEED, MAY - 1, (TOWN, CITY))
    close(coverage, FEED, MAY, 2, (CITY,), order[0], "delta")
    assert not coverage.closed(FEED, MAY, (TOWN, CITY))
    assert coverage.last_closed(FEED, (TOWN, CITY)) == MAY - 1
    assert coverage.stale(FEED, (CITY,), datetime(2026, 6, 6).date())
    again = Coverage.decode(coverage.encode(), {FEED: Monthly()})
    close(again, FEED, MAY, 3, (CITY,), order[1], "replace_period")
    assert again.closed(FEED, MAY, (TOWN, CITY))
    close(again, FEED, MAY + 13, 4, (CITY,), order[1], "delta")
    assert again.closed(FEED, MAY + 13, (CITY,)), "who closed nothing for a year sends no more"


def test_a_feed_of_one_department_may_change_its_way_in() -> None:
    coverage = Coverage()
    close(coverage, FEED, MAY - 1, 1, (CITY,), "gateway", "delta")
    close(coverage, FEED, MAY, 1, (CITY,), "system", "delta")
    assert coverage.closed(FEED, MAY, (CITY,))


def test_the_catalogue_says_which_feeds_several_producers_close() -> None:
    catalogue = Catalogue.load()
    several = {name for name, each in catalogue.entries.items() if each.cadence and each.cadence.several}
    kinds = (
        "medical.reimbursement",
        "vital.death",
        "household.change",
        "utility.usage",
        "utility.bill",
        "screening.list",
    )
    assert several == {f"feeds.{kind}.v1" for kind in kinds}
    utility = catalogue.entries["feeds.utility.bill.v1"]
    assert utility.cadence is not None
    alone = utility.model_copy(update={"cadence": utility.cadence.model_copy(update={"several": False})})
    with pytest.raises(ValueError, match="several producers"):
        Catalogue({**catalogue.entries, "feeds.utility.bill.v1": alone})._fits_feeds()  # noqa: SLF001


def short_town(coverage: Coverage, area: str, least: Least | None, last: int) -> None:
    coverage.least = least
    for month, rows in enumerate((1000, 1010, 990, 1000, last)):
        body = BatchPartBody(FEED, f"{area}{month}{last}", 0, 1, f"2025-{month + 1:02d}", (area,), "delta", rows, 1)
        coverage.add_part(body)


@pytest.mark.parametrize("other", [None, Least(10, 20), Least(99, 1)])
def test_a_closing_leaves_the_doubts_of_other_areas_alone(other: Least | None) -> None:
    coverage, first = Coverage(), 2025 * 12
    short_town(coverage, TOWN, Least(60, 20), 500)
    short_town(coverage, OTHER, other, 900)
    assert not coverage.closed(FEED, first + 4, (TOWN,))
    assert coverage.closed(FEED, first + 4, (OTHER,)) == (other != Least(99, 1))


def test_a_batch_that_waits_for_somebody_is_never_given_up_and_what_is_is_told() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "held", "full_snapshot"))
    watch = made.watches[0]
    before = METRICS.value("lidm_batches_given_up_total", feed=CERT) or 0
    for number in range(1_030):
        body = BatchBegunBody(CERT, f"b{number}", 3, "2026-05", (CITY,), "full_snapshot", 1_000, SOURCE)
        watch._control.coverage.begin(body)  # noqa: SLF001 - what intake would say
    assert [each.batchid for each in watch._control.coverage.held()] == ["held"]  # noqa: SLF001
    part = BatchPartBody(CERT, "b1029", 0, 3, "2026-05", (CITY,), "full_snapshot", 0, 1_000, 200, SOURCE)
    made.everywhere(BatchPartRecord("", made.ms, "", 0, 0, part))
    made.settle()
    assert (METRICS.value("lidm_batches_given_up_total", feed=CERT) or 0) - before == 7
    made.decide(CERT, "held", "release")
    assert holders(made) == set(range(8))


def test_the_line_of_a_batch_is_the_strictest_of_its_areas() -> None:
    made = town(2)
    watch = made.watches[0]
    assert isinstance(watch, Wholes)
    one, several = watch._least((TOWN,)), watch._least((TOWN, OTHER))  # noqa: SLF001
    assert one == several
    assert one is not None


def test_a_household_no_batch_speaks_of_pays_nothing() -> None:
    from households.ledger import Household

    household = Household("h", coverage=Coverage())
    household.fold(FactBody("p", member("h", "p")))
    household.fold(FactBody("p", contribution("p", 1)))
    close(household.coverage, "employment.contribution", 2025 * 12 + 1, 9, (CITY,), "", "replace_period")
    assert household.spoken("employment.contribution") == {}
    assert [each.day for each in household.contributions("p")] == [START + 31]
