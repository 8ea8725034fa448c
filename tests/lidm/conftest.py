"""`lidm` called in this process on a data folder of its own, and a broker beside it whose partitions can be read."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from lidm.main import main
from schemas.records import Record, decode_block
from schemas.topics import HOUSEHOLD_EVENTS

PARTITIONS = 4
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def lidm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A command as it is typed: its exit code and what it says."""
    for name in [name for name in os.environ if name.startswith("LIDM_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lidm", *words])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


@pytest.fixture
def mock_broker(tmp_path: Path) -> Iterator[str]:
    """A broker of its own, announced in the data folder as the embedded one."""
    owner = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 3})
    broker = ",".join(f"{b.host}:{b.port}" for b in owner.list_topics(timeout=10).brokers.values())
    (tmp_path / "run").mkdir()
    about = {"mode": "embedded", "broker": broker, "pid": 1, "clock": "driven", "size": "trial"}
    (tmp_path / "run" / "service.json").write_text(json.dumps(about))
    yield broker
    owner.flush(1)


def records(broker: str) -> dict[int, list[Record]]:
    """Everything in every partition of the household events."""
    settings = {"bootstrap.servers": broker, "group.id": "look", "enable.partition.eof": True}
    consumer = Consumer(settings)
    consumer.assign([TopicPartition(HOUSEHOLD_EVENTS, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    found: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}
    ended: set[int] = set()
    while len(ended) < PARTITIONS:
        message = consumer.poll(10)
        assert message is not None, "the broker is silent"
        partition = message.partition()
        assert partition is not None
        if message.error():
            ended.add(partition)
            continue
        value = message.value()
        assert value is not None
        assert message.key() in (None, b"")
        found[partition] += decode_block(value)
    consumer.close()
    return found
