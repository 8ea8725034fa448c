"""Reconciliations kept, and who signed for which district: one sqlite file, signatures are added and never changed."""

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateway.private import private_database
from gateway.reconcile import Reconciled
from schemas.errors import CallError, DataError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  run TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, on_day TEXT NOT NULL, export TEXT NOT NULL, actor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS districts (
  run TEXT NOT NULL, area TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (run, area));
CREATE TABLE IF NOT EXISTS differences (
  run TEXT NOT NULL, n INTEGER NOT NULL, said TEXT NOT NULL, PRIMARY KEY (run, n));
CREATE TABLE IF NOT EXISTS signatures (
  n INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, area TEXT NOT NULL, signer TEXT NOT NULL, note TEXT NOT NULL,
  at_ms INTEGER NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL, UNIQUE (run, area));
CREATE TRIGGER IF NOT EXISTS signed_stays BEFORE UPDATE ON signatures BEGIN SELECT RAISE(ABORT, 'signed'); END;
CREATE TRIGGER IF NOT EXISTS signed_kept BEFORE DELETE ON signatures BEGIN SELECT RAISE(ABORT, 'signed'); END;
"""


@dataclass(frozen=True)
class Signature:
    """A district answers for one reconciliation."""

    run: str
    area: str
    signer: str
    note: str
    at_ms: int
    digest: str


class Signoffs:
    """The file; a context manager."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it, readable by its owner only."""
        self._db = private_database(path)
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._db.close()

    def keep(self, found: Reconciled, export: Path, *, actor: str, at_ms: int) -> str:
        """Keeps a reconciliation and returns its name; the same export on the same day keeps its name."""
        digest = hashlib.sha256(export.read_bytes()).hexdigest()
        content = json.dumps([each.as_json() for each in found.differences], sort_keys=True, default=str)
        whole = hashlib.sha256(f"{digest}|{found.on}|{content}".encode()).hexdigest()
        run = f"{found.on:%Y%m%d}-{whole[:8]}"
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?)", (run, at_ms, str(found.on), digest, actor)
        )
        for district in found.districts:
            said = json.dumps(district.as_json())
            self._db.execute("INSERT OR IGNORE INTO districts VALUES (?, ?, ?)", (run, district.area, said))
        for n, difference in enumerate(found.differences, 1):
            said = json.dumps(difference.as_json(), ensure_ascii=False)
            self._db.execute("INSERT OR IGNORE INTO differences VALUES (?, ?, ?)", (run, n, said))
        self._db.execute("COMMIT")
        return run

    def sign(self, run: str, area: str, *, signer: str, note: str, at_ms: int) -> Signature:
        """A district signs once. Below the limit it must say why. Raises CallError and DataError."""
        row = self._db.execute("SELECT said FROM districts WHERE run = ? AND area = ?", (run, area)).fetchone()
        if row is None:
            raise DataError(f"没有这次核对，或其中没有地区 {area}：{run}")
        if not signer.strip():
            raise CallError("签字须写明签字人")
        if json.loads(row[0])["red"] and not note.strip():
            raise CallError(f"{area} 一致率低于 99.9%：签字须写明说明（--note）")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            last = self._db.execute("SELECT digest FROM signatures ORDER BY n DESC LIMIT 1").fetchone()
            previous = last[0] if last else ""
            digest = _digest(run, area, row[0], signer, note, at_ms, previous)
            self._db.execute(
                "INSERT INTO signatures (run, area, signer, note, at_ms, previous, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run, area, signer, note, at_ms, previous, digest),
            )
        except sqlite3.IntegrityError as error:
            self._db.execute("ROLLBACK")
            raise DataError(f"{area} 已为 {run} 签字，不能再签") from error
        self._db.execute("COMMIT")
        return Signature(run, area, signer, note, at_ms, digest)

    def runs(self) -> list[dict[str, Any]]:
        """Every reconciliation, newest first, with its districts and who signed."""
        found = []
        for run, at_ms, on, actor in self._db.execute("SELECT run, at_ms, on_day, actor FROM runs ORDER BY at_ms DESC"):
            districts = [json.loads(said) for (said,) in self._db.execute(
                "SELECT said FROM districts WHERE run = ? ORDER BY area", (run,))]  # fmt: skip
            signed = {s.area: s for s in self.signatures(run)}
            for each in districts:
                by = signed.get(each["area"])
                each["signed_by"], each["note"] = (by.signer, by.note) if by else (None, "")
            found.append({"run": run, "at_ms": at_ms, "on": on, "actor": actor, "districts": districts})
        return found

    def signatures(self, run: str) -> list[Signature]:
        """Who signed for a reconciliation."""
        rows = self._db.execute(
            "SELECT run, area, signer, note, at_ms, digest FROM signatures WHERE run = ? ORDER BY n", (run,)
        )
        return [Signature(*row) for row in rows]

    def verify(self) -> int | None:
        """Number of the first signature that does not follow from what it signed, None when all do."""
        previous = ""
        rows = self._db.execute(
            "SELECT s.n, s.run, s.area, d.said, s.signer, s.note, s.at_ms, s.previous, s.digest FROM signatures s"
            " LEFT JOIN districts d ON d.run = s.run AND d.area = s.area ORDER BY s.n"
        )
        for n, run, area, said, signer, note, at_ms, before, digest in rows:
            if before != previous or digest != _digest(run, area, said or "", signer, note, at_ms, before):
                return int(n)
            previous = digest
        return None


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
