import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.vault import Entry, Identity, Vault
from schemas.errors import CallError, DataError, Retry
from tests.gateway.people import number

KEY = b"k" * 32
WHO = Identity(name="虚构甲", number=number(1), phones=("13900000001",), addresses=("星河市一号",))


def entry(person: str, *, head: bool = False, who: Identity = WHO) -> Entry:
    return Entry(person=person, household="h_1", head=head, identity=who)


def test_another_name_is_told_and_another_spelling_is_none(tmp_path: Path) -> None:
    def named(name: str) -> Identity:
        return Identity(name, WHO.number)

    with Vault(tmp_path / "v.sqlite", KEY) as vault:
        assert not vault.write([entry("p_1", who=named("虚构·甲")), entry("p_2", who=named("虚构乙"))], 5)
        assert not vault.write([entry("p_1", who=named("虚构 • 甲"))], 6)
        assert vault.write([entry("p_1", who=named("虚构丙")), entry("p_2", who=named("虚构乙"))], 7) == {"p_1"}
        assert vault.open("p_1", actor="李", purpose="入户核实", case_id="c1", at_ms=8) == named("虚构丙")


def test_opening_returns_who_and_logs_why(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", KEY) as vault:
        assert not vault.write([entry("p_2"), entry("p_1", head=True)], 5)
        assert vault.members("h_1") == ["p_1", "p_2"]
        assert vault.open("p_1", actor="李", purpose="入户核实", case_id="c1", at_ms=7) == WHO
        assert vault.open("p_9", actor="李", purpose="入户核实", case_id="c1", at_ms=8) is None
        assert [(o.actor, o.purpose, o.case_id, o.person, o.at_ms) for o in vault.openings("c1")] == [
            ("李", "入户核实", "c1", "p_1", 7),
            ("李", "入户核实", "c1", "p_9", 8),
        ]
        assert vault.openings("other") == []
        assert vault.verify() is None


def test_nothing_readable_lies_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with Vault(path, KEY) as vault:
        vault.write([entry("p_1")], 5)
        vault.open("p_1", actor="李", purpose="入户核实", case_id="c1", at_ms=7)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    raw = path.read_bytes()
    for secret in (WHO.name, WHO.number, *WHO.phones, *WHO.addresses):
        assert secret.encode() not in raw
    assert WHO.name not in repr(WHO)


def test_no_purpose_no_opening(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", KEY) as vault:
        vault.write([entry("p_1")], 5)
        with pytest.raises(CallError, match="用途"):
            vault.open("p_1", actor="李", purpose=" ", case_id="c1", at_ms=7)
        assert vault.openings() == []


def test_a_failed_decryption_is_still_logged(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with Vault(path, KEY) as vault:
        vault.write([entry("p_1")], 5)
    with Vault(path, b"x" * 32) as other:
        with pytest.raises(DataError, match="密钥不符"):
            other.open("p_1", actor="李", purpose="入户核实", case_id="c1", at_ms=7)
        assert len(other.openings()) == 1


def test_values_cannot_be_swapped_between_persons(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with Vault(path, KEY) as vault:
        vault.write([entry("p_1"), entry("p_2", who=Identity("虚构乙", number(3)))], 5)
    db = sqlite3.connect(path)
    db.execute("UPDATE persons SET sealed = (SELECT sealed FROM persons WHERE person = 'p_2') WHERE person = 'p_1'")
    db.commit()
    db.close()
    with Vault(path, KEY) as vault, pytest.raises(DataError):
        vault.open("p_1", actor="李", purpose="入户核实", case_id="c1", at_ms=7)


def test_the_log_of_openings_stays(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    with Vault(path, KEY) as vault:
        for n in range(3):
            vault.open(f"p_{n}", actor="李", purpose="入户核实", case_id="c1", at_ms=n)
    db = sqlite3.connect(path, isolation_level=None)
    for change in ("UPDATE openings SET actor = '王'", "DELETE FROM openings"):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(change)
    db.execute("DROP TRIGGER openings_stay")
    db.execute("UPDATE openings SET actor = '王' WHERE n = 2")
    db.close()
    with Vault(path, KEY) as vault:
        assert vault.verify() == 2


def test_a_write_is_whole_or_not_at_all(tmp_path: Path) -> None:
    with Vault(tmp_path / "v.sqlite", KEY) as vault:

        def broken() -> Iterator[Entry]:
            yield entry("p_1")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            vault.write(broken(), 5)
        assert not vault.knows("p_1")


def test_a_long_roster_load_holds_up_no_reader(tmp_path: Path) -> None:
    """As many entries as no page cache holds: sqlite then writes into the file before the transaction ends."""
    path, seen = tmp_path / "v.sqlite", list[bool]()
    with Vault(path, KEY) as loading, Vault(path, KEY) as running:
        loading.write([entry("p_0")], 5)

        def roster() -> Iterator[Entry]:
            for n in range(1, 8_001):
                yield entry(f"p_{n}")
            with Vault(path, KEY) as another:
                seen.extend([running.knows("p_0"), running.knows("p_8000"), another.first("p_0") == "p_0"])

        loading.write(roster(), 6)
        assert seen == [True, False, True]
        assert running.knows("p_8000")


def test_who_writes_meanwhile_is_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.private.BUSY_SECONDS", 0.1)
    path = tmp_path / "v.sqlite"
    with Vault(path, KEY) as loading, Vault(path, KEY) as running:
        with loading.whole(), pytest.raises(Retry, match="稍后再试"):
            running.write([entry("p_1")], 5)
        running.write([entry("p_1")], 5)
        assert loading.knows("p_1")
