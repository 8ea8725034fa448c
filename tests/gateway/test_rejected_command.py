"""The work list on the in-memory broker, as people call it: listed by time, mended, sent, gone from the list."""

import json
import time
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaConnectionError

from gateway.identities import Linkage
from gateway.keys import KeyFiles, read_key
from gateway.mend import Mender
from gateway.publisher import MAX_MESSAGE_BYTES
from gateway.sealed import SealedFeed, seal_identity
from lidm.reading import read_topic
from lidm.sealed_reader import SealedReader
from lidm.settings import Settings, load_settings
from lidm.steward import Keys, Outcome, _prepared
from load_tests.chaos.events import Pen, bill
from schemas.calendar import SHANGHAI
from schemas.errors import Unreachable
from schemas.feed import FEEDS
from schemas.sealing import new_key_pair
from schemas.topics import REJECTED, feed_topic, inbox_topic
from streams.letters import gather
from streams.rejected import Coordinates, dead_letters
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_broker import drain
from tests.gateway.test_commands import Run, data, run
from tests.gateway.test_sealed import event

__all__ = ["data", "run"]
KIND = "medical.settlement"
PERSON = "p_" + "4" * 32


def refused(broker: str, data: Path, name: str, public: bytes | None = None) -> str:
    """A dead letter as intake writes it; its place."""
    pen, day = Pen(datetime.now(SHANGHAI), 4), date(2026, 5, 18)
    said = dict(bill(name, day, 1_000))
    said["amount"] = said.pop("total")
    message = pen.event(KIND, name, PERSON, said, day)
    public = public or read_key(KeyFiles.under(data / "keys").seal_public, secret=False)
    return kept(broker, feed_topic(KIND), message.partition, message.key, message.value, public)


def kept(broker: str, topic: str, partition: int, key: bytes | None, value: bytes | None, public: bytes) -> str:
    """A message among the dead letters, for a field that is not there; its place."""
    at = Coordinates(topic, partition, int(time.time_ns() % 10**9), int(time.time() * 1000))
    headers = (("trace", b"t1"), ("lidm-replays", b"1"))
    producer = KafkaProducer(bootstrap_servers=broker, api_version=(2, 0))
    for letter in dead_letters(
        "UNKNOWN_FIELD", "/data/amount", "没有这个字段", at, key, value, public, 4, headers=headers
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


def test_a_letter_of_a_sealed_topic_goes_there_again(run: Run, data: Path, tmp_path: Path, mock_broker: str) -> None:
    run("gateway", "init", "--synthetic")
    files, topic = KeyFiles.under(data / "keys"), inbox_topic(KIND)
    public, name = read_key(files.seal_public, secret=False), f"SEA{time.time_ns()}"
    said = event(name, number(1), "b1", sealedid=seal_identity(public, number(1), "urn:dept", name))
    said["data"]["amount"] = said["data"].pop("total")
    place = kept(mock_broker, topic, 1, b"k1", json.dumps(said).encode(), public)
    done = run("rejected", "replay", place, "--reason", "旧字段名")
    assert (done.code, "仍不能受理" in done.out) == (1, True), done

    mend = tmp_path / "mend.yaml"
    mend.write_text("rename: {amount: total}\n", encoding="utf-8")
    done = run("rejected", "replay", place, "--reason", "旧字段名", "--mend", mend)
    assert done.code == 0, done
    [again] = [m for m in read_topic(load_settings(), topic) if name.encode() in m.value]
    assert (again.partition, again.key) == (1, b"k1")
    assert list(again.headers) == [("trace", b"t1"), ("lidm-replays", b"2")]
    outlet, linkage = Outlet(), files.linkage_of()
    reader = SealedFeed(
        FEEDS[KIND], linkage, read_key(files.seal_private), outlet, lambda _: True, lambda: int(time.time() * 1000)
    )
    assert reader.take(1, again.value) == []
    [fact] = outlet.deliveries()
    assert (fact.person, fact.fact.key) == (linkage.person(number(1)), name)
    assert place not in [row["letter"] for row in json.loads(run("rejected", "list", "--json").out)["letters"]]


def test_feeds_that_stand_still_can_be_asked_for(run: Run, data: Path) -> None:
    run("gateway", "init", "--synthetic")
    assert "没有停收" in run("feed", "parked").out
    assert run("feed", "resume", KIND).code == 1
    assert run("feed", "resume", "nothing").code == 2


def test_a_letter_for_an_older_key_stays_and_holds_up_no_other(
    run: Run, data: Path, tmp_path: Path, mock_broker: str
) -> None:
    run("gateway", "init", "--synthetic")
    places = [refused(mock_broker, data, name, key) for name, key in (("OLD1", new_key_pair()[1]), ("NEW1", None))]
    mend = tmp_path / "mend.yaml"
    mend.write_text("rename: {amount: total}\n", encoding="utf-8")
    done = run("rejected", "replay", *places, "--reason", "旧字段名", "--mend", mend)
    assert done.code == 1, done
    assert "打不开" in done.out + done.err
    assert [value for _, _, value, _ in drain(mock_broker, feed_topic(KIND)) if b"NEW1" in value]
    left = [row["letter"] for row in json.loads(run("rejected", "list", "--json").out)["letters"]]
    assert [place in left for place in places] == [True, False]


def test_a_letter_too_large_to_send_stays() -> None:
    private, public = new_key_pair()
    pen, day = Pen(datetime.now(SHANGHAI), 4), date(2026, 5, 18)
    message = pen.event(KIND, "BIG1", PERSON, bill("BIG1", day, 1_000), day)
    value = message.value.replace(b"{", b'{"pad":"' + b"a" * MAX_MESSAGE_BYTES + b'",', 1)
    at = Coordinates(feed_topic(KIND), message.partition, 1, pen.ms)
    sealed = dead_letters("TOO_LARGE", "", "太大", at, message.key, value, public, 4)
    received: Any = [SimpleNamespace(key=each.key, value=each.value, headers=each.headers) for each in sealed]
    [letter] = gather(received)
    outcome = Outcome()
    assert _prepared(letter, Keys(private, no_linkage), Mender(), pen.ms, outcome) is None
    assert outcome.sent == 0
    assert letter.place in outcome.kept


def test_every_reader_says_how_to_connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that wants TLS and a password is read as it is written to."""
    said: list[dict[str, Any]] = []

    def connect(*topics: str, **options: Any) -> None:
        said.append(options)
        raise KafkaConnectionError

    password = tmp_path / "password"
    password.write_text("synthetic", encoding="utf-8")
    password.chmod(0o600)
    settings = Settings(
        broker="127.0.0.1:1", kafka_security="SASL_SSL", kafka_username="gateway", kafka_password_file=password
    )
    for module in ("lidm.reading", "lidm.sealed_reader"):
        monkeypatch.setattr(f"{module}.KafkaConsumer", connect)
    with pytest.raises(Unreachable):
        list(read_topic(settings, REJECTED))
    with pytest.raises(Unreachable):
        SealedReader(settings, (KIND,), unused, bytes(32)).turn()
    assert [options["security_protocol"] for options in said] == ["SASL_SSL"] * 2
    assert [options["sasl_plain_username"] for options in said] == ["gateway"] * 2


def no_linkage() -> Linkage:
    raise AssertionError


def unused(kind: str) -> SealedFeed:
    raise AssertionError(kind)
