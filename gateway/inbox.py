"""The one publishing path of the gateway: whatever came in, by whichever way, is taken here.

A file is kept sealed, its rows pass the scope filter and become pseudonymous events, its receipt is written; what
cannot be sent goes to quarantine, sealed as well, with its reasons beside it. The plain file is gone afterwards. The
same file twice in a row for the same period is taken once; after another file of that period it counts anew.
"""

import hashlib
import json
import re
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog

from gateway.courier import Receipt
from gateway.events import BatchPlan
from gateway.identities import Linkage
from gateway.keeping import Keeping
from gateway.mapping import Mapping, load_mapping
from gateway.problems import RowProblem
from gateway.publish import publish_file
from gateway.publisher import Publisher
from gateway.reports import receipt_letter
from gateway.scope import Scope, Watched
from gateway.sources import source_of
from gateway.vault import Vault
from schemas.doubts import Doubts
from schemas.errors import CallError, DataError, LidmError

log = structlog.get_logger("lidm.gateway")
State = Literal["sent", "partly", "refused", "repeated"]
STATES: dict[State, str] = {
    "sent": "已受理",
    "partly": "部分受理（有行未发送，批次未关闭）",
    "refused": "未受理",
    "repeated": "此前已受理过同一文件，未重复发送",
}
SHOWN_PROBLEMS = 200
_SAFE = re.compile(r"[^0-9A-Za-z._-]+")


@dataclass(frozen=True)
class Arrival:
    """One file as it came: by which way, from whom, for which feed and period; `again`: send it even if repeated."""

    path: Path
    feed: str
    way: str
    department: str
    plan: BatchPlan | None = None
    mapping: Path | None = None
    again: bool = False

    @property
    def source(self) -> str:
        """Whose rows these are: each department's own where several produce the feed."""
        return source_of(self.feed, self.department or self.way)


@dataclass(frozen=True)
class Taken:
    """What became of it. Problems are masked; the receipt holds pseudonyms' counts only."""

    name: str
    state: State
    at: datetime
    receipt: Receipt | None
    problems: tuple[RowProblem, ...]
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "state": self.state,
            "label": STATES[self.state],
            "at": self.at.isoformat(),
            "reason": self.reason,
            "receipt": self.receipt.as_json() if self.receipt else None,
            "problems": [each.as_json() for each in self.problems[:SHOWN_PROBLEMS]],
        }


