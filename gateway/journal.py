"""What was sent of a file and how far, kept on disk, so that a second run goes on where the first one died.

One journal per thing said: feed, source, period, areas and mode (or the file's name where no period is declared). It
holds counts, offsets and digests, no identity number. Beside it lies the index of rows last sent, as keyed digests.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from gateway.arrived import Standing
from gateway.events import BatchPlan
from schemas.errors import DataError

_SUFFIXES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".xlsm"}
State = Literal["sending", "open", "sent"]
Offsets = list[tuple[int, int]]
"""First and last offset per partition; (-1, -1) where nothing was sent."""


class Progress(msgspec.Struct, kw_only=True):
    """How far a run came; everything up to `row` is delivered or refused. `file`: its kind, never its name.

    `cluster`: where it was delivered to; "" where the broker did not tell.
    """

    feed: str
    file: str
    file_digest: str
    mapping_digest: str | None
    batchid: str | None
    recorded: str
    cluster: str = ""
    state: State = "sending"
    begun: bool = False
    row: int = 0
    read: int = 0
    bad: int = 0
    left_out: int = 0
    messages: int = 0
    bytes: int = 0
    rows: list[int] = []
    offsets: Offsets = []
    bad_bytes: int = 0
    index_bytes: int = 0

    def lies_in(self, there: Standing) -> bool:
        """Whether what was delivered is, or once was, in the topic as it stands now; before that nothing was."""
        if self.cluster and there.cluster and self.cluster != there.cluster:
            return False
        if not self.offsets:
            return True
        return len(self.offsets) == len(there.ends) and all(
            last < end for (_, last), end in zip(self.offsets, there.ends, strict=True)
        )


@dataclass(frozen=True)
class Journal:
    """The journal of one thing said; written whole or not at all."""

    path: Path

    @classmethod
    def of(cls, folder: Path, feed: str, source: str, plan: BatchPlan | None, file: Path) -> "Journal":
        """The journal under a folder."""
        parts = (plan.period, plan.mode, *plan.areas) if plan else ("", file.name)
        name = hashlib.sha256("|".join((feed, source, *parts)).encode()).hexdigest()[:20]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder / f"{feed}.{plan.period if plan else 'loose'}.{name}.json")

    @property
    def index(self) -> Path:
        """The rows of the last complete sending."""
        return self.path.with_suffix(".rows")

    @property
    def next_index(self) -> Path:
        """The rows of the sending under way."""
        return self.path.with_suffix(".rows.new")

    def read(self) -> Progress | None:
        """What the last run left. Raises DataError when it cannot be read."""
        if not self.path.exists():
            return None
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Progress)
        except msgspec.MsgspecError as error:
            raise DataError(f"发布记录 {self.path} 已损坏：删去后将整批重发（重发不会重复计数）") from error

    def write(self, progress: Progress) -> None:
        """Replaces the journal; a crash leaves the old one or the new one."""
        fresh = self.path.with_suffix(".json.new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(progress))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kind_of(path: Path) -> str:
    """The suffix of a file, where it is one: the rest of the name may be a person's, or a number."""
    suffix = path.suffix.lower()
    return suffix if suffix in _SUFFIXES else ""
