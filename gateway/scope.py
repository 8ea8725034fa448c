"""Whose facts the gateway lets pass, by the catalogue: registered people, those over a department's line, or all.

The rest is discarded here, in the civil-affairs zone, and counted. Who once came over a line stays watched for the
time a provisional household lives, so that what follows is not lost; every fact that passes lengthens that time, as it
lengthens the household's.
"""

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec

from gateway.events import Parsed
from schemas.topics import Catalogue, Over

WATCHED_DAYS = 730
_REMEMBERED = 200_000
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Watched:
    """People who came over a line, and until when they are watched for it; people known otherwise. One sqlite file."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS watched (person TEXT PRIMARY KEY, until TEXT NOT NULL)")
        self._db.execute("CREATE TABLE IF NOT EXISTS met (person TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def watch(self, person: str, day: date) -> None:
        """Watched from a fact of that day for as long as a provisional household lives."""
        until = (day + timedelta(days=WATCHED_DAYS)).isoformat()
        self._db.execute(
            "INSERT INTO watched VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET until = max(until, excluded.until)",
            (person, until),
        )

    def knows(self, person: str, day: date) -> bool:
        """Whether a fact of that day is about somebody watched."""
        row = self._db.execute("SELECT until FROM watched WHERE person = ?", (person,)).fetchone()
        return row is not None and day.isoformat() < str(row[0])

    def remember(self, persons: Collection[str]) -> None:
        """People known elsewhere than here; they are not watched for it. All or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR IGNORE INTO met VALUES (?)", ((each,) for each in persons))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def met(self, person: str) -> bool:
        """Whether somebody was ever watched or remembered, on whatever day."""
        found = "SELECT 1 FROM watched WHERE person = :who UNION ALL SELECT 1 FROM met WHERE person = :who"
        return self._db.execute(found, {"who": person}).fetchone() is not None


@dataclass
class Scope:
    """The filter of one feed. `registered`: whether the roster ever named a pseudonym."""

    feed: str
    registered: Callable[[str], bool]
    watched: Watched | None = None
    catalogue: Catalogue = field(default_factory=Catalogue.load)

    def __post_init__(self) -> None:
        self._watch = self.catalogue.scope(self.feed)
        self._over = self.catalogue.over(self.feed)
        self._known: set[str] = set()

    def __call__(self, row: Parsed) -> bool:
        """Whether a row passes."""
        if self._watch == "all":
            return True
        if row.person in self._known:
            return True
        if self.registered(row.person):  # who is not may be tomorrow: a scope lives as long as its connection
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known.add(row.person)
            return True
        day = date.fromisoformat(row.day) if row.day else date.max
        if self._watch == "over_line" and (self._over is None or over_line(self._over, _decode(row.data))):
            if self.watched is not None and row.day:
                self.watched.watch(row.person, day)
            return True
        if self.watched is None or not self.watched.knows(row.person, day):
            return False
        self.watched.watch(row.person, day)
        return True


def over_line(over: Over, data: dict[str, Any]) -> bool:
    """Whether the amounts the line names add up to it."""
    amounts = [amount for name in over.sum if isinstance(amount := data.get(name), int)]
    return sum(amounts) >= over.at_least
