"""The vault: the only place that knows who somebody is. Values lie encrypted; every opening is logged before it shows.

One sqlite file, 0600. A person's identity is one AES-GCM value under the vault key with the pseudonym as associated
data, so that values cannot be swapped. Openings form a chain of digests and can be added to, never changed.
Who reads is never held up by who writes; a second writer waits, and is told to come back when that lasts too long.
"""

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from gateway.identities import RESIDENT, plain_name
from gateway.private import private_database
from schemas.errors import CallError, DataError, Retry

_SCHEMA = """
CREATE TABLE IF NOT EXISTS persons (person TEXT PRIMARY KEY, sealed BLOB NOT NULL, written_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS households (
  household TEXT NOT NULL, person TEXT NOT NULL, head INTEGER NOT NULL, until TEXT,
  PRIMARY KEY (household, person)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS aliases (
  alias TEXT PRIMARY KEY, first TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (
  person TEXT NOT NULL, digest TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (person, digest)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS aliases_of ON aliases (first);
CREATE INDEX IF NOT EXISTS homes_of ON households (person);
CREATE TABLE IF NOT EXISTS openings (
  n INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, purpose TEXT NOT NULL,
  case_id TEXT NOT NULL, person TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS openings_stay BEFORE UPDATE ON openings BEGIN SELECT RAISE(ABORT, 'openings stay'); END;
CREATE TRIGGER IF NOT EXISTS openings_kept BEFORE DELETE ON openings BEGIN SELECT RAISE(ABORT, 'openings stay'); END;
"""


class Identity(msgspec.Struct, frozen=True):
    """Who somebody is and where to reach them. Lives in the vault and on the screen of who opened it, nowhere else."""

    name: str
    number: str
    phones: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Identity(…)"


class Entry(msgspec.Struct, frozen=True):
    """An identity as the roster states it, with the pseudonyms it belongs to; `until` as in the roster, ISO."""

    person: str
    household: str
    head: bool
    identity: Identity
    until: str | None = None
    id_type: str = RESIDENT


class Document(msgspec.Struct, frozen=True):
    """One number a person has been known by. Opened only to replace the linkage key."""

    person: str
    id_type: str
    number: str

    def __repr__(self) -> str:
        return "Document(…)"


class Opening(msgspec.Struct, frozen=True):
    """One look into the vault: who, why, for which case, when, about whom."""

    n: int
    at_ms: int
    actor: str
    purpose: str
    case_id: str
    person: str
    previous: str
    digest: str


