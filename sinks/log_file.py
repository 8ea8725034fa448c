"""The archived log as one file: made once, read without a store, each partition by itself and by any process.

A zip without compression of its own, one member per generation and partition, blocks framed and zstd inside. It holds
what people are known by here (pseudonyms) and their records: it is readable by its owner only.
"""

import io
import json
import os
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import zstandard

from schemas.errors import CallError, DataError, Stop
from sinks.store import LogBlock

_FRAME = struct.Struct(">qqI")
_INDEX = "household_log.json"
_FORMAT = 1
_CHUNK = 1 << 20


class Part(NamedTuple):
    """One partition of one generation: its member in the file, and how many blocks it has."""

    member: str
    generation: str
    partition: int
    blocks: int


@dataclass(frozen=True)
class LogFile:
    """A saved log. `parts` in the order they follow each other."""

    path: Path
    parts: tuple[Part, ...]

    @property
    def partitions(self) -> int:
        """How many partitions there are: every one has ticks, so the highest number tells."""
        return max((part.partition for part in self.parts), default=-1) + 1

    @property
    def blocks(self) -> int:
        """Blocks of all partitions and generations."""
        return sum(part.blocks for part in self.parts)

    def read(self, partition: int) -> Iterator[LogBlock]:
        """A partition's blocks, generation after generation. Raises Stop where blocks are missing."""
        with zipfile.ZipFile(self.path) as whole:
            for part in self.parts:
                if part.partition == partition:
                    yield from _contiguous(part, _blocks(whole, part))


def save(path: Path, blocks: Iterable[LogBlock]) -> LogFile:
    """Writes a log, in order of generation, partition and offset; nothing is left behind when that fails.

    Raises CallError when the file cannot be written, and what reading the blocks raises.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            parts = _write(file, blocks)
        fresh.replace(path)
    except OSError as error:
        raise CallError(f"写不了文件 {path}：{error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
    return LogFile(path, parts)


def open_log(path: Path) -> LogFile:
    """A log that was saved. Raises CallError when there is no such file, DataError when it is none of ours."""
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    try:
        with zipfile.ZipFile(path) as whole:
            index = json.loads(whole.read(_INDEX))
        if index["format"] != _FORMAT:
            raise DataError(f"{path} 是另一版本的台账日志文件，请用同一版本的程序重新保存")
        return LogFile(path, tuple(Part(*each) for each in index["parts"]))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{path} 不是 lidm store save-log 保存的台账日志文件") from error


def _write(file: io.BufferedWriter, blocks: Iterable[LogBlock]) -> tuple[Part, ...]:
    parts: list[Part] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as whole:
        for (generation, partition), own in groupby(blocks, key=_place):
            member, count = f"{len(parts):06d}", 0
            with (
                whole.open(member, "w", force_zip64=True) as raw,
                zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False) as packed,
            ):
                for block in own:
                    packed.write(_FRAME.pack(block.offset, block.known_at, len(block.block)) + block.block)
                    count += 1
            parts.append(Part(member, generation, partition, count))
        whole.writestr(_INDEX, json.dumps({"format": _FORMAT, "parts": parts}, ensure_ascii=False))
    return tuple(parts)


def _place(block: LogBlock) -> tuple[str, int]:
    return block.generation, block.partition


def _blocks(whole: zipfile.ZipFile, part: Part) -> Iterator[LogBlock]:
    with whole.open(part.member) as raw:
        unpacked = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw), _CHUNK)
        while head := unpacked.read(_FRAME.size):
            offset, known_at, size = _FRAME.unpack(head)
            yield LogBlock(part.generation, part.partition, offset, known_at, unpacked.read(size))


def _contiguous(part: Part, blocks: Iterable[LogBlock]) -> Iterator[LogBlock]:
    """These blocks. Raises Stop unless they begin at 0 and none is missing: a part of a log gives no ledger."""
    found = 0
    for found, block in enumerate(blocks, 1):
        if block.offset != found - 1:
            raise _incomplete(part, f"缺少{found - 1}至{block.offset - 1}号消息")
        yield block
    if found != part.blocks:
        raise _incomplete(part, f"应有{part.blocks}条，只有{found}条")


def _incomplete(part: Part, what: str) -> Stop:
    return Stop(f"台账日志不完整：{part.generation}代分区{part.partition}{what}")
