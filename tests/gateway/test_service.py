"""The running gateway recovers by itself: a broken connection is let go, files of a killed run do not stay."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from gateway.config import GatewayConfig
from gateway.inbox import Inbox
from gateway.watched import WatchedFolder
from lidm.gateway_service import Gateway, Way
from schemas.errors import Unreachable

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


def made(folder: Path, inbox: Broken) -> Gateway:
    lock, config = threading.Lock(), GatewayConfig(folder=folder)
    settings: Any = SimpleNamespace()
    way, marks = cast(Way, inbox), cast(Any, None)
    return Gateway(settings, config, cast(Inbox, inbox), way, marks, folder, None, lock)


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
    left = ["uploads/tmpa.csv", "pulled/tmpb.csv", "receipts/tmpc/x.bad.csv"]
    for name in [*left, "receipts/r.json"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    gateway.sweep()
    assert [name for name in left if (tmp_path / name).exists()] == ["uploads/tmpa.csv"]
    gateway.sweep(upload_seconds=-1)
    assert not any((tmp_path / name).exists() for name in left)
    assert (tmp_path / "receipts/r.json").exists()
