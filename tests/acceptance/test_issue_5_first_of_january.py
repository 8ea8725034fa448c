"""20,000 households through the first of January with every rule: not one episode is said never to have been."""

from pathlib import Path

import pytest

from tests.acceptance.figures import noted
from tests.load_tests.city.test_first_of_january import NEW_YEAR, ended_on

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]
HOUSEHOLDS, PARTITIONS = 20_000, 24


def test_the_first_of_january_withdraws_nothing(tmp_path: Path) -> None:
    households, ended = ended_on(tmp_path, HOUSEHOLDS, NEW_YEAR, PARTITIONS)
    noted(5, "first_of_january", {
        "households": households,
        "withdrawn": ended["withdrawn"],
        "lapsed": ended["lapsed"],
        "met": ended["withdrawn"] == 0,
    })  # fmt: skip
    assert households >= HOUSEHOLDS * 0.99
    assert ended["lapsed"] > HOUSEHOLDS // 200
    assert ended["withdrawn"] == 0
