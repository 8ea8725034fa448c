"""20,000 different inputs for every version of every feed, by topic, sealed topic and file: no crash, loss or number.

An input is a valid example with edits, or noise; Hypothesis draws the edits of fifty inputs at once as bytes (see
tests/fuzz/edits.py), because drawing fields one by one would take hours. The figures go to `docs/acceptance/4.json`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sized
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from schemas.feed import FEEDS
from tests.acceptance.figures import noted
from tests.fuzz.edits import PER_DRAW, Scripts, scripts
from tests.fuzz.files import Filed
from tests.fuzz.intake import Taken
from tests.fuzz.leaks import listening, metrics_readable, readable
from tests.fuzz.messages import message
from tests.fuzz.sealed import Resealed, sealed_bases

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1800)]
NAMES = [spec.name for spec in FEEDS.every]
INPUTS = 20_000
DRAWS = INPUTS * 106 // 100 // PER_DRAW
"""Some inputs come out the same; what counts are different ones."""
Tally = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """Figures of every feed by target, written when all have run."""
    found: Tally = {"intake": {}, "sealed": {}, "files": {}}
    yield found
    if all(feeds.keys() == set(NAMES) for feeds in found.values()):
        noted(4, "fuzzing", {target: _summed(feeds) for target, feeds in found.items()})


def _summed(feeds: dict[str, tuple[Counter[str], int, float]]) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for each, _, _ in feeds.values():
        counts += each
    return {
        "feeds": len(feeds),
        "different_inputs": sum(distinct for _, distinct, _ in feeds.values()),
        "fewest_of_a_feed": min(distinct for _, distinct, _ in feeds.values()),
        "seconds": round(sum(seconds for _, _, seconds in feeds.values())),
        "outcomes": dict(sorted(counts.items())),
    }


def fuzzed(take: Callable[[Scripts], None]) -> float:
    """Seconds it took. Fails with the edits of the input that does not end as it must."""

    @settings(max_examples=DRAWS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(scripts())
    def fuzz(drawn: Scripts) -> None:
        take(drawn)

    began = time.monotonic()
    fuzz()
    return time.monotonic() - began


def enough(distinct: Sized) -> int:
    assert len(distinct) >= INPUTS, f"only {len(distinct)} different inputs: raise DRAWS"
    return len(distinct)


@pytest.mark.parametrize("name", NAMES)
def test_intake(name: str, tally: Tally) -> None:
    spec, taken = FEEDS[name], Taken(FEEDS[name])

    def take(drawn: Scripts) -> None:
        with listening() as said:
            taken.take([message(spec, each) for each in drawn])
        assert not readable(said.text), "a number can be read in a log line"

    seconds = fuzzed(take)
    assert not metrics_readable(), "a number can be read in a metric"
    tally["intake"][name] = (taken.counts, enough(taken.distinct), seconds)


@pytest.mark.parametrize("name", NAMES)
def test_sealed_topics(name: str, tally: Tally) -> None:
    spec, resealed, sealed = FEEDS[name], Resealed(FEEDS[name]), sealed_bases(FEEDS[name])

    def take(drawn: Scripts) -> None:
        with listening() as said:
            resealed.take([message(spec, each, sealed) for each in drawn])
        assert not readable(said.text), "a number can be read in a log line"

    seconds = fuzzed(take)
    tally["sealed"][name] = (resealed.counts, enough(resealed.distinct), seconds)


@pytest.mark.parametrize("name", NAMES)
def test_files(name: str, tally: Tally, tmp_path: Path) -> None:
    filed = Filed(FEEDS[name], tmp_path)
    seconds = fuzzed(filed.take)
    tally["files"][name] = (filed.counts, enough(filed.distinct), seconds)
