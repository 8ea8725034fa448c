"""A broker that has just started: its groups are looked for, not taken for new ones."""

from collections.abc import Sequence
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import CoordinatorLoadInProgressError, GroupAuthorizationFailedError

from schemas.errors import Unreachable
from streams import lag

PLACE = TopicPartition("t", 0)


class Admin:
    """Refuses so often before it answers."""

    def __init__(self, *refusals: type[Exception]) -> None:
        self._refusals = list(refusals)

    def list_group_offsets(self, asked: dict[str, Sequence[TopicPartition]]) -> dict[str, Any]:
        if self._refusals:
            raise self._refusals.pop(0)
        return {group: dict.fromkeys(places, 7) for group, places in asked.items()}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.lag.time.sleep", lambda seconds: None)


def test_a_broker_that_still_loads_its_groups_is_asked_again() -> None:
    admin = Admin(*[CoordinatorLoadInProgressError] * 3)
    assert lag.committed_in(admin, "lidm-monitor", [PLACE]) == {PLACE: 7}


def test_who_never_answers_is_unreachable_and_who_refuses_is_heard() -> None:
    with pytest.raises(Unreachable, match="lidm-monitor"):
        lag.committed_in(Admin(*[CoordinatorLoadInProgressError] * lag.ATTEMPTS), "lidm-monitor", [PLACE])
    with pytest.raises(GroupAuthorizationFailedError):
        lag.committed_in(Admin(GroupAuthorizationFailedError), "lidm-monitor", [PLACE])
