"""What departments sent, kept sealed for some days and then deleted: only the private key opens it, with a reason.

A file is sealed in pieces under the gateway's public key; the place of each piece is bound to it, so that none can be
left out, repeated or exchanged.
"""

import os
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from gateway.private import private_folder
from schemas.errors import DataError
from schemas.sealing import SealBroken, open_sealed, seal

PIECE_BYTES = 1_000_000
SUFFIX = ".sealed"
UNFINISHED = ".tmp"
_STAMP = "%Y%m%dT%H%M%S"


class Keeping:
    """A folder of sealed files, each named by when it came."""

    def __init__(self, folder: Path, public_key: bytes, *, days: int) -> None:
        """`days`: how long each is kept."""
        self._folder, self._public, self._days = private_folder(folder), public_key, days

    def keep(self, path: Path, name: str, now: datetime) -> Path:
        """Seals a copy. `name` must hold no identity: the caller made it."""
        kept = self._folder / f"{now.strftime(_STAMP)}-{name}{SUFFIX}"
        handle = os.open(kept.with_suffix(UNFINISHED), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out, path.open("rb") as file:
            piece, number = file.read(PIECE_BYTES), 0
            while True:
                following = file.read(PIECE_BYTES)
                sealed = seal(self._public, piece, aad=_place(kept.name, number, last=not following))
                out.write(struct.pack(">I", len(sealed)) + sealed)
                if not following:
                    break
                piece, number = following, number + 1
        kept.with_suffix(UNFINISHED).replace(kept)
        return kept

    def sweep(self, now: datetime) -> list[str]:
        """Deletes what has been kept long enough, and what a killed run left half sealed; the names of what went.

        Nothing may be being kept meanwhile.
        """
        gone = []
        for path in sorted(self._folder.glob(f"*{UNFINISHED}")):
            path.unlink()
            gone.append(path.name)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            came = _came(path.name)
            if came is not None and now.replace(tzinfo=None) - came >= timedelta(days=self._days):
                path.unlink()
                gone.append(path.name)
        return gone

    def holds(self, name: str) -> bool:
        """Whether a copy of that name is kept now."""
        return any(path.name.split("-", 1)[1] == f"{name}{SUFFIX}" for path in self._folder.glob(f"*-{name}{SUFFIX}"))

    def names(self) -> list[str]:
        """What is kept now, oldest first."""
        return sorted(path.name for path in self._folder.glob(f"*{SUFFIX}"))

    def path(self, name: str) -> Path:
        """Where a kept file lies. Raises DataError for anything else."""
        if name not in self.names():
            raise DataError(f"没有保存这个文件（或已到期删除）：{name}")
        return self._folder / name


def opened(path: Path, private_key: bytes) -> Iterator[bytes]:
    """The pieces of a kept file. Raises DataError when it is damaged, cut, or sealed for another key."""
    with path.open("rb") as file:
        number, head = 0, file.read(4)
        while head:
            sealed = file.read(struct.unpack(">I", head)[0]) if len(head) == 4 else b""
            head = file.read(4)
            try:
                yield open_sealed(private_key, sealed, aad=_place(path.name, number, last=not head))
            except SealBroken as error:
                raise DataError(f"打不开 {path.name}：不是为本密钥密封，或已损坏") from error
            number += 1


def _place(name: str, number: int, *, last: bool) -> bytes:
    return f"{name}|{number}|{int(last)}".encode()


def _came(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.split("-", 1)[0], _STAMP)
    except ValueError:
        return None
