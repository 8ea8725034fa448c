"""Garbage on a feed: sealed with its code and openable by the steward, neighbours pass, no identity number gets out."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.keys import KeyFiles, read_key
from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.sealing import open_sealed
from schemas.topics import REJECTED, STATE, Catalogue
from streams.rebuild import read_state
from tests.gateway.people import number

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
KIND = "medical.settlement"
NUMBERS = (number(1), number(2), number(3))
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), 4)
DAY = PEN.at.date()
PERSON, HOME = "p_" + "1" * 32, "h_" + "1" * 32
LARGEST = 1_048_400


def good(name: str) -> Message:
    return PEN.event(KIND, name, PERSON, bill(name, DAY, 1_000), DAY)


def changed(name: str, day: date = DAY, **data: object) -> Message:
    return PEN.event(KIND, name, PERSON, {**bill(name, day, 1_000), **data}, day)


def addressed(name: str, subject: str) -> bytes:
    return good(name).value.replace(PERSON.encode(), subject.encode())


def garbage() -> dict[str, tuple[Message, str]]:
    """What is wrong with it: the message and the code it must get."""
    noise = random.Random(3)
    elements = [json.loads(good(name).value) for name in ("A1", "A2", "A3")]
    del elements[1]["data"]["total"]
    array = json.dumps(elements).encode()
    return {
        "random bytes": (PEN.message(KIND, PERSON, noise.randbytes(300)), "NOT_JSON"),
        "truncated": (PEN.message(KIND, PERSON, good("x").value[:-40]), "NOT_JSON"),
        "wrong type": (changed("w", total="viel"), "WRONG_TYPE"),
        "one bad element": (PEN.message(KIND, PERSON, array), "MISSING_FIELD"),
        "largest": (PEN.message(KIND, PERSON, noise.randbytes(LARGEST)), "TOO_LARGE"),
        "future": (changed("f", day=DAY + timedelta(30)), "FUTURE_DATE"),
        "number as person": (PEN.message(KIND, PERSON, addressed("i", NUMBERS[0])), "PLAIN_IDENTITY"),
        "number in a field": (changed("j", settle_no=NUMBERS[1]), "PLAIN_IDENTITY"),
        "number in an array": (PEN.message(KIND, PERSON, json.dumps([{"n": NUMBERS[2]}]).encode()), "PLAIN_IDENTITY"),
        "lost character": (changed("k", hospital="某\ufffd医院"), "BAD_ENCODING"),
        "empty": (PEN.message(KIND, PERSON, b""), "NOT_JSON"),
    }


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab into which every kind of garbage was published between good messages, keys with numbers included."""
    with lab(tmp_path_factory.mktemp("garbage"), workers=("intake", "monitor", "archive")) as made:
        made.begin(PEN.ms)
        data = membership(HOME, SINCE, "HEAD", BORN["HEAD"])
        made.publish([PEN.event("civil.household", "m", PERSON, data, SINCE)])
        made.quiet("intake", "monitor")
        messages = [good("first")]
        for at, (message, _) in enumerate(garbage().values()):
            messages += [message, good(f"after{at}")]
        messages.append(replace(good("keyed"), key=NUMBERS[0].encode()))
        made.publish(messages)
        made.quiet("intake", "monitor", "archive")
        yield made


def letters(made: Lab) -> dict[str, list[Any]]:
    """Sealed letters by the coordinates of their original, parts in order."""
    found: dict[str, list[Any]] = {}
    for message in read_all(made.config.broker, made.config.partitions, REJECTED):
        found.setdefault(message.key.decode(), []).append(message)
    return found


def opened(made: Lab, parts: list[Any]) -> bytes:
    """The original value, as the steward reads it."""
    private = read_key(KeyFiles.under(made.settings.keys_dir).seal_private)
    digest = dict(parts[0].headers)["digest"]
    whole = b"".join(open_sealed(private, part.value, aad=digest) for part in parts)
    _, value = msgspec.msgpack.decode(whole)
    return bytes(value)


def test_every_kind_is_sealed_with_its_code_and_opens_to_the_original(spoiled: Lab) -> None:
    found = {opened(spoiled, parts): dict(parts[0].headers)["code"].decode() for parts in letters(spoiled).values()}
    for what, (message, code) in garbage().items():
        assert found.get(message.value) == code, what
    assert len(found) == len(garbage())


def test_neighbours_pass(spoiled: Lab) -> None:
    watches = read_state(spoiled.config, spoiled.lag.ends(STATE))
    [household] = [w.household(HOME) for w in watches.values() if HOME in w.names()]
    bills = {fact.key for fact in household.bills(PERSON, 1, 4_000_000)}
    assert bills == {"first", "A1", "A3", "keyed", *(f"after{n}" for n in range(len(garbage())))}


def test_the_store_names_them_and_counts_agree(spoiled: Lab) -> None:
    rows = spoiled.store.query("SELECT code, count() FROM rejected GROUP BY code")
    assert sum(int(str(n)) for _, n in rows) == len(letters(spoiled))
    assert {str(code) for code, _ in rows} == {code for _, code in garbage().values()}


def test_no_identity_number_is_in_any_other_topic(spoiled: Lab) -> None:
    feed = "feeds.medical.settlement.v1"
    for topic in set(Catalogue.load().names) - {feed}:
        for message in read_all(spoiled.config.broker, spoiled.config.partitions, topic):
            said = b"|".join([message.key or b"", message.value or b"", *(v for _, v in message.headers)])
            assert not [n for n in NUMBERS if n.encode() in said], topic


def test_no_identity_number_is_in_logs_metrics_or_store(spoiled: Lab) -> None:
    said = {str(worker.log): worker.log.read_text(errors="replace") for worker in spoiled.fleet.workers}
    said |= {f"metrics of {w.stage}": w.asked("metrics").decode() for w in spoiled.fleet.living}
    for table in ("alerts", "case_events", "rejected"):
        said[table] = str(spoiled.store.query(f"SELECT * FROM {table}"))  # noqa: S608 - names of ours
    said["household_log"] = str(b"".join(b.block for b in spoiled.store.read_household_log()))
    for where, text in said.items():
        assert not [n for n in NUMBERS if n in text], where
    assert 'code="PLAIN_IDENTITY"' in said[next(w for w in said if w == "metrics of intake")]


def test_nobody_stopped(spoiled: Lab) -> None:
    assert not spoiled.fleet.complaints()
    assert {worker.stage for worker in spoiled.fleet.living} == {"intake", "monitor", "archive"}
