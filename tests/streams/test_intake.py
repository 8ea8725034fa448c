# ruff: noqa: SLF001 - the seam between polls has no public side
"""Intake between polls and rebalances: rows of a batch count once; what would break a guarantee stops it."""

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from structlog.testing import capture_logs

from load_tests.chaos.events import Message, Pen
from schemas.calendar import SHANGHAI
from schemas.errors import Stop
from schemas.topics import ALIASES, MEMBERS
from streams import intake as module
from streams.batches import OpenBatch
from streams.intake import Intake, _Handover
from streams.registry import Registry, Stay, encode_stay
from tests.streams.making import config

KIND = "employment.contribution"
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), 1)
PERSON = "p_" + "1" * 32


def rows(count: int) -> list[Message]:
    day = PEN.at.date()
    return [
        PEN.event(KIND, f"k{n}", PERSON, {"month": "2026-04", "employer": f"E{n}", "base": 1}, day, batch="b1")
        for n in range(count)
    ]


def polled(messages: list[Message], start: int) -> tuple[TopicPartition, list[Any]]:
    found = [
        SimpleNamespace(offset=offset, timestamp=each.timestamp_ms, key=each.key, value=each.value, headers=())
        for offset, each in enumerate(messages, start)
    ]
    return TopicPartition(messages[0].topic, 0), found


def intake(place: TopicPartition, first: int = 0, end: int = 1_000) -> Any:
    async def beginning(places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, first)

    async def ending(places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, end)

    delivery: Any = None
    made: Any = Intake(config(), delivery, Registry())
    made._consumer = SimpleNamespace(assignment=lambda: {place}, beginning_offsets=beginning, end_offsets=ending)
    return made


def test_what_is_polled_again_after_a_rebalance_counts_once() -> None:
    place, messages = polled(rows(5), 100)
    made = intake(place)
    made._expected[place] = 100
    made._router.open[place.topic, 0] = {"b1": OpenBatch(0, PEN.ms)}
    asyncio.run(made._route({place: messages[:3]}))
    asyncio.run(made._route({place: messages}))
    asyncio.run(made._route({place: messages[2:4]}))
    assert made._router.open[place.topic, 0]["b1"].rows == 5
    assert made._expected[place] == 105


def test_messages_the_broker_dropped_unread_stop_it() -> None:
    place, messages = polled(rows(1), 100)
    made = intake(place, first=100)
    made._expected[place] = 90
    with pytest.raises(Stop, match="10 条未读"):
        asyncio.run(made._route({place: messages}))


def test_a_transactions_marker_is_no_gap() -> None:
    place, messages = polled(rows(1), 100)
    made = intake(place)
    made._expected[place] = 99
    asyncio.run(made._route({place: messages}))
    assert made._expected[place] == 101


def test_a_topic_made_anew_is_read_from_its_start() -> None:
    place, messages = polled(rows(3), 0)
    made = intake(place, end=3)
    made._expected[place] = 90
    made._router.open[place.topic, 0] = {"b1": OpenBatch(0, PEN.ms)}
    asyncio.run(made._route({place: messages}))
    assert made._router.open[place.topic, 0]["b1"].rows == 3


