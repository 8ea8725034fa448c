"""Batches by their numbers: those open, and those done with, so that what is said of them again changes nothing.

A number names one delivery within its feed, source and period. The same delivery may come any number of times; another
one under a number that is used changes nothing either, and can be told from it.
"""

from typing import NamedTuple

import msgspec

from households.holding import Batch, Numbered, digest_of, name_of
from schemas.records import BatchBegunBody, BatchCountBody, BatchPartBody

_KEPT_DONE = 4096
_KEPT_OPEN = 1024


class _Done(NamedTuple):
    """What a batch said that is done with: digest of areas and mode, when its first and last partition began."""

    said: int
    first: int
    last: int


class Numbers(msgspec.Struct, array_like=True):
    """Batches of a partition, oldest first."""

    open: dict[str, Batch] = {}
    done: dict[str, _Done] = {}

    def known(self, body: Numbered) -> Batch | None:
        """The open batch of this number."""
        return self.open.get(name_of(body))

    def take(self, body: BatchPartBody | BatchBegunBody | BatchCountBody) -> Batch | None:
        """The open batch, made when nothing was known of it; None when it is done with."""
        name = name_of(body)
        if name in self.done:
            return None
        batch = self.open.get(name)
        if batch is None:
            batch = self.open[name] = Batch(body.feed, body.batchid, body.of, body.source, body.period)
        return batch

    def give_up(self) -> list[Batch]:
        """Begun and never ended, too many of them: the oldest, but none that waits for somebody, and not the newest."""
        excess = len(self.open) - _KEPT_OPEN
        if excess <= 0:
            return []
        names = [name for name, batch in list(self.open.items())[:-1] if not batch.held]
        return [self.open.pop(name) for name in names[:excess]]

    def finish(self, batch: Batch) -> None:
        """The batch is done with; whatever is said of it afterwards changes nothing."""
        name = name_of(batch)
        del self.open[name]
        self.done[name] = _done(batch)
        if len(self.done) > _KEPT_DONE:
            del self.done[next(iter(self.done))]

    def reuses(self, body: BatchPartBody) -> bool:
        """Whether a part belongs to another delivery than the one known under its number."""
        batch, done = self.known(body), self.done.get(name_of(body))
        if done is None and batch is not None and batch.complete and batch.judged:
            done = _done(batch)
        if done is None:
            return False
        return done.said != digest_of(body.areas, body.mode) or not done.first <= body.begun_ms <= done.last


def _done(batch: Batch) -> _Done:
    _, areas, mode = batch.said or ("", (), "")
    return _Done(digest_of(areas, mode), min(batch.parts.values(), default=0), max(batch.parts.values(), default=0))
