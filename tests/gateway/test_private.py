"""What the gateway keeps is readable by its owner only, under any umask, and where an older version made it wider."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from gateway.keys import init_keys
from gateway.private import private_database, private_folder
from lidm.gateway_service import gateway_of
from lidm.settings import Settings


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def others(path: Path) -> int:
    """What anybody else may do with it."""
    return stat.S_IMODE(path.stat().st_mode) & 0o077


@pytest.mark.usefixtures("open_umask")
def test_new_and_older_ones_are_their_owners(tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    (tmp_path / "older.sqlite").touch(0o666)
    for name in ("new", "older"):
        assert others(private_folder(tmp_path / name)) == 0
        private_database(tmp_path / f"{name}.sqlite").close()
        assert others(tmp_path / f"{name}.sqlite") == 0


@pytest.mark.usefixtures("open_umask")
def test_nothing_a_running_gateway_keeps_is_open_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    (folder / "watermarks.sqlite").touch(0o666)
    init_keys(tmp_path / "keys", synthetic=True)
    with gateway_of(Settings(data_dir=tmp_path), GatewayConfig()):
        kept = [folder, *folder.rglob("*")]
        assert {"watched.sqlite", "watermarks.sqlite"} <= {path.name for path in kept}
        assert [path.name for path in kept if others(path)] == []
