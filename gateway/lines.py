"""Lines of a text file, none longer than a row may be: a file without line breaks must not fill the memory."""

import csv
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import TextIO

from schemas.errors import DataError

MAX_ROW = 1 << 20
"""Characters of one row of a CSV, line breaks inside quotes included, or bytes of one line of JSON."""
# One cell may fill its row; by itself csv refuses cells of more than 131,072 characters. Holds for the whole process.
csv.field_size_limit(MAX_ROW)


class Lines:
    """Lines of a text file for one row after another; a row longer than MAX_ROW is never held in memory."""

    def __init__(self, file: TextIO) -> None:
        self._next = partial(file.readline, MAX_ROW + 1)
        self.ahead: deque[str] = deque()
        self.room = MAX_ROW
        self.row = 1

    def read_ahead(self, count: int) -> None:
        """The first lines, to be looked at before they are read. Raises DataError for one that is too long."""
        while len(self.ahead) < count and (line := self._next()):
            if len(line) > MAX_ROW:
                raise too_long(len(self.ahead) + 1)
            self.ahead.append(line)

    def __iter__(self) -> Iterator[str]:
        while line := self.ahead.popleft() if self.ahead else self._next():
            self.room -= len(line)
            if self.room < 0:
                raise too_long(self.row)
            yield line

    def begin(self, row: int) -> None:
        """What follows belongs to this row."""
        self.room, self.row = MAX_ROW, row


def too_long(row: int) -> DataError:
    """What to raise for a row nobody wrote on purpose."""
    return DataError(
        f"第 {row} 行起的一行超过 {MAX_ROW:,} 个字符：多半是引号没有成对，或不是按行保存的文件，请检查后重新导出"
    )
