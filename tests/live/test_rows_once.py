"""A publication killed twice and resumed, through the running service: each row is in ClickHouse once."""

from pathlib import Path

import pytest

from tests.live.rows_once import through_the_service

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
ROWS = 45_000


def test_killed_twice_each_row_is_in_clickhouse_once(tmp_path: Path) -> None:
    found = through_the_service(tmp_path, ROWS, people=2_000)
    assert (found.check.code, found.check.said["good"]) == (0, ROWS)
    assert (found.publish.code, found.publish.said["sent"], found.publish.said["closed"]) == (0, ROWS, True)
    assert found.publish.said["resumed_at"] > 0
    assert (found.in_clickhouse, found.missing, found.repeated) == (ROWS, 0, 0)
    assert (found.read_by_intake, found.blocks_twice) == (ROWS, 0)
    assert found.check.shares
    assert found.publish.shares[-1] == 100
