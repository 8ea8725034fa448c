"""`lidm person alias|rotate` as people call them: whoever was known before is known, with a number or without."""

import csv
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.config import GatewayConfig
from gateway.identities import Linkage
from gateway.inbox import Arrival
from gateway.keys import KeyFiles, read_key
from lidm.commands import person
from lidm.gateway_service import gateway_of
from lidm.settings import load_settings
from lidm.ways_in import publisher_of, vault_of
from schemas.feed import FEEDS
from schemas.partition import partition_of
from schemas.provisional import provisional_of
from schemas.topics import ALIASES, MEMBERS
from streams.registry import Stay, encode_stay, stay_key
from tests.gateway.people import number
from tests.gateway.test_broker import drain
from tests.gateway.test_commands import Done, Run, data, run
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member, write

__all__ = ["data", "run"]
KIND = "medical.settlement"
Rotate = Callable[[], Done]


def test_a_corrected_number_and_a_new_key_make_nobody_new(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person, "SETTLE_SECONDS", 0.0)
    run("gateway", "init", "--synthetic")
    roster = write(tmp_path / "r.csv", [member("HK1", number(1), "户主"), member("HK1", number(2))])
    assert json.loads(run("roster", "load", roster, "--json").out)["new_persons"] == 2
    pairs = tmp_path / "pairs.csv"
    with pairs.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("原证件号码", "新证件号码"), (number(2), number(52))])
    done = run("person", "alias", pairs)
    assert (done.code, "已生效 1 对" in done.out) == (0, True), done
    corrected = write(tmp_path / "c.csv", [member("HK1", number(1), "户主"), member("HK1", number(52))])
    assert json.loads(run("roster", "load", corrected, "--json").out)["new_persons"] == 0

    fresh = tmp_path / "new.key"
    fresh.write_text(secrets.token_hex(32))
    assert run("person", "rotate", "--new-key", fresh).code == 2
    fresh.chmod(0o600)
    refused = run("person", "rotate", "--new-key", fresh)
    assert (refused.code, "密钥未更换" in refused.err) == (1, True), refused
    before = (data / "keys" / "linkage.key").read_text()
    done = run("person", "rotate", "--new-key", fresh, "--roster", corrected)
    assert done.code == 0, done
    assert (data / "keys" / "linkage.key").read_text() != before
    assert [p.read_text() for p in (data / "keys").glob("linkage.2*.key")] == [before]
    again = json.loads(run("roster", "load", corrected, "--json").out)
    assert (again["new_persons"], again["households"]) == (0, 1)
    assert number(52) not in done.out + done.err


