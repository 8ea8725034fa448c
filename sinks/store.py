"""The store behind everything that looks back: one protocol of few methods, a server or an embedded engine behind it.

Core SQL runs on ClickHouse 18.16 and on the newest engine alike. Reads go through the newest revision (argMax); two
rows with the same identity are one row. Binary columns are read through `hex()`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from schemas.errors import Retry, Unreachable
from sinks.migrations import Migration, Step, apply, report
from sinks.rowbinary import Cell
from sinks.tables import ALERTS, CASE_EVENTS, HOUSEHOLD_LOG, REJECTED, Row, Table

Param = str | int | date | Sequence[str] | Sequence[int]
Version = tuple[int, ...]

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"})


class StoreError(Retry):
    """The store did not do it; the same call may succeed later. Never carries row content."""


class StoreUnreachable(StoreError, Unreachable):
    """Nobody answers."""


class LogBlock(NamedTuple):
    """One block of `households.events.v1` as archived; `known_at` = broker time in milliseconds."""

    generation: str
    partition: int
    offset: int
    known_at: int
    block: bytes


class Counts(NamedTuple):
    """Distinct rows by identity: what must equal the logs."""

    alerts: int
    case_events: int
    blocks: int
    rejected: int


class AlertStore(ABC):
    """What the archive, the figures and the screens need of a store. Safe to call from several threads."""

    engine: str

    @abstractmethod
    def version(self) -> Version:
        """The engine's version, e.g. (18, 16, 1)."""

    @abstractmethod
    def execute(self, sql: str) -> None:
        """A statement without a result."""

    @abstractmethod
    def insert_rows(self, table: str, rows: Sequence[Row], token: str) -> None:
        """All rows are in the table when this returns. On StoreError some may be; inserting them again is harmless.

        `token` names the batch's content: where the engine knows insert tokens, a repeated batch is dropped at once.
        """

    @abstractmethod
    def query(self, sql: str, params: Mapping[str, Param] | None = None) -> list[tuple[Cell, ...]]:
        """The rows of a SELECT; `%(name)s` in it stands for a value of `params`."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of connections and folders."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes the place where tables may stand; run before migrations."""

    def migrate(self, *, beside_others: bool = False) -> list[Migration]:
        """Applies what is pending, in order, and returns it. Raises DataError when an applied file changed, and Stop
        where `beside_others` may write while it would copy rows.
        """
        self.prepare()
        return apply(self, beside_others=beside_others)

    def status(self) -> list[Step]:
        """Every migration: applied, pending, changed, or not for this engine version."""
        return report(self)

    def read_household_log(self, generation: str | None = None, page: int = 64) -> Iterator[LogBlock]:
        """The archived log in order of generation, partition, offset; one generation or all. Pages are bounded."""
        generations = [generation] if generation is not None else self.generations()
        for name in generations:
            for partition in self._column(
                "SELECT DISTINCT `partition` AS p FROM household_log WHERE generation = %(g)s ORDER BY p", {"g": name}
            ):
                yield from self._read_partition(name, int(str(partition)), page)

    def generations(self) -> list[str]:
        """Generations in the archived log, oldest name first."""
        return [str(g) for g in self._column("SELECT DISTINCT generation AS g FROM household_log ORDER BY g")]

    def counts(self, generation: str | None = None) -> Counts:
        """Distinct rows by identity; blocks and rejections of one generation or of all."""
        return Counts(*(self._distinct(table, generation) for table in (ALERTS, CASE_EVENTS, HOUSEHOLD_LOG, REJECTED)))

    def _read_partition(self, generation: str, partition: int, page: int) -> Iterator[LogBlock]:
        here = "FROM household_log WHERE generation = %(g)s AND `partition` = %(p)s AND `offset` >= %(first)s"
        start = 0
        while True:
            at: dict[str, Param] = {"g": generation, "p": partition, "first": start, "n": page}
            offsets = self._column(f"SELECT `offset` AS o {here} ORDER BY o LIMIT 1 BY o LIMIT %(n)s", at)
            if not offsets:
                return
            last = int(str(offsets[-1]))
            for offset, known_at, block in self.query(
                f"SELECT `offset` AS o, known_at_ms, hex(block) {here} "
                "AND `offset` <= %(last)s ORDER BY o LIMIT 1 BY o",
                {**at, "last": last},
            ):
                yield LogBlock(generation, partition, int(str(offset)), int(str(known_at)), bytes.fromhex(str(block)))
            start = last + 1

    def _column(self, sql: str, params: Mapping[str, Param] | None = None) -> list[Cell]:
        return [row[0] for row in self.query(sql, params)]

    def _distinct(self, table: Table, generation: str | None) -> int:
        identity = ", ".join(f"`{name}`" for name in table.identity)
        here = "WHERE generation = %(g)s" if generation is not None and "generation" in table.identity else ""
        sql = f"SELECT count() FROM (SELECT {identity} FROM {table.name} {here} GROUP BY {identity})"  # noqa: S608
        return int(str(self._column(sql, {"g": generation or ""})[0]))


def render(sql: str, params: Mapping[str, Param] | None) -> str:
    """The statement with its values written in, escaped. Raises KeyError on an unknown name."""
    if not params:
        return sql
    return re.sub(r"%\((\w+)\)s", lambda match: _literal(params[match[1]]), sql)


def _literal(value: Param) -> str:
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    if isinstance(value, date):
        return f"toDate('{value.isoformat()}')"
    if isinstance(value, int):
        return str(int(value))
    return f"({', '.join(_literal(item) for item in value)})"


def parse_version(text: str) -> Version:
    """(18, 16, 1) of '18.16.1'."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())
