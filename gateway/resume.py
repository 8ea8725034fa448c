"""Keeps a publication's progress: whether this very file was sent before, where a killed run stopped, what differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.arrived import Arrived, Standing
from gateway.courier import Courier
from gateway.difference import Difference, RowIndex
from gateway.events import BatchPlan
from gateway.journal import Journal, Progress, digest_of, kind_of
from gateway.mapping import Mapping
from gateway.problems import BadRows

EVERY_ROWS: Final = 20_000


@dataclass(frozen=True)
class Keeping:
    """Where progress is kept. `arrived` counts what a killed run delivered; `again` sends a file though unchanged;
    `standing` tells which broker it is and how far a topic goes: what another one got, this one lacks."""

    folder: Path
    arrived: Arrived | None = None
    again: bool = False
    every_rows: int = EVERY_ROWS
    standing: Callable[[str], Standing] | None = None


class Keeper:
    """The journal of one publication under way."""

    def __init__(self, keeping: Keeping, journal: Journal, progress: Progress, before: Progress | None) -> None:
        self._keeping, self._journal, self.progress = keeping, journal, progress
        self.resumed = before is not None and progress is before
        self.resumed_at = progress.row if self.resumed else None
        self._index: RowIndex | None = None
        self._since = 0

    @classmethod
    def of(
        cls,
        keeping: Keeping,
        path: Path,
        feed: str,
        source: str,
        plan: BatchPlan | None,
        mapping: Mapping | None,
        recorded: datetime,
        topic: str,
    ) -> "Keeper":
        """The journal of this thing said, resumed where it tells of the same file unfinished, in the same broker."""
        journal = Journal.of(keeping.folder, feed, source, plan, path)
        before = journal.read()
        digest, mapped = digest_of(path), mapping.digest if mapping else None
        same = before is not None and (before.file_digest, before.mapping_digest) == (digest, mapped)
        named = plan is None or plan.batchid is None or (before is not None and before.batchid == plan.batchid)
        dead = before is not None and before.state == "sending"
        done = before is not None and before.state == "sent" and not keeping.again
        there = keeping.standing(topic) if keeping.standing is not None else None
        here = before is not None and (there is None or before.lies_in(there))
        if before is not None and same and named and here and (dead or done):
            return cls(keeping, journal, before, before)
        batchid = plan.named(source, feed, recorded) if plan else None
        fresh = Progress(
            feed=feed,
            file=kind_of(path),
            file_digest=digest,
            mapping_digest=mapped,
            batchid=batchid,
            recorded=recorded.isoformat(),
            cluster=there.cluster if there is not None else "",
        )
        return cls(keeping, journal, fresh, None)

    @property
    def unchanged(self) -> bool:
        """Whether this very file was sent and closed before."""
        return self.resumed and self.progress.state == "sent"

    @property
    def recorded(self) -> datetime:
        """The time of recording: that of the first run."""
        return datetime.fromisoformat(self.progress.recorded)

    def start(self, courier: Courier, topic: str) -> None:
        """Opens the batch, or goes on with it."""
        progress, journal = self.progress, self._journal
        self._index = RowIndex(journal.next_index, journal.index, progress.index_bytes if self.resumed else 0)
        if self.resumed and progress.begun:
            courier.resume(progress, self._arrived(topic))
            return
        journal.write(progress)
        courier.begin()
        courier.settle(progress)
        progress.begun = True
        journal.write(progress)

    def _arrived(self, topic: str) -> Sequence[tuple[int, bool]]:
        progress = self.progress
        if self._keeping.arrived is None or progress.batchid is None:
            return [(0, False)] * len(progress.rows)
        last = [last for _, last in progress.offsets]
        found = self._keeping.arrived(topic, progress.batchid, last)
        # Where no offset was known, the count began at the beginning and holds what the journal knows too.
        return [
            (rows - (known if after < 0 else 0), ended)
            for (rows, ended), known, after in zip(found, progress.rows, last, strict=True)
        ]

    def note(self, person: str, key: str, content: bytes, row: int) -> None:
        """One row on its way."""
        if self._index is not None:
            self._index.add(person, key, content, row)
            self._since += 1

    @property
    def due(self) -> bool:
        """Whether it is time to write down how far the run came."""
        return self._since >= self._keeping.every_rows

    def save(self, courier: Courier, bad: BadRows, *, row: int, read: int, refused: int, left_out: int) -> None:
        """Everything up to `row` is delivered and noted."""
        progress = self.progress
        courier.settle(progress)
        progress.row, progress.read, progress.bad, progress.left_out = row, read, refused, left_out
        progress.bad_bytes = bad.bytes()
        if self._index is not None:
            self._index.flush()
            progress.index_bytes = self._index.bytes
        self._journal.write(progress)
        self._since = 0

    def finish(self, *, complete: bool) -> Difference | None:
        """The file is sent; `complete`: nothing of it is missing, so sending it again would change nothing."""
        self.progress.state = "sent" if complete else "open"
        self._journal.write(self.progress)
        return self._index.finish(self._journal.index) if self._index is not None else None

    def close(self) -> None:
        """Stops writing, whatever happened."""
        if self._index is not None:
            self._index.close()
