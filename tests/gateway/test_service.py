"""The running gateway recovers by itself: a broken connection is let go, files of a killed run do not stay."""

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.config import GatewayConfig
from gateway.inbox import Inbox
from gateway.watched import WatchedFolder
from lidm.gateway_service import Gateway, Way, serve
from lidm.sealed_reader import SealedReader
from schemas.errors import CallError, DataError, LidmError, Retry, Stop, Unreachable

KIND = "medical.settlement"


class Broken:
    """An inbox whose broker is away; counts how often its connection was dropped."""

    dropped = 0

    def take(self, _: object) -> None:
        raise Unreachable("消息服务没有应答")

    def sweep(self) -> list[str]:
        return []

    def drop(self) -> None:
        self.dropped += 1


class Reader:
    """A reader of sealed topics that meets a fault of ours; counts how often its batches were given up."""

    closed = 0

    def turn(self) -> int:
        return 1 // 0

    def close(self) -> None:
        self.closed += 1


def made(folder: Path, inbox: Broken, reader: Reader | None = None) -> Gateway:
    lock, config = threading.Lock(), GatewayConfig(folder=folder)
    settings: Any = SimpleNamespace()
    way, marks = cast(Way, inbox), cast(Any, None)
    sealed = cast(SealedReader, reader) if reader else None
    return Gateway(settings, config, cast(Inbox, inbox), way, marks, folder, sealed, lock)


def test_a_folder_alone_connects_again_after_the_broker_was_away(tmp_path: Path) -> None:
    broken = Broken()
    watched = WatchedFolder(tmp_path, cast(Inbox, broken), settle_seconds=0)
    watched.prepare()
    (tmp_path / KIND / "x.csv").write_text("x", encoding="utf-8")
    gateway = made(tmp_path, broken)
    gateway.guarded(watched.look)
    assert broken.dropped == 0
    gateway.guarded(watched.look)
    assert broken.dropped == 1


def test_plain_files_of_a_killed_run_are_gone_after_the_start(tmp_path: Path) -> None:
    gateway = made(tmp_path, Broken())
    left = ["uploads/tmpa.csv", "pulled/tmpb.csv", "receipts/tmpc/x.bad.csv", "receipts/d.tmp"]
    for name in [*left, "receipts/r.json"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    gateway.sweep()
    assert [name for name in left if (tmp_path / name).exists()] == ["uploads/tmpa.csv"]
    gateway.sweep(upload_seconds=-1)
    assert not any((tmp_path / name).exists() for name in left)
    assert (tmp_path / "receipts/r.json").exists()


@pytest.mark.parametrize(
    ("error", "ended"), [(Retry("视图"), 0), (DataError("视图"), 0), (CallError("视图"), 0), (Unreachable("断了"), 1)]
)
def test_only_a_lost_broker_ends_open_batches(tmp_path: Path, error: LidmError, ended: int) -> None:
    broken, reader = Broken(), Reader()
    gateway = made(tmp_path, broken, reader)

    def work() -> None:
        raise error

    gateway.guarded(work)
    assert (reader.closed, broken.dropped) == (ended, ended)


def test_a_fault_of_its_own_ends_it_and_is_told(tmp_path: Path) -> None:
    gateway = made(tmp_path, Broken(), Reader())
    with pytest.raises(Stop, match="ZeroDivisionError") as said:
        asyncio.run(asyncio.wait_for(serve(gateway, lambda _: None), 10))
    assert said.value.exit_code == 4
