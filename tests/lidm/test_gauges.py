"""What operators see of ledgers: counted over the partitions a worker has now, so that one it lost leaves nothing."""

from lidm.gauges import ledgers
from streams.metrics import METRICS
from streams.watch import Watch
from tests.streams.making import config, fold, story


def test_figures_of_ledgers_are_those_of_the_partitions_held_now() -> None:
    early, late = Watch(0, config()), Watch(1, config())
    blocks = story(households=6, weeks=3).blocks
    fold(early, blocks[: len(blocks) // 2])
    fold(late, blocks)
    assert 0 < early.known.kept.clock_ms < late.known.kept.clock_ms
    ledgers([early, late])
    assert METRICS.value("lidm_households") == len(early.names()) + len(late.names()) > 0
    assert METRICS.value("lidm_monitor_clock_timestamp_seconds") == early.known.kept.clock_ms / 1000
    ledgers([late])
    assert METRICS.value("lidm_households") == len(late.names())
    assert METRICS.value("lidm_monitor_clock_timestamp_seconds") == late.known.kept.clock_ms / 1000
    ledgers([])
    assert METRICS.value("lidm_households") == METRICS.value("lidm_sweep_households_left") == 0
    assert METRICS.value("lidm_monitor_clock_timestamp_seconds") == 0
