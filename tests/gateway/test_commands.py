"""The commands as people call them, against the in-memory broker."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer

from lidm.main import main
from tests.gateway.people import number
from tests.gateway.test_broker import drain
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member
from tests.gateway.test_roster import write as write_roster

Run = Callable[..., "Done"]


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def data(tmp_path: Path, mock_broker: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in which an embedded service announced itself."""
    folder = tmp_path / "data"
    (folder / "run").mkdir(parents=True)
    told = {"mode": "embedded", "broker": mock_broker, "clickhouse": None, "api": None, "pid": os.getpid()}
    (folder / "run" / "service.json").write_text(json.dumps(told))
    monkeypatch.setenv("LIDM_DATA_DIR", str(folder))
    monkeypatch.delenv("LIDM_BROKER", raising=False)
    return folder


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> Done:
        monkeypatch.setattr("sys.argv", ["lidm", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return call


def test_from_keys_to_messages_without_a_number_anywhere(
    run: Run, data: Path, tmp_path: Path, mock_broker: str
) -> None:
    broken = number(4)[:17] + ("0" if number(4)[17] != "0" else "1")
    people = [number(n) for n in range(1, 4)]
    desk = tmp_path / "desk"
    desk.mkdir()
    households = [member("HK1", people[0], "户主"), member("HK1", people[1]), member("HK1", broken)]
    write_roster(desk / "roster.xlsx", households)
    # An id of its own for this test: the broker is shared by the session.
    bills = [bill(who, f"S{uuid4().hex[:8]}{n}") for n, who in enumerate([*people, broken, people[2] + "9"])]
    table(desk / "bills.csv", bills)
    out = tmp_path / "out"
    out.mkdir()

    assert run("gateway", "init", "--synthetic").code == 0
    loaded = run("roster", "load", desk / "roster.xlsx", "--new-persons", out / "new.txt", "--json")
    published = run(
        "feed", "publish", "medical.settlement", desk / "bills.csv", "--period", "2026-05", "--area", "339901000000",
        "--bad-rows", desk / "bad.csv", "--receipt", out / "receipt.json",
    )  # fmt: skip
    again = run(
        "feed", "publish", "medical.settlement", desk / "bills.csv", "--persons", out / "new.txt", "--json",
        "--bad-rows", desk / "bad.csv",
    )  # fmt: skip

    assert (loaded.code, published.code, again.code) == (1, 1, 1)
    assert json.loads(loaded.out.splitlines()[-1])["new_persons"] == 2
    assert "未关闭 2026-05" in published.out
    receipt = json.loads((out / "receipt.json").read_text())
    assert (receipt["sent"], receipt["bad"], receipt["closed"]) == (3, 2, False)
    assert json.loads(again.out)["sent"] == 2
    assert json.loads(again.out)["left_out"] == 1

    said = "".join(done.out + done.err for done in (loaded, published, again))
    written = b"".join(p.read_bytes() for folder in (out, data) for p in folder.rglob("*") if p.is_file())
    topics = KafkaConsumer(bootstrap_servers=mock_broker, api_version=(2, 0)).topics()
    published_bytes = b"".join((key or b"") + value for name in topics for _, key, value, _ in drain(mock_broker, name))
    assert receipt["batchid"].encode() in published_bytes
    for who in [*people, broken]:
        for secret in (who, who[:-1], who[6:]):
            assert secret not in said
            assert secret.encode() not in written
            assert secret.encode() not in published_bytes
    for secret in ("虚构甲", "13900000001", "星河市一号"):
        assert secret not in said
        assert secret.encode() not in written
        assert secret.encode() not in published_bytes


def test_a_whole_file_is_exit_zero_and_nothing_happened_closes(run: Run, tmp_path: Path) -> None:
    run("gateway", "init", "--synthetic")
    path = table(tmp_path / "bills.csv", [bill(number(1))])
    batch = ("--period", "2026-05", "--area", "339901000000")
    done = run("feed", "publish", "medical.settlement", path, *batch, "--at", "2026-06-03 09:00:00")
    assert (done.code, "已关闭 2026-05" in done.out) == (0, True)
    assert not list(tmp_path.glob("*.bad.csv"))
    own = ("--source", "urn:lidm:339901:某局")
    assert run("feed", "publish", "vital.death", "--nothing-happened", *batch).code == 2
    assert run("feed", "publish", "vital.death", "--nothing-happened", *batch, *own).code == 0


def test_wrong_calls_are_exit_two_and_say_what_to_do(run: Run, tmp_path: Path) -> None:
    path = table(tmp_path / "bills.csv", [bill(number(1))])
    missing = run("feed", "publish", "medical.settlement", path)
    assert (missing.code, "lidm gateway init" in missing.err) == (2, True)
    run("gateway", "init", "--synthetic")
    assert run("gateway", "init").code == 2
    assert run("feed", "publish", "medical.settlement").code == 2
    assert run("feed", "publish", "medical.settlement", path, "--area", "339901000000").code == 2
    assert run("feed", "publish", "vital.death", "--nothing-happened").code == 2
    assert run("feed", "publish", "medical.settlement", path, "--bad-rows", path).code == 2
    persons = tmp_path / "persons.txt"
    persons.write_text(number(1))
    refused = run("feed", "publish", "medical.settlement", path, "--persons", persons)
    assert (refused.code, number(1) in refused.err + refused.out) == (2, False)


def test_invented_people_need_a_gateway_made_for_them(run: Run, tmp_path: Path) -> None:
    run("gateway", "init")
    done = run("feed", "publish", "medical.settlement", table(tmp_path / "bills.csv", [bill(number(1))]))
    assert done.code == 1
    assert "地区" in done.err


def test_no_broker_is_exit_three(run: Run, data: Path, tmp_path: Path) -> None:
    run("gateway", "init", "--synthetic")
    (data / "run" / "service.json").unlink()
    assert run("feed", "publish", "medical.settlement", table(tmp_path / "b.csv", [bill(number(1))])).code == 3


def test_the_log_of_openings_is_shown_and_checked(run: Run) -> None:
    from gateway.keys import read_key
    from gateway.vault import Vault
    from lidm.settings import load_settings

    run("gateway", "init")
    settings = load_settings()
    with Vault(settings.vault, read_key(settings.keys_dir / "vault.key")) as vault:
        vault.open("p_1", actor="李", purpose="入户核实", case_id="c1", at_ms=7)
    shown = json.loads(run("gateway", "openings", "--json").out)
    assert [o["purpose"] for o in shown["openings"]] == ["入户核实"]
    assert shown["broken_at"] is None
    assert "共 0 次" in run("gateway", "openings", "--case", "c2").out


def test_feeds_are_listed_and_described(run: Run) -> None:
    assert "医保结算" in run("feed", "list").out
    assert "结算单号" in run("feed", "describe", "medical.settlement").out
