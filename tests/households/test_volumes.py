"""A month far shorter than those before is no answer, until more of it comes or a whole batch replaces it."""

from collections.abc import Sequence
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.registry import load_detectors
from households.coverage import Coverage
from households.ledger import Household
from households.volumes import Least, Volumes
from policy.bundle import Bundle
from schemas.facts import first_day
from schemas.records import BatchPartBody, FactBody
from tests.households.making import CITY, TOWN, contribution, member

FEED = "employment.contribution"
JAN = 2025 * 12
LEAST = Least(60, 20)
OTHER = "339901002000"


class Monthly:
    closes = "month"
    by_day = 20
    several = False


def told(*months: int, areas: tuple[str, ...] = (CITY,), mode: str = "delta", least: Least | None = LEAST) -> Coverage:
    """Rows of January and after, one batch a month."""
    coverage = Coverage({FEED: Monthly()})
    for n, rows in enumerate(months):
        more(coverage, n, rows, areas, mode, least)
    return coverage


_batches = count()


def more(
    coverage: Coverage, month: int, rows: int, areas: tuple[str, ...] = (CITY,), mode: str = "delta",
    least: Least | None = LEAST,
) -> None:  # fmt: skip
    coverage.least = least
    period = f"2025-{month + 1:02d}"
    coverage.add_part(BatchPartBody(FEED, f"b{next(_batches)}", 0, 1, period, areas, mode, rows, 1_000 + month))


def test_a_short_month_is_not_closed_and_the_feed_is_stale() -> None:
    coverage = told(1000, 1010, 990, 1000, 500)
    assert not coverage.closed(FEED, JAN + 4, (TOWN, CITY))
    assert coverage.closed(FEED, JAN + 3, (TOWN, CITY))
    assert coverage.last_closed(FEED, (CITY,)) == JAN + 3
    assert coverage.missing((FEED,), (CITY,), date(2025, 6, 25)) == ((FEED, "2025-04"),)
    assert Coverage.decode(coverage.encode()).canonical() == coverage.canonical()
    assert not Coverage.decode(coverage.encode()).closed(FEED, JAN + 4, (CITY,))


@pytest.mark.parametrize(
    ("months", "areas", "least"),
    [
        ((1000, 1010, 990, 1000, 600), (CITY,), LEAST),
        ((1010, 990, 1000, 500), (CITY,), LEAST),
        ((10, 11, 9, 10, 4), (CITY,), LEAST),
        ((1000, 1010, 990, 1000, 0), (CITY,), LEAST),
        ((1000, 1010, 990, 1000, 500), (CITY,), None),
    ],
    ids=["within the band", "three months known", "too few to tell", "declared empty", "no line signed"],
)
def test_these_months_are_believed(months: tuple[int, ...], areas: tuple[str, ...], least: Least | None) -> None:
    assert told(*months, areas=areas, least=least).closed(FEED, JAN + len(months) - 1, (CITY,))


def test_the_rest_of_the_month_ends_the_doubt() -> None:
    coverage = told(1000, 1010, 990, 1000, 500)
    more(coverage, 4, 450)
    assert coverage.closed(FEED, JAN + 4, (CITY,))
    assert coverage.missing((FEED,), (CITY,), date(2025, 6, 25)) == ()


def test_a_whole_batch_is_judged_elsewhere_and_believed() -> None:
    coverage = told(1000, 1010, 990, 1000, 500)
    more(coverage, 4, 500, mode="replace_period")
    assert coverage.closed(FEED, JAN + 4, (CITY,))


def test_areas_are_judged_by_their_own_past() -> None:
    coverage = told(1000, 1010, 990, 1000)
    for month, rows in enumerate((200, 210, 190, 200, 90)):
        more(coverage, month, rows, (TOWN,))
    more(coverage, 4, 1000)
    assert coverage.closed(FEED, JAN + 4, (OTHER, CITY))
    assert coverage.closed(FEED, JAN + 4, (TOWN, CITY)), "the city's batch covers the town as well"
    assert not Volumes().doubts(FEED, "", JAN, CITY)


batches = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.booleans(), st.integers(0, 5)), min_size=1, max_size=14
)


@given(batches, st.randoms(use_true_random=False))
def test_the_order_of_batches_decides_nothing(told: Sequence[tuple[int, int, bool, int]], random: object) -> None:
    named = [(month, rows * 10 + n, whole, n) for n, (month, rows, whole, _) in enumerate(told)]
    other = list(named)
    random.shuffle(other)  # type: ignore[attr-defined]
    answers = []
    for order in (named, other):
        volumes = Volumes()
        for month, rows, whole, begun in order:
            volumes.note(FEED, "", (CITY,), month, rows, begun, whole=whole)
        volumes.judge(FEED, "", (CITY,), Least(60, 1))
        answers.append((volumes.short, volumes.months))
    assert answers[0] == answers[1]


def test_a_rule_about_absence_says_what_it_lacks_instead_of_an_absence() -> None:
    """Half of May's contributions never came: nobody has lost a job because of that."""
    import policy

    bundle = Bundle.load(Path(policy.__file__).parent)
    rule, on = load_detectors()["JOB-LOSS"], date(2025, 7, 26)
    found = {}
    for name, rows in (("short", 500), ("whole", 1000)):
        coverage = told(1000, 1010, 990, 1000, rows, rows)
        household = Household("h", coverage=coverage)
        household.fold(FactBody("p", member("h", "p", relation="HEAD")))
        for month in range(4):
            household.fold(FactBody("p", contribution("p", month)))
        found[name] = rule.evaluate(household, on, bundle.on(on))
    assert found["whole"].breaches and not found["whole"].insufficient
    assert not found["short"].breaches
    assert [(each.feed, each.last_covered) for each in found["short"].insufficient] == [(FEED, "2025-04")]
    assert first_day(JAN) == date(2025, 1, 1).toordinal()
