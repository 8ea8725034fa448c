"""A month of a million rows in GB18030: checked and published in bounded memory with progress, killed twice, resumed.

Each row is in ClickHouse once, by way of a real Kafka and the service's own workers (see tests/live/rows_once.py).
The figures go to `docs/acceptance/4.json`.
"""

from pathlib import Path

import pytest

from tests.acceptance.figures import noted
from tests.live.rows_once import KILLED_AT, through_the_service

pytestmark = [pytest.mark.live, pytest.mark.acceptance, pytest.mark.timeout(7200)]
ROWS, PEOPLE = 1_000_000, 20_000
MEGABYTES = 300


def test_a_million_rows_killed_twice(tmp_path: Path) -> None:
    found = through_the_service(tmp_path, ROWS, PEOPLE, patience=3600.0)
    published = found.publish.said
    figures = {
        "rows": ROWS,
        "people": PEOPLE,
        "encoding": found.check.said["encoding"],
        "in_clickhouse": found.in_clickhouse,
        "repeated": found.repeated,
        "missing": found.missing,
        "read_by_intake": found.read_by_intake,
        "blocks": found.blocks,
        "blocks_twice": found.blocks_twice,
        "killed_at": KILLED_AT,
        "resumed_at": published["resumed_at"],
        "peak_mb": found.peak_mb,
        "check_rows_per_second": round(ROWS / found.check.said["seconds"]),
        "seconds_from_publishing_to_archived": round(found.seconds),
        "progress_shown": {"check": len(set(found.check.shares)), "publish": len(set(found.publish.shares))},
    }
    noted(4, "million_rows", figures)
    assert (found.check.code, found.check.said["good"], found.check.said["encoding"]) == (0, ROWS, "gb18030")
    assert (published["sent"], published["bad"], published["closed"]) == (ROWS, 0, True)
    assert published["resumed_at"] > ROWS * KILLED_AT[0]
    assert (found.in_clickhouse, found.repeated, found.missing) == (ROWS, 0, 0)
    assert (found.read_by_intake, found.blocks_twice) == (ROWS, 0)
    assert max(found.peak_mb.values()) < MEGABYTES
    assert min(figures["progress_shown"].values()) > 10
