"""A saved log gives back what was saved, partition by partition, and refuses what is no whole log."""

import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import CallError, DataError, Stop
from sinks.log_file import open_log, save
from sinks.store import LogBlock

BLOCKS = [
    LogBlock(generation, partition, offset, 1_773_000_000_000 + offset, os.urandom(offset * 37))
    for generation in ("g1", "代/二")
    for partition in (0, 2)
    for offset in range(120)
]


def test_every_block_comes_back_in_order(tmp_path: Path) -> None:
    kept = save(tmp_path / "log", iter(BLOCKS))
    assert open_log(kept.path) == kept
    assert (kept.partitions, kept.blocks) == (3, len(BLOCKS))
    for partition in range(3):
        assert list(kept.read(partition)) == [each for each in BLOCKS if each.partition == partition]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    kept = save(tmp_path / "log", BLOCKS)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["log"]


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    kept = save(tmp_path / "log", BLOCKS[:10])

    def breaking() -> Iterator[LogBlock]:
        yield from BLOCKS[:50]
        raise Stop("归档断了")

    with pytest.raises(Stop):
        save(kept.path, breaking())
    assert open_log(kept.path) == kept
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("left_out", "said"), [((0,), "缺少0至0号"), ((5, 6), "缺少5至6号")])
def test_a_gap_stops_the_reading(tmp_path: Path, left_out: tuple[int, ...], said: str) -> None:
    kept = save(tmp_path / "log", [each for each in BLOCKS if each.offset not in left_out])
    with pytest.raises(Stop, match=said):
        list(kept.read(0))


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    other, foreign = tmp_path / "a.txt", tmp_path / "b.zip"
    other.write_text("x")
    with zipfile.ZipFile(foreign, "w") as file:
        file.writestr("x", "y")
    for path in (other, foreign):
        with pytest.raises(DataError, match="不是 lidm store save-log 保存的"):
            open_log(path)
    with pytest.raises(CallError, match="没有这个文件"):
        open_log(tmp_path / "none")
    with pytest.raises(CallError, match="写不了文件"):
        save(tmp_path / "none" / "log", BLOCKS)
