"""`lidm case` against the in-memory broker, with a case worker that is nothing but the pure fold."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from cases.deadlines import default_deadlines
from gateway.keys import init_keys, read_key
from gateway.vault import Entry, Identity, Vault
from lidm.main import main
from schemas.alerts import Alert
from schemas.case_commands import CaseTick, StormRelease, decode_command
from schemas.cases import AlertNote, CaseEvent, encode_event
from schemas.partition import partition_of
from schemas.topics import CASE_COMMANDS, CASE_EVENTS
from streams import casework
from streams.casework import Casework
from tests.cases.builders import HOUSEHOLD, alert, ms

NOON = ms("2026-05-14 12:00")
Call = Callable[..., tuple[int, str]]


class Worker:
    """Answers commands until told to stop."""

    told: tuple[Alert, ...] = (alert("a"), alert("r", family="review"), alert("b", household="h_2", severity=4))

    def __init__(self, broker: str) -> None:
        self._producer = Producer({"bootstrap.servers": broker, "linger.ms": 0})
        topics = self._producer.list_topics(CASE_EVENTS, timeout=10).topics
        self.partitions = len(topics[CASE_EVENTS].partitions)
        self._consumer = Consumer({"bootstrap.servers": broker, "group.id": "case-test", "enable.auto.commit": False})
        self._consumer.list_topics(CASE_COMMANDS, timeout=10)
        here = [TopicPartition(CASE_COMMANDS, p, OFFSET_BEGINNING) for p in range(self.partitions)]
        self._consumer.assign(here)
        self.desks = [Casework(p, self.partitions, default_deadlines()) for p in range(self.partitions)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Worker":
        for told in self.told:
            partition = partition_of(told.household, self.partitions)
            self._publish(partition, self.desks[partition].on_alert(told, NOON))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error():
                continue
            value, partition = message.value(), message.partition()
            assert value is not None and partition is not None
            order = decode_command(value)
            assert not isinstance(order, CaseTick)
            desk, at_ms = self.desks[partition], message.timestamp()[1]
            if isinstance(order, StormRelease):
                self._publish(partition, desk.on_storm_release(order, at_ms))
            else:
                self._publish(partition, desk.on_command(order, at_ms))

    def _publish(self, partition: int, events: list[CaseEvent]) -> None:
        for event in events:
            self._producer.produce(CASE_EVENTS, encode_event(event), event.household, partition)
        self._producer.flush(10)


@pytest.fixture
def mock_broker() -> Iterator[str]:
    """A broker of its own for each test: the topics have one name each."""
    owner = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 3})
    yield ",".join(f"{b.host}:{b.port}" for b in owner.list_topics(timeout=10).brokers.values())
    owner.flush(1)


@pytest.fixture
def lidm(
    mock_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    run = tmp_path / "run"
    run.mkdir()
    about = {"mode": "embedded", "broker": mock_broker, "pid": 1, "clock": "driven", "size": "trial"}
    (run / "service.json").write_text(json.dumps(about))
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lidm", "case", *words])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out + said.err

    with Worker(mock_broker):
        yield call


def test_a_case_is_worked_from_list_to_closed(lidm: Call, tmp_path: Path) -> None:
    code, listed = lidm("list", "--json", "--household", HOUSEHOLD, "--lane", "help")
    [case] = json.loads(listed)
    number = case["number"]
    assert code == 0
    assert case["state"] == "open"

    code, said = lidm("verify", number, "--result", "need", "--evidence", "visit:已入户")
    assert (code, "尚未签收" in said) == (1, True)
    assert lidm("accept", number, "--actor", "王")[0] == 0
    code, said = lidm("verify", number, "--result", "need")
    assert (code, "没有留痕" in said) == (1, True)
    assert lidm("verify", number, "--result", "need", "--evidence", "visit：已入户，见到本人")[0] == 0
    code, said = lidm("verify", number, "--result", "need", "--evidence", "visit:证件 999999198805041236")
    assert (code, "证件号码" in said, "19880504" in said) == (2, True, False)

    assert contacts(lidm, tmp_path, case["case_id"]) == {"name": "某某", "phones": ["0000"], "addresses": ["星河市"]}
    assert lidm("refer", number, "--to", "医保局:医疗救助", "--to", "民政局:临时救助")[0] == 0
    assert lidm("feedback", number, "R1", "--result", "provided", "--amount", "1200")[0] == 0
    code, said = lidm("close", number, "--outcome", "temp_aid")
    assert (code, "没有最终反馈" in said) == (1, True)
    assert lidm("feedback", number, "R2", "--result", "declined", "--note", "已有同类救助")[0] == 0
    code, said = lidm("close", number, "--outcome", "referred_aid", "--json")
    assert json.loads(said)["case"]["state"] == "closed"

    code, said = lidm("show", case["case_id"])
    assert code == 0
    assert "已落实，1,200元" in said
    assert "用途：入户前联系" in said
    again = json.loads(lidm("show", number, "--json")[1])
    assert again["outcome"] == "referred_aid"
    assert [event["seq"] for event in again["events"]] == list(range(1, len(again["events"]) + 1))


def contacts(lidm: Call, folder: Path, case_id: str) -> dict[str, object]:
    """Opens the door of a household the roster named before; without a roster the answer is a sentence."""
    code, said = lidm("contact", case_id, "--purpose", "入户前联系")
    assert (code, "身份库" in said) == (1, True)
    keys = init_keys(folder / "keys", synthetic=True)
    with Vault(folder / "vault.sqlite", read_key(keys.vault)) as vault:
        who = Identity(name="某某", number="", phones=("0000",), addresses=("星河市",))
        vault.write([Entry(person="p_1", household=HOUSEHOLD, head=True, identity=who)], NOON)
    code, said = lidm("contact", case_id, "--purpose", "入户前联系", "--json")
    with Vault(folder / "vault.sqlite", read_key(keys.vault)) as vault:
        [opening] = vault.openings(case_id)
    assert opening.purpose == "入户前联系"
    [shown] = json.loads(said)["opened"]
    return dict(shown)


def test_wrong_calls_and_unknown_cases_have_their_own_exit_codes(lidm: Call) -> None:
    assert lidm("accept", "2026-339901-0000999")[0] == 1
    assert lidm("accept", "2026-339901-9900001")[0] == 1
    assert lidm("verify", "x")[0] == 2
    number = json.loads(lidm("list", "--json", "--household", "h_2")[1])[0]["number"]
    assert lidm("refer", number, "--to", "没有冒号")[0] == 2
    assert lidm("snooze", number, "--until", "2026-01-01", "--reason", "away")[0] == 1
    assert lidm("contest", number, "--statement", "请打 13800138000")[0] == 2
    assert "13800138000" not in lidm("show", number)[1]


def test_a_rule_is_inhibited_with_reason_and_day_and_lifted(lidm: Call) -> None:
    number = json.loads(lidm("list", "--json", "--household", HOUSEHOLD, "--lane", "help")[1])[0]["number"]
    asked = ("--detector", "MED-SELFPAY", "--until", "2026-06-20", "--reason", "in_hand", "--actor", "王")
    code, said = lidm("inhibit", number, *asked, "--note", "已在帮扶")
    assert (code, "MED-SELFPAY至2026-06-20，情况已掌握，正在帮扶，已在帮扶" in said) == (0, True)
    assert "暂不提示：MED-SELFPAY 至2026-06-20，情况已掌握，正在帮扶（王）" in lidm("show", number)[1]
    shown = json.loads(lidm("show", number, "--json")[1])["inhibited"]
    assert shown == {"MED-SELFPAY": {"until": "2026-06-20", "reason": "in_hand", "by": "王"}}
    assert lidm("lift", number, "--detector", "MED-SELFPAY")[0] == 0
    code, said = lidm("lift", number, "--detector", "MED-SELFPAY")
    assert (code, "没有设为暂不提示" in said) == (1, True)
    worst = json.loads(lidm("list", "--json", "--household", "h_2")[1])[0]["number"]
    for call in (("inhibit", worst, *asked), ("snooze", worst, "--until", "2026-06-20", "--reason", "away")):
        code, said = lidm(*call)
        assert (code, "紧急情形" in said) == (1, True)


def test_a_command_repeated_under_its_id_is_answered_from_the_record(lidm: Call) -> None:
    number = json.loads(lidm("list", "--json", "--lane", "review")[1])[0]["number"]
    first = lidm("accept", number, "--command-id", "once", "--json")
    assert (
        json.loads(lidm("accept", number, "--command-id", "once", "--json")[1])["event"]
        == json.loads(first[1])["event"]
    )


@pytest.fixture
def stormy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule storms, whatever the figures."""

    def storms(note: AlertNote, *_: object) -> str | None:
        return "JOB-LOSS/2026-05-14" if note.detector == "JOB-LOSS" else None

    monkeypatch.setattr(casework, "storm_of", storms)
    monkeypatch.setattr(Worker, "told", (*Worker.told, alert("j", household="h_3", detector="JOB-LOSS")))


