"""Which rows of a file are new, changed or gone against the file sent before, in 20 bytes a row.

A row is remembered by a digest of whose fact it is and under which key, a digest of what it says, and its number.
"""

import struct
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import nsmallest
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final

from gateway.problems import open_private

_ENTRY: Final = struct.Struct(">8sI8s")
_CONTENT: Final = 12
_SIZE: Final = _ENTRY.size
_SHOWN: Final = 20


@dataclass
class Difference:
    """Counts of rows, and the numbers of the first ones; `gone` are numbers in the file sent before."""

    before: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    new_rows: list[int] = field(default_factory=list)
    changed_rows: list[int] = field(default_factory=list)
    gone_rows: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(self.__dict__)

    @property
    def text(self) -> str:
        """One sentence for people."""
        parts = (("新增", self.new, self.new_rows), ("改变", self.changed, self.changed_rows))
        said = [f"{word} {count:,} 行{_at(rows)}" for word, count, rows in parts]
        said.append(f"上次有而这次没有 {self.gone:,} 行{_at(self.gone_rows, '上次')}")
        return f"与上次发布的 {self.before:,} 行相比：{'，'.join(said)}，未变 {self.unchanged:,} 行"


def _at(rows: list[int], which: str = "") -> str:
    return f"（{which}第 {'、'.join(map(str, rows[:5]))} 行{'等' if len(rows) > 5 else ''}）" if rows else ""


class RowIndex:
    """Writes the index of the rows being sent and compares them with the rows sent before, if there were any."""

    def __init__(self, path: Path, before: Path, keep_bytes: int = 0) -> None:
        """`keep_bytes`: what an interrupted run had written and delivered."""
        self._before = before.read_bytes() if before.exists() else None
        self._count = len(self._before) // _SIZE if self._before else 0
        self._met = bytearray(self._count)
        self.difference = Difference(before=self._count) if self._before is not None else None
        kept = path.read_bytes()[:keep_bytes] if keep_bytes and path.exists() else b""
        self._path = path
        self._file: BinaryIO = open_private(path)
        self._file.write(kept)
        self.bytes = len(kept)
        for who, row, content in _ENTRY.iter_unpack(kept):
            self._compare(who, content, row)

    def add(self, person: str, key: str, content: bytes, row: int) -> None:
        """Remembers one row that is sent."""
        who = blake2b(f"{person}|{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        said = blake2b(content, digest_size=8).digest()
        self._file.write(_ENTRY.pack(who, row, said))
        self.bytes += _SIZE
        self._compare(who, said, row)

    def _compare(self, who: bytes, content: bytes, row: int) -> None:
        difference = self.difference
        if difference is None or self._before is None:
            return
        at = self._find(who)
        if at is None:
            difference.new += 1
            _note(difference.new_rows, row)
            return
        self._met[at] = 1
        if self._before[at * _SIZE + _CONTENT : (at + 1) * _SIZE] == content:
            difference.unchanged += 1
        else:
            difference.changed += 1
            _note(difference.changed_rows, row)

    def _find(self, who: bytes) -> int | None:
        before = self._before or b""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if before[middle * _SIZE : middle * _SIZE + 8] < who:
                low = middle + 1
            else:
                high = middle
        return low if low < self._count and before[low * _SIZE : low * _SIZE + 8] == who else None

    def flush(self) -> None:
        """What was added so far survives a crash of this process."""
        self._file.flush()

    def close(self) -> None:
        """Stops writing."""
        self._file.close()

    def finish(self, become: Path) -> Difference | None:
        """The index replaces the one before; the last row of a key counts. Returns the difference."""
        self._file.close()
        raw = self._path.read_bytes()
        entries = sorted(raw[at : at + _SIZE] for at in range(0, len(raw), _SIZE))
        with open_private(self._path) as file:
            for entry, following in pairwise([*entries, b""]):
                if entry[:8] != following[:8]:
                    file.write(entry)
        self._path.replace(become)
        difference = self.difference
        if difference is not None and self._before is not None:
            gone = [at for at in range(self._count) if not self._met[at]]
            rows = (_ENTRY.unpack_from(self._before, at * _SIZE)[1] for at in gone)
            difference.gone, difference.gone_rows = len(gone), nsmallest(_SHOWN, rows)
        return difference


def _note(rows: list[int], row: int) -> None:
    if len(rows) < _SHOWN:
        rows.append(row)
