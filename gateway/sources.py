"""Whose rows these are: the source that a whole batch speaks of (decision 0023)."""

import hashlib
from functools import cache

from gateway.events import BatchPlan
from schemas.errors import CallError
from schemas.feed import FEEDS
from schemas.topics import Catalogue


def source_of(kind: str, sender: str = "") -> str:
    """The CloudEvents source of rows that came through the gateway without naming their own.

    Of a feed of several producers each sender has its own: a whole batch speaks of the rows of its source.
    """
    named = f"urn:lidm:gateway:{kind}"
    if not sender or not _catalogue().cadence(kind).several:
        return named
    return f"{named}:{hashlib.sha256(sender.encode()).hexdigest()[:8]}"


def source_for(kind: str, batch: BatchPlan | None, source: str | None) -> str:
    """The source of rows, and of a batch, that somebody publishes without the gateway's ways in.

    A batch of a feed of several producers names its own source: shared, it would replace what others sent and close
    their months. Raises CallError where it does not.
    """
    if source:
        return source
    if batch is not None and _catalogue().cadence(kind).several:
        raise CallError(
            f"{FEEDS[kind].title}由几家单位报送：成批发布须写明本单位的来源标识（--source，如 urn:lidm:339901:某局），"
            "每次相同；不写会替换别家的记录、替别家关闭所属期"
        )
    return source_of(kind)


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load()
