"""The linkage key is replaced only while nobody uses it: who was known under the old one would be nobody."""

import secrets
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from gateway.keys import write_private
from lidm.commands import person
from lidm.gateway_service import gateway_of
from lidm.settings import load_settings
from lidm.ways_in import key_in_use
from schemas.errors import CallError
from tests.gateway.people import number
from tests.gateway.test_commands import Run, data, run
from tests.gateway.test_publish import bill, table
from tests.gateway.test_roster import member, write

__all__ = ["data", "run"]


def test_a_key_is_not_replaced_under_a_running_gateway(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person, "SETTLE_SECONDS", 0.0)
    run("gateway", "init", "--synthetic")
    fresh, key = tmp_path / "new.key", data / "keys" / "linkage.key"
    write_private(fresh, secrets.token_hex(32))
    before = key.read_text()
    with gateway_of(load_settings(), GatewayConfig()):
        refused = run("person", "rotate", "--new-key", fresh)
        assert (refused.code, "请先停止 lidm gateway run" in refused.err) == (2, True), refused
        assert key.read_text() == before
    done = run("person", "rotate", "--new-key", fresh)
    assert done.code == 0, done
    assert key.read_text() != before


def test_nothing_begins_while_the_key_is_replaced(run: Run, data: Path, tmp_path: Path) -> None:
    run("gateway", "init", "--synthetic")
    roster = write(tmp_path / "r.csv", [member("HK1", number(1), "户主")])
    bills = table(tmp_path / "b.csv", [bill(number(1), "S1")])
    commands = (("roster", "load", roster), ("feed", "publish", "medical.settlement", bills))
    with key_in_use(load_settings(), alone=True):
        with pytest.raises(CallError, match="正在更换联结密钥"), gateway_of(load_settings(), GatewayConfig()):
            pass
        for words in commands:
            refused = run(*words)
            assert (refused.code, "正在更换联结密钥" in refused.err) == (2, True), refused
    assert [run(*words).code for words in commands] == [0, 0]


def test_another_name_than_before_is_told_by_its_row(run: Run, tmp_path: Path) -> None:
    run("gateway", "init", "--synthetic")
    assert run("roster", "load", write(tmp_path / "a.csv", [member("HK1", number(1), "户主")])).code == 0
    again = run("roster", "load", write(tmp_path / "b.csv", [member("HK1", number(1), "户主", 姓名="虚构乙")]))
    assert (again.code, "第 2 行的姓名与身份库原来的不同" in again.out) == (0, True), again
    assert "虚构" not in again.out + again.err
