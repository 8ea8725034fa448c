"""Two intakes, membership and bills of watched people who move and move back published at once: equal to one worker."""

import pytest

from load_tests.chaos.movers import one_and_two

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
PERSONS = 1_200


def test_two_intakes_come_to_the_same_ledgers_and_episodes(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = one_and_two(tmp_path_factory.mktemp("movers"), PERSONS)
    assert found.households == PERSONS * 2
    assert found.episodes > PERSONS // 20
    assert found.shared, "both intakes must have had partitions while the messages came"
    assert not found.differences[:10]
