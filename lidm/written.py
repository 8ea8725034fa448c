"""Files that commands write. A place that cannot be written to is a wrong call, and says why."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from schemas.errors import CallError


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Whatever keeps this file from being written is raised as CallError."""
    try:
        yield
    except OSError as error:
        raise CallError(f"写不了文件 {path}：{error.strerror}") from error


def write_page(path: Path, text: str) -> None:
    """A page, as UTF-8. Raises CallError."""
    with named(path):
        path.write_text(text, encoding="utf-8")


def private_file(path: Path) -> TextIO:
    """A file to write that only its owner reads, with a mark that tells Excel it is UTF-8."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8-sig", newline="")
