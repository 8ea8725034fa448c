"""What is wrong with a row, said so that the department can find and mend it, without repeating what stands there."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from schemas.labels import ProblemCode

REASONS = ("原行号", "未发送原因")
REFUSALS = {
    "BAD_IDENTITY": "证件号码不能对应到人",
    **{code.value: code.label for code in ProblemCode},
}
"""What a code of intake or the gateway means."""


@dataclass(frozen=True)
class RowProblem:
    """A row that was not sent: where, why, and the shape of what stands there. `flaw`: of an identity number."""

    row: int
    column: str
    reason: str
    shown: str = ""
    code: str = "BAD_FIELD"
    flaw: str = ""

    @property
    def text(self) -> str:
        """第 12 行「证件号码」：校验位不对（9****************1）."""
        where = f"第 {self.row} 行" + (f"「{self.column}」" if self.column else "")
        return f"{where}：{self.reason}" + (f"（{self.shown}）" if self.shown else "")

    def as_json(self) -> dict[str, str | int]:
        """The same for machines."""
        return {"row": self.row, "column": self.column, "code": self.code, "reason": self.reason, "shown": self.shown}


class BadRow(ValueError):
    """Carries a RowProblem out of the reading of one row."""

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class BadRows:
    """The rows that were not sent, as the department wrote them plus row number and reason, in a file it can mend.

    The file holds what the department's own file holds, so only its owner may read it.
    """

    def __init__(self, path: Path | None, keep_bytes: int = 0) -> None:
        """`keep_bytes`: what an interrupted run had written, to be continued."""
        self.path = path
        kept = path.read_bytes()[:keep_bytes] if path is not None and keep_bytes and path.exists() else b""
        self.written = int(bool(kept))
        self._file = None if path is None else _private(path, kept)

    def bytes(self) -> int:
        """How long the file is by now, everything written."""
        if self._file is None or not self.written:
            return 0
        self._file.flush()
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR)

    def csv(self, header: Sequence[str], cells: Sequence[str], problem: RowProblem) -> None:
        """Adds a row of a table."""
        if self._file is None:
            return
        writer = csv.writer(self._file)
        width = len(header) - len(REASONS) if tuple(header[-len(REASONS) :]) == REASONS else len(header)
        if not self.written:
            writer.writerow([*header[:width], *REASONS])
        padded = [*cells[:width], *[""] * (width - len(cells))]
        writer.writerow([*padded, problem.row, f"{problem.column}：{problem.reason}"])
        self.written += 1

    def plain_csv(self, header: Sequence[str], cells: Sequence[str]) -> None:
        """Adds a row of a table as it was, under its own headings."""
        if self._file is None:
            return
        writer = csv.writer(self._file)
        if not self.written:
            writer.writerow(header)
        writer.writerow(cells)
        self.written += 1

    def line(self, line: str) -> None:
        """Adds a line of JSON as it was."""
        if self._file is not None:
            self._file.write(line.rstrip("\n") + "\n")
            self.written += 1

    def close(self) -> None:
        """Keeps the file only if there is something in it."""
        if self._file is None or self.path is None:
            return
        self._file.close()
        if not self.written:
            self.path.unlink(missing_ok=True)


def open_private(path: Path) -> BinaryIO:
    """A file for writing that only its owner may read, emptied."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    return os.fdopen(handle, "wb")


def _private(path: Path, kept: bytes) -> TextIOWrapper:
    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    file = open_private(path)
    file.write(kept)
    file.flush()  # the wrapper asks where it stands, and writes no second BOM
    return TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")


def summary(problems: Iterable[RowProblem], limit: int = 20) -> list[str]:
    """The first problems as lines."""
    return [problem.text for _, problem in zip(range(limit), problems, strict=False)]
