"""One feed at 100 % garbage beside others on a real broker: their p95 from event to alert moves by at most 20 %.

Measured as a ratio in one run, windows with and without garbage in turn; the figures go to `docs/acceptance/4.json`.
`spread_alone` says how much windows without garbage differ among themselves: beyond 1.2 the machine was not left alone.
"""

from dataclasses import asdict
from pathlib import Path

import pytest

from load_tests.bench.neighbours import MOST, Sizes, measure
from tests.acceptance.figures import noted

pytestmark = [pytest.mark.live, pytest.mark.acceptance, pytest.mark.timeout(3600)]
SIZES = Sizes()


def test_garbage_beside_it_moves_no_feeds_latency(tmp_path: Path) -> None:
    found = measure(tmp_path, SIZES)
    noted(4, "neighbours", found | {"sizes": asdict(SIZES)})
    assert found["parked"] == SIZES.rounds, "the breaker parks garbage in every round"
    assert min(found["alerts"].values()) >= 1_000
    assert found["ratio"] <= MOST, found