def test_a_storm_is_listed_and_let_go_by_a_person(stormy: None, lidm: Call) -> None:
    code, listed = lidm("storm", "list")
    assert (code, "JOB-LOSS" in listed, "2026-05-14" in listed) == (0, True, True)
    [told] = json.loads(lidm("storm", "list", "--json")[1])
    assert (told["cases"], told["areas"]) == (1, 1)
    [case] = json.loads(lidm("list", "--json", "--state", "storm")[1])
    code, said = lidm("accept", case["number"])
    assert (code, "突增" in said) == (1, True)
    release = ("storm", "release", "JOB-LOSS")
    assert lidm(*release, "2026-05-15", "--reason", "已核实")[0] == 1
    assert lidm(*release, "2026-05-14", "--reason", "x")[0] == 2
    later = ("--reason", "已核实，属实", "--actor", "主管", "--at", "2026-05-14T13:00:00")
    code, said = lidm(*release, "2026-05-14", *later)
    assert (code, "已放行1件" in said) == (0, True), said
    assert "主管 放行：已核实，属实" in lidm("show", case["number"])[1]
    assert "没有因突增等待" in lidm("storm", "list")[1]


def test_nobody_answering_is_told(lidm: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    number = json.loads(lidm("list", "--json", "--household", "h_2")[1])[0]["number"]
    monkeypatch.setattr(Casework, "on_command", lambda *_: [])
    code, said = lidm("accept", number, "--wait", "0.5")
    assert code == 3
    assert "尚未受理" in said
