"""Settings: environment first, then the announced stack; a name nobody knows is an error."""

import json
import os
from pathlib import Path

import pytest

from deploy.born import birth_of
from lidm.cluster import config_of
from lidm.embedded import embedded
from lidm.settings import load_settings
from schemas.errors import CallError, Unreachable
from schemas.topics import Catalogue


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that the settings use."""
    monkeypatch.setenv("LIDM_DATA_DIR", str(tmp_path))
    return tmp_path


def announce(folder: Path, **changes: object) -> None:
    """A stack says it runs here."""
    said = {
        "mode": "local", "broker": "127.0.0.1:1", "clickhouse": {"host": "127.0.0.1", "port": 2},
        "api": None, "pid": 1, "clock": "driven", "size": "county",
    }  # fmt: skip
    (folder / "run").mkdir()
    (folder / "run" / "service.json").write_text(json.dumps(said | changes))


def test_nothing_configured_and_nothing_running_is_unreachable(folder: Path) -> None:
    settings = load_settings()
    with pytest.raises(Unreachable, match="make up"):
        _ = settings.bootstrap
    with pytest.raises(Unreachable, match="ClickHouse"):
        _ = settings.clickhouse


def test_the_announced_stack_is_used(folder: Path) -> None:
    announce(folder)
    settings = load_settings()
    assert settings.bootstrap == "127.0.0.1:1"
    assert (settings.effective_clock, settings.effective_size) == ("driven", "county")
    assert (settings.clickhouse.host, settings.clickhouse.port) == ("127.0.0.1", 2)
    assert not settings.embedded


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(folder, mode="embedded")
    assert load_settings().embedded
    monkeypatch.setenv("LIDM_BROKER", "10.0.0.1:9092")
    monkeypatch.setenv("LIDM_CLOCK", "wall")
    settings = load_settings()
    assert (settings.bootstrap, settings.effective_clock, settings.embedded) == ("10.0.0.1:9092", "wall", False)


def test_an_unknown_name_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIDM_CLOK", "driven")
    with pytest.raises(CallError, match="LIDM_CLOK"):
        load_settings()


def test_a_wrong_value_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIDM_CLOCK", "sundial")
    with pytest.raises(CallError, match="LIDM_CLOCK"):
        load_settings()


def test_a_broken_announcement_is_said(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "service.json").write_text("{")
    with pytest.raises(CallError, match=r"service\.json"):
        _ = load_settings().bootstrap


def test_a_service_that_was_killed_is_no_service(folder: Path) -> None:
    """Its pid may belong to somebody else by now: here to this very process."""
    announce(folder, mode="embedded", pid=os.getpid(), born="another boot/1")
    settings = load_settings()
    assert settings.announced is None
    assert not settings.embedded
    with pytest.raises(Unreachable, match=f"进程 {os.getpid()}.*已意外结束"):
        _ = settings.bootstrap


def test_a_second_embedded_service_on_one_folder_is_refused(folder: Path) -> None:
    announce(folder, mode="embedded", pid=os.getppid(), born=birth_of(os.getppid()))
    with pytest.raises(CallError, match=f"进程 {os.getppid()}"), embedded(load_settings()):
        pytest.fail("it started")


def test_copies_go_by_size_unless_set_or_said_by_the_stack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIDM_BROKER", "10.0.0.1:9092")
    assert load_settings().effective_replication == 1
    monkeypatch.setenv("LIDM_SIZE", "county")
    assert load_settings().effective_replication == 3
    assert config_of(Catalogue.load(), "alerts.v1", "wall", 3)["min.insync.replicas"] == "2"
    announce(folder, replication=1)
    assert load_settings().effective_replication == 1
    monkeypatch.setenv("LIDM_REPLICATION", "2")
    assert load_settings().effective_replication == 2
    monkeypatch.setenv("LIDM_REPLICATION", "0")
    with pytest.raises(CallError, match="LIDM_REPLICATION"):
        load_settings()


@pytest.mark.parametrize("actor", ["339901199001011238", "13800000000", "王某 339901 19900101 1234"])
def test_nobodys_number_is_an_actor(folder: Path, monkeypatch: pytest.MonkeyPatch, actor: str) -> None:
    """It would stay in plain wherever somebody did something."""
    monkeypatch.setenv("LIDM_ACTOR", actor)
    with pytest.raises(CallError, match="LIDM_ACTOR") as refused:
        load_settings()
    assert actor not in f"{refused.value}{refused.value.__cause__}"
    monkeypatch.setenv("LIDM_ACTOR", "王某-03")
    assert load_settings().actor == "王某-03"