class Stopped(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the process was stopped for."""
    found: list[str] = []

    def stop(stage: str, error: BaseException) -> None:
        found.append(f"{stage}: {error}")
        raise Stopped

    monkeypatch.setattr(module, "stop_process", stop)
    return found


class Group:
    """A consumer whose group remembers commits; `polls` is what getmany answers."""

    def __init__(self, place: TopicPartition, committed: OffsetAndMetadata | None) -> None:
        self.place, self.committed, self.polls = place, committed, list[list[Any]]()
        self.sought: list[tuple[TopicPartition, int]] = []
        self._coordinator = self

    def assignment(self) -> set[TopicPartition]:
        return {self.place}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought.append((place, offset))

    async def fetch_committed_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        return {self.place: self.committed} if self.committed else {}

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self.committed = offsets[self.place]

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        return {self.place: self.polls.pop(0)} if self.polls else {}

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 1_000)


async def nothing(_: Any) -> None:
    """Delivers nothing."""


def member_of(group: Group) -> Any:
    made = intake(group.place)
    made._consumer = group
    made._delivery = SimpleNamespace(send=nothing)
    return made


def test_taking_over_begins_again_at_what_is_committed() -> None:
    place, messages = polled(rows(101), 100)
    group = Group(place, OffsetAndMetadata(100, '{"b1":[100,5]}'))
    made = member_of(group)
    made._expected[place] = 100
    made._router.open[place.topic, 0] = {"b1": OpenBatch(100, 5)}
    asyncio.run(made._route({place: messages}))  # a lost commit left these positions behind
    asyncio.run(made._take_over({place}))
    assert group.sought == [(place, 100)]
    asyncio.run(made._commit())
    assert group.committed == OffsetAndMetadata(100, '{"b1":[100,5]}')
    group.polls = [messages]
    asyncio.run(made._turn(group))
    asyncio.run(made._commit())
    assert group.committed == OffsetAndMetadata(201, '{"b1":[201,5]}')


def test_a_place_without_commit_begins_at_its_start() -> None:
    place, messages = polled(rows(3), 0)
    group = Group(place, None)
    made = member_of(group)
    asyncio.run(made._route({place: messages}))
    asyncio.run(made._take_over({place}))
    assert (group.sought, made._positions, made._expected[place]) == ([(place, 0)], {}, 0)


def test_what_is_polled_between_handing_over_and_taking_over_is_read_again() -> None:
    place, messages = polled(rows(5), 100)
    group = Group(place, OffsetAndMetadata(100, '{"b1":[100,5]}'))
    made = member_of(group)

    async def story() -> None:
        listener = _Handover(made)
        await listener.on_partitions_revoked(set())
        group.polls = [messages[:3]]
        await made._turn(group)
        await listener.on_partitions_assigned({place})
        await made._lock.acquire()
        group.polls = [messages[3:]]
        turn = asyncio.create_task(made._turn(group))  # polled, then a rebalance comes between
        await asyncio.sleep(0)
        made._lock.release()
        made._tenure = object()
        await turn

    asyncio.run(story())
    assert made._expected[place] == 100
    group.polls = [messages]
    asyncio.run(made._turn(group))
    assert made._expected[place] == 105
    assert made._router.open[place.topic, 0]["b1"].rows == 105


def test_any_error_of_a_rebalance_stops_it(stops: list[str]) -> None:
    place, _ = polled(rows(1), 0)
    group: Any = Group(place, None)
    made = member_of(group)

    async def fails(*_: Any) -> None:
        raise KafkaError("away")

    group.fetch_committed_offsets = fails
    with pytest.raises(Stopped):
        asyncio.run(_Handover(made).on_partitions_assigned({place}))
    made._positions[place] = 1
    group.commit = fails
    with pytest.raises(Stopped):
        asyncio.run(_Handover(made).on_partitions_revoked({place}))
    assert stops == ["intake: KafkaError: away"] * 2


def test_a_metadata_that_cannot_be_read_stops_it(stops: list[str]) -> None:
    place, _ = polled(rows(1), 0)
    with pytest.raises(Stopped):
        asyncio.run(_Handover(member_of(Group(place, OffsetAndMetadata(1, "[")))).on_partitions_assigned({place}))
    assert len(stops) == 1


STAY = encode_stay(Stay(PERSON, "h_" + "1" * 32, 1, None, 1, 0, "e"))


def hint(topic: str, offset: int, value: bytes | None, key: bytes | None = b"k") -> Any:
    return SimpleNamespace(topic=topic, partition=3, offset=offset, key=key, value=value)


def test_a_foreign_hint_is_named_and_skipped(stops: list[str]) -> None:
    place, _ = polled(rows(1), 0)
    made = intake(place)
    answers: list[Any] = [
        [hint(MEMBERS, 1, b"{"), hint(MEMBERS, 2, b'{"person":1}'), hint(MEMBERS, 3, b"\xff"), hint(MEMBERS, 4, None)],
        [hint(ALIASES, 5, b"[]"), hint(ALIASES, 6, msgspec.json.encode({"person": PERSON}), b"\xff")],
        [hint(MEMBERS, 7, b"[" * 5_000), hint(MEMBERS, 8, STAY)],
    ]

    async def getmany(**_: Any) -> dict[int, list[Any]]:
        if not answers:
            raise KafkaError("away")
        return {0: answers.pop(0)}

    made._hints = SimpleNamespace(getmany=getmany)
    with capture_logs() as said, pytest.raises(Stopped):
        asyncio.run(Intake._follow_memberships(made))
    assert [line["offset"] for line in said if line["event"] == "hint_unreadable"] == [1, 2, 3, 5, 6, 7]
    assert all(set(line) == {"event", "log_level", "topic", "partition", "offset"} for line in said)
    assert len(made._registry) == 1
    assert stops == ["intake: KafkaError: away"]


def test_commits_stay_small_whatever_is_left_open() -> None:
    place, _ = polled(rows(1), 0)
    made = member_of(Group(place, None))
    partition = [PEN.manifests("begin", KIND, f"{n}" + "批" * 120, "2026-04", [0])[0] for n in range(200)]
    _, begins = polled(partition, 0)
    asyncio.run(made._route({place: begins}))
    for each in made._router.open[place.topic, 0].values():
        each.rows = 10**11
    asyncio.run(made._commit())
    metadata = made._consumer.committed.metadata
    assert 0 < len(metadata.encode()) < 4_000
    kept = made._router.open[place.topic, 0]
    asyncio.run(made._take_over({place}))
    assert made._router.open[place.topic, 0] == kept
