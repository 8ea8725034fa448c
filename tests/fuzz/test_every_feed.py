"""A share of the fuzzing with every run, the same each time: what comes by a topic or a file never crashes, is never
lost and shows no identity number. `make acceptance` does the same with 20,000 inputs a feed.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from schemas.feed import FEEDS
from tests.fuzz.edits import NUMBERS, PLANTED, Scripts, scripts
from tests.fuzz.files import Filed
from tests.fuzz.intake import Taken
from tests.fuzz.leaks import listening, metrics_readable, readable
from tests.fuzz.messages import message
from tests.fuzz.sealed import Resealed, sealed_bases

NAMES = [spec.name for spec in FEEDS.every]
quick = settings(
    max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", NAMES)
def test_intake_takes_anything(name: str) -> None:
    taken = Taken(FEEDS[name])

    @quick
    @given(scripts())
    def fuzz(drawn: Scripts) -> None:
        with listening() as said:
            taken.take([message(FEEDS[name], each) for each in drawn])
        assert not readable(said.text), "a number can be read in a log line"

    fuzz()
    assert not metrics_readable()
    assert taken.counts["delivered"] > 10
    assert taken.counts["refused"] > 10


@pytest.mark.parametrize("name", NAMES)
def test_a_sealed_topic_takes_anything(name: str) -> None:
    resealed, sealed = Resealed(FEEDS[name]), sealed_bases(FEEDS[name])

    @quick
    @given(scripts())
    def fuzz(drawn: Scripts) -> None:
        with listening() as said:
            resealed.take([message(FEEDS[name], each, sealed) for each in drawn])
        assert not readable(said.text), "a number can be read in a log line"

    fuzz()
    assert resealed.counts["sent"] > 10
    assert resealed.counts["refused"] > 10


@pytest.mark.parametrize("name", NAMES)
def test_a_file_may_hold_anything(name: str, tmp_path: Path) -> None:
    filed = Filed(FEEDS[name], tmp_path)

    @quick
    @given(scripts())
    def fuzz(drawn: Scripts) -> None:
        filed.take(drawn)

    fuzz()
    assert filed.counts["good"] > 5
    assert filed.counts["bad"] > 5


def test_every_planted_form_is_found_where_it_stands() -> None:
    assert all(map(readable, PLANTED))
    assert not any(readable(text) for text in ("", "p_" + "0" * 32, NUMBERS[0][:17], "339901000000"))
