"""The work list on the in-memory broker, as people call it: listed by time, mended, sent, gone from the list."""

import json
import time
from datetime import date, datetime
from pathlib import Path

from kafka import KafkaProducer

from gateway.keys import KeyFiles, read_key
from load_tests.chaos.events import BEIJING, Pen, bill
from schemas.topics import REJECTED, feed_topic
from streams.rejected import Coordinates, dead_letters
from tests.gateway.test_broker import drain
from tests.gateway.test_commands import Run, data, run

__all__ = ["data", "run"]
KIND = "medical.settlement"
PERSON = "p_" + "4" * 32


def refused(broker: str, data: Path, name: str) -> str:
    """A dead letter as intake writes it; its place."""
    pen, day = Pen(datetime.now(BEIJING), 4), date(2026, 5, 18)
    said = dict(bill(name, day, 1_000))
    said["amount"] = said.pop("total")
    message = pen.event(KIND, name, PERSON, said, day)
    public = read_key(KeyFiles.under(data / "keys").seal_public, secret=False)
    at = Coordinates(feed_topic(KIND), message.partition, int(time.time_ns() % 10**9), pen.ms)
    producer = KafkaProducer(bootstrap_servers=broker, api_version=(2, 0))
    for letter in dead_letters(
        "UNKNOWN_FIELD", "/data/amount", "没有这个字段", at, message.key, message.value, public, 4
    ):
        producer.send(REJECTED, letter.value, letter.key, partition=letter.partition, headers=list(letter.headers))
    producer.flush()
    producer.close()
    return f"{at.topic}/{at.partition}/{at.offset}"


def test_a_letter_goes_from_the_list_to_the_feed(run: Run, data: Path, tmp_path: Path, mock_broker: str) -> None:
    run("gateway", "init", "--synthetic")
    place = refused(mock_broker, data, "EMB1")
    done = run("rejected", "list", "--since", "2020-01-01", "--json")
    assert done.code == 0, done
    assert place in [row["letter"] for row in json.loads(done.out)["letters"]]
    assert "待处理" in run("rejected", "list").out
    assert run("rejected", "replay", "--reason", "x").code == 2

    mend = tmp_path / "mend.yaml"
    mend.write_text("rename: {amount: total}\n", encoding="utf-8")
    done = run("rejected", "replay", place, "--reason", "旧字段名", "--mend", mend)
    assert done.code == 0, done
    sent = [value for _, _, value, _ in drain(mock_broker, feed_topic(KIND)) if b"EMB1" in value]
    assert [json.loads(value)["data"]["total"] for value in sent] == [1_000]
    left = json.loads(run("rejected", "list", "--json").out)["letters"]
    assert place not in [row["letter"] for row in left]
    assert "旧字段名" in run("gateway", "openings").out


def test_feeds_that_stand_still_can_be_asked_for(run: Run, data: Path) -> None:
    run("gateway", "init", "--synthetic")
    assert "没有停收" in run("feed", "parked").out
    assert run("feed", "resume", KIND).code == 1
    assert run("feed", "resume", "nothing").code == 2
