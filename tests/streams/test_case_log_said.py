"""What a worker says of a snapshot it does not use, and of events that are gone."""

import pytest
from structlog.testing import capture_logs

from schemas.errors import Stop
from schemas.topics import CASE_EVENTS, CASE_STATE
from tests.streams.case_topics import Desk, Record, Topics
from tests.streams.test_case_log import busy


def test_a_snapshot_that_is_not_used_is_said_to_be_and_why() -> None:
    topics = Topics()
    busy(topics)
    whole = list(topics.records[CASE_STATE])
    foreign: list[Record] = [(key, b"\xff" + (value or b"")[1:]) for key, value in whole]
    unmarked = [(key, value) for key, value in whole if not key.startswith(b"ckpt/")]
    short = [(key, value) for key, value in whole if key != whole[0][0]]
    for records, why in ((foreign, "另一版本"), (unmarked, "没有标记"), (short, "不完整")):
        topics.records[CASE_STATE] = records
        with capture_logs() as logs:
            Desk(topics)
        (told,) = [each for each in logs if each["event"] == "case_snapshot_not_used"]
        assert told["log_level"] == "warning"
        assert why in told["reason"]


def test_nothing_is_said_of_a_snapshot_that_is_used_or_was_never_written() -> None:
    topics = Topics()
    with capture_logs() as logs:
        busy(topics)
        topics.records[CASE_STATE][:0] = [(b"chain/x", b"\xff\xff old")]  # other code's, not compacted yet
        Desk(topics)
    assert not [each for each in logs if each["log_level"] == "warning"]


def test_who_comes_back_to_fewer_events_is_not_told_of_a_snapshot_alone() -> None:
    topics = Topics()
    desk = busy(topics)
    del topics.records[CASE_EVENTS][-1:]
    with pytest.raises(Stop, match="本进程已读到"):
        desk.load()