@pytest.fixture
def rotate(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rotate:
    """A gateway with one registered household; each call replaces its key by another."""
    monkeypatch.setattr(person, "SETTLE_SECONDS", 0.0)
    run("gateway", "init", "--synthetic")
    roster = write(tmp_path / "r.csv", [member("HK1", number(1), "户主")])
    assert run("roster", "load", roster).code == 0

    def switch() -> Done:
        fresh = tmp_path / "new.key"
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        return run("person", "rotate", "--new-key", fresh, "--roster", roster)

    return switch


def now_called(data: Path, who: str) -> str:
    """The pseudonym of a number under the key in use."""
    return Linkage(read_key(KeyFiles.under(data / "keys").linkage), synthetic=True).person(who)


def over_the_line(who: str) -> None:
    """What intake says when a fact came over a line, by whichever way."""
    stay = Stay(who, provisional_of(who), 739_000, 740_000, 1, 0, "e")
    with publisher_of(load_settings()) as way:
        key = stay_key(stay)
        way.send(MEMBERS, partition_of(who, way.partitions(MEMBERS)), key, encode_stay(stay))
        way.send(MEMBERS, 0, b"broken", b"{")


def sent_to(broker: str, topic: str, key: str) -> list[bytes]:
    return [value for _, found, value, _ in drain(broker, topic) if found == key.encode()]


def test_somebody_without_a_number_in_the_vault_is_found_after_two_keys(
    run: Run, data: Path, tmp_path: Path, mock_broker: str, rotate: Rotate
) -> None:
    stranger, other, topic = number(70), number(71), FEEDS[KIND].topic
    names = {who: now_called(data, who) for who in (stranger, other)}
    for name in names.values():
        over_the_line(name)
    for _ in range(2):
        done = rotate()
        assert (done.code, "请重启" in done.out) == (0, True), done
    settings = load_settings()
    settle_no = f"S{uuid4().hex[:8]}"
    published = run("feed", "publish", KIND, table(tmp_path / "a.csv", [bill(stranger, settle_no)]))
    assert published.code == 0, published
    assert len(sent_to(mock_broker, topic, names[stranger])) == 1
    assert not sent_to(mock_broker, topic, now_called(data, stranger))
    [told] = sent_to(mock_broker, ALIASES, now_called(data, stranger))
    assert json.loads(told) == {"person": names[stranger]}

    roster = write(tmp_path / "s.csv", [member("HK7", other, "户主")])
    assert run("roster", "load", roster).code == 0
    with vault_of(settings) as vault:
        assert vault.knows(names[other])
        assert not vault.knows(now_called(data, other))
    with gateway_of(settings, GatewayConfig()) as gateway:
        taken = gateway.take(Arrival(table(tmp_path / "b.csv", [bill(other, settle_no)]), KIND, "folder", ""))
    assert (taken.state, taken.receipt and taken.receipt.sent) == ("sent", 1)
    assert len(sent_to(mock_broker, topic, names[other])) == 1
    for name in (topic, ALIASES):
        assert not [value for _, _, value, _ in drain(mock_broker, name) if stranger.encode() in value]
    assert stranger not in published.out + published.err


def test_the_running_gateway_recognises_people_by_itself(
    data: Path, tmp_path: Path, mock_broker: str, rotate: Rotate
) -> None:
    stranger = number(72)
    first, settings = now_called(data, stranger), load_settings()
    year = tmp_path / "y.jsonl"
    year.write_text(json.dumps({"identity": stranger, "year": "2026", "as_of": "2026-05", "borne": 1_000_000}) + "\n")
    with gateway_of(settings, GatewayConfig()) as gateway:
        assert gateway.take(Arrival(year, "medical.year_total", "folder", "")).state == "sent"
    assert rotate().code == 0
    with gateway_of(settings, GatewayConfig()) as gateway:
        taken = gateway.take(Arrival(table(tmp_path / "b.csv", [bill(stranger, "S1")]), KIND, "folder", ""))
    assert taken.receipt is not None
    assert (taken.receipt.sent, taken.receipt.left_out) == (1, 0)
    assert len(sent_to(mock_broker, FEEDS[KIND].topic, first)) == 1
    assert len(sent_to(mock_broker, ALIASES, now_called(data, stranger))) == 1


def test_keys_that_others_may_read_or_that_were_replaced_before_are_refused(
    run: Run, data: Path, tmp_path: Path, rotate: Rotate
) -> None:
    assert rotate().code == 0
    [old] = (data / "keys").glob("linkage.2*.key")
    back = run("person", "rotate", "--new-key", old, "--without-households")
    assert (back.code, "以前换下" in back.err) == (2, True), back
    old.chmod(0o644)
    bills = table(tmp_path / "a.csv", [bill(number(1))])
    for words in (("feed", "publish", KIND, bills), ("roster", "load", tmp_path / "r.csv")):
        refused = run(*words)
        assert (refused.code, "可被他人读取" in refused.err) == (2, True), refused
    assert rotate().code == 2
    (data / "keys" / "opaque.key").unlink()
    old.chmod(0o600)
    refused = run("feed", "publish", KIND, bills)
    assert (refused.code, "opaque.key" in refused.err) == (2, True), refused


def test_an_opaque_row_sent_again_after_the_switch_is_the_same_row(
    run: Run, data: Path, tmp_path: Path, mock_broker: str, rotate: Rotate
) -> None:
    kind, who = "medical.reimbursement", now_called(data, number(1))
    mapping = tmp_path / "m.yaml"
    joined = "{join: [证件号码, 结算单号], with: '-', opaque: true}"
    mapping.write_text(f"feed: {kind}\ncolumns:\n  identity: 证件号码\n  reimburse_no: {joined}\n", encoding="utf-8")
    header = ["证件号码", "结算单号", "支付方", "支付日期", "支付金额(元)"]
    path = table(tmp_path / "a.csv", [[number(1), "S1", "惠民保", "2026-05-14", "12"]], header)
    assert run("feed", "publish", kind, path, "--mapping", mapping).code == 0
    assert rotate().code == 0
    assert run("feed", "publish", kind, path, "--mapping", mapping, "--again").code == 0
    with gateway_of(load_settings(), GatewayConfig()) as gateway:
        assert gateway.take(Arrival(path, kind, "folder", "", mapping=mapping)).state == "sent"
    sent = [json.loads(value)["data"]["reimburse_no"] for value in sent_to(mock_broker, FEEDS[kind].topic, who)]
    assert (len(sent), len(set(sent)), sent[0][:2]) == (3, 1, "k_")


def test_a_correction_finds_who_had_no_number_in_the_vault(
    run: Run, data: Path, tmp_path: Path, rotate: Rotate
) -> None:
    stranger, corrected = number(73), number(74)
    first = now_called(data, stranger)
    over_the_line(first)
    assert rotate().code == 0
    pairs = tmp_path / "pairs.csv"
    with pairs.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("原证件号码", "新证件号码"), (stranger, corrected)])
    assert run("person", "alias", pairs).code == 0
    with vault_of(load_settings()) as vault:
        assert [vault.first(now_called(data, each)) for each in (stranger, corrected)] == [first] * 2
