"""The work list against a real Kafka: an old field name is mended, and the messages are taken the second time."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.vault import Vault
from lidm.commands.rejected import command
from lidm.ways_in import vault_of
from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.errors import CallError, DataError
from schemas.feed import FEEDS
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.letters import REPLAYS_HEADER

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
KIND = "medical.settlement"
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), 4)
DAY = PEN.at.date()
PERSON, HOME = "p_" + "1" * 32, "h_" + "1" * 32


def old_shape(name: str) -> dict[str, object]:
    """A bill as the department's old program writes it: another field name."""
    data = dict(bill(name, DAY, 1_000))
    data["amount"] = data.pop("total")
    return data


def messages() -> list[Message]:
    elements = [json.loads(PEN.event(KIND, n, PERSON, bill(n, DAY, 500), DAY, batch="b9").value) for n in ("A0", "A1")]
    elements[1]["data"]["amount"] = elements[1]["data"].pop("total")
    return [
        *(PEN.event(KIND, f"old{n}", PERSON, old_shape(f"old{n}"), DAY) for n in range(5)),
        PEN.message(KIND, PERSON, json.dumps(elements).encode()),
        PEN.message(KIND, PERSON, b"\x00 noise"),
    ]


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("rejected"), workers=("intake",)) as made:
        made.begin(PEN.ms)
        data = membership(HOME, SINCE, "HEAD", BORN["HEAD"])
        made.publish([PEN.event("civil.household", "m", PERSON, data, SINCE)])
        made.quiet("intake")
        made.publish(messages())
        made.quiet("intake")
        yield made


def call(made: Lab, *words: object) -> Result:
    return CliRunner().invoke(command, [str(w) for w in words], env={"LIDM_DATA_DIR": str(made.settings.data_dir)})


def listed(made: Lab, *words: object) -> list[dict[str, Any]]:
    done = call(made, "list", "--json", *words)
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)["letters"]
    return found


def keys(made: Lab) -> list[str]:
    """Keys of the bills that reached the household, as often as they did."""
    blocks = read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS)
    records = [r for m in blocks for r in decode_block(m.value)]
    return sorted(r.body.fact.key for r in records if isinstance(r, FactRecord) and r.topic == FEEDS[KIND].topic)


def test_from_refused_to_taken(spoiled: Lab, tmp_path: Path) -> None:
    the_list_filters_and_shows_nothing_sealed(spoiled)
    opening_needs_a_reason_and_leaves_a_trace(spoiled)
    mended_and_sent_again_within_limits(spoiled, tmp_path)
    key_partition_headers_and_the_count_of_replays_stay_with_it(spoiled, tmp_path)
    setting_aside_empties_the_list(spoiled)


def the_list_filters_and_shows_nothing_sealed(spoiled: Lab) -> None:
    assert len(listed(spoiled)) == 7
    assert len(listed(spoiled, "--code", "NOT_JSON")) == 1
    assert not listed(spoiled, "--feed", "vital.death")
    [array] = listed(spoiled, "--batch", "b9")
    assert array["count"] == 1
    assert not listed(spoiled, "--until", "2026-05-18T12:00:00")
    assert "old3" not in call(spoiled, "list").output


def opening_needs_a_reason_and_leaves_a_trace(spoiled: Lab) -> None:
    place = listed(spoiled, "--code", "NOT_JSON")[0]["letter"]
    assert "noise" not in call(spoiled, "show", place).output
    assert "noise" in call(spoiled, "show", place, "--reason", "核对部门文件").output
    with vault_of(spoiled.settings) as vault:
        assert isinstance(vault, Vault)
        assert [(o.person, o.purpose) for o in vault.openings()] == [(f"rejected:{place}", "核对部门文件")]
        assert vault.verify() is None
    assert isinstance(call(spoiled, "replay", place, "--reason", " ").exception, CallError)


def mended_and_sent_again_within_limits(spoiled: Lab, tmp_path: Path) -> None:
    mend = tmp_path / "mend.yaml"
    mend.write_text("rename: {amount: total}\n", encoding="utf-8")
    words = ("replay", "--feed", KIND, "--reason", "旧字段名", "--json")
    before = keys(spoiled)
    assert before == ["A0"]
    tried = json.loads(call(spoiled, *words, "--mend", mend, "--dry-run").stdout)
    assert (tried["sent"], len(tried["kept"])) == (6, 1)
    assert keys(spoiled) == before

    first = json.loads(call(spoiled, *words, "--mend", mend, "--limit", 4).stdout)
    assert first["sent"] + len(first["kept"]) == 4
    assert first["more"] == 3
    again = call(spoiled, *words, "--mend", mend)
    assert isinstance(again.exception, DataError)
    assert json.loads(again.stdout)["sent"] + first["sent"] == 6
    spoiled.quiet("intake")
    assert keys(spoiled) == ["A0", "A1", *(f"old{n}" for n in range(5))]
    [left] = listed(spoiled)
    assert left["code"] == "NOT_JSON"
    assert {row["state"] for row in listed(spoiled, "--all")} == {"open", "replayed"}


def key_partition_headers_and_the_count_of_replays_stay_with_it(spoiled: Lab, tmp_path: Path) -> None:
    sent = [m for m in read_all(spoiled.config.broker, 4, FEEDS[KIND].topic) if dict(m.headers).get(REPLAYS_HEADER)]
    assert len(sent) == 6
    assert {(m.key, m.partition, dict(m.headers)[REPLAYS_HEADER]) for m in sent} == {
        (PERSON.encode(), messages()[0].partition, b"1")
    }
    message = messages()[-1]
    spoiled.producer.send(
        message.topic,
        b"again noise",
        message.key,
        partition=message.partition,
        timestamp_ms=message.timestamp_ms,
        headers=[(REPLAYS_HEADER, b"3"), ("trace", b"t")],
    ).get(10)
    spoiled.quiet("intake")
    found = max(listed(spoiled), key=lambda row: int(row["replays"]))
    assert found["replays"] == 3
    patch = tmp_path / "p.jsonl"
    event = json.loads(PEN.event(KIND, "whole", PERSON, bill("whole", DAY, 700), DAY).value)
    patch.write_text(json.dumps({"letter": found["letter"], "replace": event}) + "\n", encoding="utf-8")
    refused = call(spoiled, "replay", found["letter"], "--reason", "整条替换", "--patch", patch)
    assert "已重发 3 次" in refused.output
    taken = call(spoiled, "replay", found["letter"], "--reason", "整条替换", "--patch", patch, "--max-replays", 9)
    assert taken.exit_code == 0, taken.output
    spoiled.quiet("intake")
    assert "whole" in keys(spoiled)
    last = [dict(m.headers) for m in read_all(spoiled.config.broker, 4, FEEDS[KIND].topic) if m.headers][-1]
    assert last == {REPLAYS_HEADER: b"4", "trace": b"t"}


def setting_aside_empties_the_list(spoiled: Lab) -> None:
    place = listed(spoiled)[0]["letter"]
    assert call(spoiled, "aside", place, "--reason", "部门已另行补报").exit_code == 0
    assert not listed(spoiled)
    assert {row["state"] for row in listed(spoiled, "--all")} == {"replayed", "aside"}