class Inbox:
    """Takes arrivals, one at a time; folders below `folder` are readable by the owner only."""

    def __init__(
        self,
        folder: Path,
        *,
        publisher: Callable[[], Publisher],
        linkage: Linkage,
        vault: Vault,
        public_key: bytes,
        now: Callable[[], datetime],
        timestamp_ms: Callable[[datetime], int | None] = lambda _: None,
        keep_days: int = 30,
        doubts: Callable[[], Doubts] = Doubts,
    ) -> None:
        """`publisher` and `doubts` are asked for each arrival, the first flushed by it; `now` is aware."""
        self._doubts = doubts
        self._publisher, self._linkage, self._vault = publisher, linkage, vault
        self._now, self._timestamp_ms = now, timestamp_ms
        self.kept = Keeping(folder / "kept", public_key, days=keep_days)
        self.quarantine = Keeping(folder / "quarantine", public_key, days=keep_days)
        self._receipts = folder / "receipts"
        self._receipts.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._watched = Watched(folder / "watched.sqlite")

    def close(self) -> None:
        """Lets go of its files."""
        self._watched.close()

    def take(self, arrival: Arrival) -> Taken:
        """Publishes a file and deletes it. Raises Unreachable, leaving the file, when the broker is away."""
        now = self._now()
        digest = _digest(arrival)
        name = _SAFE.sub("-", f"{arrival.feed}-{digest[:12]}")
        latest = self._receipts / f"{_period(arrival)}.latest"
        known = None if arrival.again else self._known(digest, latest)
        if known is not None:
            arrival.path.unlink()
            return Taken(name, "repeated", now, known, (), "")
        if not self.kept.holds(name):
            self.kept.keep(arrival.path, name, now)
        # While it is being sent no file counts as the latest: what was begun may have reached the ledgers.
        latest.unlink(missing_ok=True)
        taken = self._sent(arrival, name, now)
        self._write(digest, taken, arrival)
        latest.write_text(digest, encoding="ascii")
        arrival.path.unlink()
        return taken

    def refuse(self, arrival: Arrival, reason: str) -> Taken:
        """Sends nothing of a file: sealed in quarantine, with the reason in its receipt, and deleted."""
        now, digest = self._now(), _digest(arrival)
        taken = self._refused(arrival, _SAFE.sub("-", f"{arrival.feed}-{digest[:12]}"), now, reason)
        self._write(digest, taken, arrival)
        arrival.path.unlink()
        return taken

    def sweep(self) -> list[str]:
        """Deletes what has been kept long enough."""
        now = self._now()
        return [*self.kept.sweep(now), *self.quarantine.sweep(now)]

    def _sent(self, arrival: Arrival, name: str, now: datetime) -> Taken:
        scope = Scope(arrival.feed, self._vault.knows, self._watched)
        publisher = self._publisher()
        stamp = self._timestamp_ms(now)
        with tempfile.TemporaryDirectory(dir=self._receipts) as folder:
            bad = Path(folder) / f"{name}.bad{arrival.path.suffix if 'json' in arrival.path.suffix else '.csv'}"
            try:
                mapping: Mapping | None = load_mapping(arrival.mapping) if arrival.mapping else None
                done = publish_file(
                    arrival.path,
                    arrival.feed,
                    publisher=publisher,
                    linkage=self._linkage,
                    recorded=now,
                    batch=arrival.plan,
                    source=arrival.source,
                    mapping=mapping,
                    bad_rows=bad,
                    keep=scope,
                    timestamp_ms=stamp,
                    doubts=self._doubts(),
                )
            except (CallError, DataError) as error:
                return self._refused(arrival, name, now, error.message_zh)
            except (LidmError, OSError, sqlite3.Error, MemoryError):
                raise
            except Exception as error:  # one file no reader foresaw must not close every way in
                log.error("file_refused", name=name, error=type(error).__name__)
                reason = f"文件读不下去（{type(error).__name__}），已隔离保存：请联系数据专员"
                return self._refused(arrival, name, now, reason)
            letter = receipt_letter(done, arrival.way, arrival.department, now)
            place = letter.partition_in(publisher.partitions(letter.topic))
            publisher.send(letter.topic, place, letter.key, letter.value, stamp)
            publisher.flush()
            # Last, so that attempts without a broker leave no copies.
            if bad.exists():
                self.quarantine.keep(bad, f"{name}.bad", now)
        return Taken(name, "partly" if done.receipt.bad else "sent", now, done.receipt, done.problems)

    def _refused(self, arrival: Arrival, name: str, now: datetime, reason: str) -> Taken:
        self.quarantine.keep(arrival.path, name, now)
        return Taken(name, "refused", now, None, (), reason)

    def _known(self, digest: str, latest: Path) -> Receipt | None:
        """The receipt of the same arrival, where all of it was sent before and nothing of its period since."""
        with suppress(OSError, ValueError, KeyError):
            if latest.read_text(encoding="ascii") != digest:
                return None
            said = json.loads((self._receipts / f"{digest}.json").read_text(encoding="utf-8"))
            if said["state"] == "sent":
                return msgspec.convert(said["receipt"], Receipt)
        return None

    def _write(self, digest: str, taken: Taken, arrival: Arrival) -> None:
        said = {**taken.as_json(), "feed": arrival.feed, "way": arrival.way, "department": arrival.department}
        fresh = self._receipts / f"{digest}.tmp"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._receipts / f"{digest}.json")


def _period(arrival: Arrival) -> str:
    """Names feed, sender and month: files of one month may undo one another, whatever their areas and mode."""
    period = arrival.plan.period if arrival.plan else ""
    return hashlib.sha256(f"{arrival.feed}|{arrival.source}|{period}".encode()).hexdigest()[:32]


def _digest(arrival: Arrival) -> str:
    """Names what a file says and for what: content, feed, sender, plan."""
    found = hashlib.sha256()
    with arrival.path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    found.update(f"|{arrival.feed}|{arrival.source}|{arrival.plan}".encode())
    return found.hexdigest()
