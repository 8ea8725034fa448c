# ruff: noqa: SLF001 - the seam between polls has no public side
"""Intake between polls and rebalances: rows of a batch count once, dropped messages stop it."""

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from load_tests.chaos.events import BEIJING, Message, Pen
from schemas.errors import Stop
from streams.intake import Intake
from streams.registry import Registry
from streams.routing import OpenBatch
from tests.streams.making import config

KIND = "employment.contribution"
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=BEIJING), 1)
PERSON = "p_" + "1" * 32


def rows(count: int) -> list[Message]:
    day = PEN.at.date()
    return [
        PEN.event(KIND, f"k{n}", PERSON, {"month": "2026-04", "employer": f"E{n}", "base": 1}, day, batch="b1")
        for n in range(count)
    ]


def polled(messages: list[Message], start: int) -> tuple[TopicPartition, list[Any]]:
    found = [
        SimpleNamespace(offset=offset, timestamp=each.timestamp_ms, key=each.key, value=each.value)
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
