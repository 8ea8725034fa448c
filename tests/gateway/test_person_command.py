"""`lidm person alias|rotate` as people call them: afterwards the roster knows everybody it knew before."""

import csv
import json
import secrets
from pathlib import Path

import pytest

from lidm.commands import person
from tests.gateway.people import number
from tests.gateway.test_commands import Run, data, run
from tests.gateway.test_roster import member, write

__all__ = ["data", "run"]


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