class Vault:
    """Identities under one key; a context manager. Wrong key or damaged value: DataError. Somebody writes: Retry."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Opens or creates the file. Needs the extra `gateway`."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)
        self._digest_key = hmac.digest(key, b"lidm vault numbers", "sha256")
        self._db = private_database(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Releases the file."""
        self._db.close()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is written inside is written together, or not at all."""
        with self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._begin()
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _begin(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise Retry("身份库正在被写入（如名册入库），请稍后再试") from error

    def write(self, entries: Iterable[Entry], at_ms: int) -> frozenset[str]:
        """Stores or replaces identities, all or none. Returns the persons who were known under another name."""
        renamed = set()
        with self._transaction():
            for entry in entries:
                old = self._identity(entry.person)
                if old is not None and plain_name(old.name) != plain_name(entry.identity.name):
                    renamed.add(entry.person)
                self._db.execute(
                    "INSERT OR REPLACE INTO persons VALUES (?, ?, ?)",
                    (entry.person, self._seal(entry.person, entry.identity), at_ms),
                )
                self._number(Document(entry.person, entry.id_type, entry.identity.number))
                self._db.execute(
                    "INSERT OR REPLACE INTO households VALUES (?, ?, ?, ?)",
                    (entry.household, entry.person, int(entry.head), entry.until),
                )
        return frozenset(renamed)

    def knows(self, person: str) -> bool:
        """Whether the roster ever named this person."""
        return self._db.execute("SELECT 1 FROM persons WHERE person = ?", (person,)).fetchone() is not None

    def holds(self, pseudonym: str) -> bool:
        """Whether a person is known here by a pseudonym, the first or a later one."""
        found = "SELECT 1 FROM persons WHERE person = :name UNION ALL SELECT 1 FROM aliases WHERE alias = :name"
        return self._db.execute(found, {"name": pseudonym}).fetchone() is not None

    def numbered(self, person: str) -> bool:
        """Whether any number of a person is kept here; who is known by facts alone has none."""
        return self._db.execute("SELECT 1 FROM numbers WHERE person = ?", (person,)).fetchone() is not None

    def alias(self, alias: str, first: str, *, why: str, at_ms: int) -> str:
        """From now on `alias` means whoever `first` means; returns the pseudonym first known, of person or household.

        Raises DataError where that would make two people one that both have a history.
        """
        first = self.first(first)
        if alias == first:
            return first
        known = self.first(alias)
        if known not in (alias, first):
            raise DataError("这个代码已对应到另一个人或户，不能改指")
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?)", (alias, first, why, at_ms))
            self._db.execute("UPDATE aliases SET first = ? WHERE first = ?", (first, alias))
            self._db.execute("UPDATE OR IGNORE households SET person = ? WHERE person = ?", (first, alias))
            self._db.execute("DELETE FROM households WHERE person = ?", (alias,))
        return first

    def remember(self, documents: Iterable[Document]) -> None:
        """Keeps numbers people have been known by, sealed like everything else."""
        with self._transaction():
            for document in documents:
                self._number(document)

    def documents(self, *, actor: str, purpose: str, at_ms: int) -> Iterator[Document]:
        """Every number anybody has been known by. One opening of everything, logged before the first is read."""
        self.note(["*"], actor=actor, purpose=purpose, at_ms=at_ms)
        rows = self._db.execute("SELECT person, sealed FROM numbers ORDER BY person, digest").fetchall()
        return (msgspec.msgpack.decode(self._plain(person, sealed), type=Document) for person, sealed in rows)

    def first(self, pseudonym: str) -> str:
        """The pseudonym under which this person or household was first known."""
        row = self._db.execute("SELECT first FROM aliases WHERE alias = ?", (pseudonym,)).fetchone()
        return pseudonym if row is None else str(row[0])

    def aliases(self) -> dict[str, str]:
        """Every later pseudonym and the first one."""
        return {str(alias): str(first) for alias, first in self._db.execute("SELECT alias, first FROM aliases")}

    def called(self, first: str) -> list[str]:
        """Every later pseudonym of one person or household."""
        rows = self._db.execute("SELECT alias FROM aliases WHERE first = ? ORDER BY alias", (first,))
        return [str(row[0]) for row in rows]

    def households(self) -> list[str]:
        """Every household the roster ever named."""
        return [str(row[0]) for row in self._db.execute("SELECT DISTINCT household FROM households ORDER BY household")]

    def members(self, household: str, on: date | None = None) -> list[str]:
        """Persons the roster placed in a household (on a day, or ever), the head first. Nothing is opened."""
        rows = self._db.execute(
            "SELECT person FROM households WHERE household = ? AND coalesce(until, '9999') > ?"
            " ORDER BY head DESC, until IS NOT NULL, person",
            (household, on.isoformat() if on else ""),
        )
        return [str(row[0]) for row in rows]

    def homes(self, person: str) -> frozenset[str]:
        """Households the roster ever placed a person in."""
        rows = self._db.execute("SELECT household FROM households WHERE person = ?", (person,))
        return frozenset(str(row[0]) for row in rows)

    def open(self, person: str, *, actor: str, purpose: str, case_id: str, at_ms: int) -> Identity | None:
        """The identity of a person, None when unknown. The opening is on disk before anything is decrypted."""
        if not purpose.strip() or not actor.strip():
            raise CallError("打开身份信息须写明经办人和用途")
        self._log(person, actor=actor, purpose=purpose, case_id=case_id, at_ms=at_ms)
        return self._identity(person)

    def note(self, whats: Iterable[str], *, actor: str, purpose: str, at_ms: int) -> None:
        """Logs that something else sealed is about to be opened (a dead letter), in the same chain of openings."""
        if not purpose.strip() or not actor.strip():
            raise CallError("打开密封内容须写明经办人和理由")
        for what in whats:
            self._log(what, actor=actor, purpose=purpose, case_id="", at_ms=at_ms)

    def openings(self, case_id: str | None = None) -> list[Opening]:
        """The log of openings, oldest first, of one case or of all."""
        rows = self._db.execute("SELECT * FROM openings WHERE ? IS NULL OR case_id = ? ORDER BY n", (case_id, case_id))
        return [Opening(*row) for row in rows]

    def verify(self) -> int | None:
        """Number of the first opening that does not follow from the one before, None when the chain is whole."""
        previous = ""
        for opening in self.openings():
            if opening.previous != previous or opening.digest != _digest_of(opening):
                return opening.n
            previous = opening.digest
        return None

    def _log(self, person: str, *, actor: str, purpose: str, case_id: str, at_ms: int) -> None:
        with self._transaction():
            row = self._db.execute("SELECT digest FROM openings ORDER BY n DESC LIMIT 1").fetchone()
            opening = Opening(0, at_ms, actor, purpose, case_id, person, row[0] if row else "", "")
            self._db.execute(
                "INSERT INTO openings (at_ms, actor, purpose, case_id, person, previous, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (at_ms, actor, purpose, case_id, person, opening.previous, _digest_of(opening)),
            )

    def _number(self, document: Document) -> None:
        text = f"{document.id_type}:{document.number}".encode()
        digest = hmac.digest(self._digest_key, text, "sha256").hex()[:32]
        sealed = self._seal(document.person, document)
        self._db.execute("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", (document.person, digest, sealed))

    def _seal(self, person: str, content: Identity | Document) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, msgspec.msgpack.encode(content), person.encode())

    def _identity(self, person: str) -> Identity | None:
        row = self._db.execute("SELECT sealed FROM persons WHERE person = ?", (person,)).fetchone()
        return None if row is None else msgspec.msgpack.decode(self._plain(person, row[0]), type=Identity)

    def _plain(self, person: str, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], person.encode())
        except InvalidTag as error:
            raise DataError("身份库密钥不符或内容已损坏") from error


def _digest_of(opening: Opening) -> str:
    parts = (opening.at_ms, opening.actor, opening.purpose, opening.case_id, opening.person, opening.previous)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
