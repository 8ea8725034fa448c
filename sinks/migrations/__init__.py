"""Schema changes: ordered `NNNN_name.sql` files, applied once each, remembered with their checksum.

A file may say `-- requires: 20.8`: it is an option, applied only where the engine is that new; and `-- alone`: it
copies rows, and nobody may write meanwhile. A statement ends with `;` at the end of a line and may be repeated without
harm: a crash between statement and record repeats it.
"""

import hashlib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from schemas.errors import DataError, Stop

FOLDER = Path(__file__).parent
LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations (
    id UInt32, name String, checksum String, applied_at_ms UInt64
) ENGINE = ReplacingMergeTree(applied_at_ms) ORDER BY id"""

Status = Literal["applied", "pending", "changed", "not_for_this_version"]


class Engine(Protocol):
    """What migrations need of a store."""

    def version(self) -> tuple[int, ...]: ...
    def execute(self, sql: str) -> None: ...
    def query(self, sql: str, params: Mapping[str, str] | None = None) -> Sequence[tuple[object, ...]]: ...


@dataclass(frozen=True)
class Migration:
    """One file."""

    id: int
    name: str
    checksum: str
    requires: tuple[int, ...]
    alone: bool
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One migration and where this store stands with it."""

    migration: Migration
    status: Status


def load(folder: Path = FOLDER) -> list[Migration]:
    """The migrations in order. Raises DataError on a bad name or a repeated number."""
    migrations = [_read(path) for path in sorted(folder.glob("*.sql"))]
    numbers = [migration.id for migration in migrations]
    if len(set(numbers)) != len(numbers):
        raise DataError(f"迁移编号重复：{folder}")
    return migrations


def report(engine: Engine, migrations: Iterable[Migration] | None = None) -> list[Step]:
    """Where the store stands with every migration; changes nothing."""
    known = _applied(engine)
    version = engine.version()
    return [Step(m, _status(m, known, version)) for m in (load() if migrations is None else migrations)]


def apply(
    engine: Engine, migrations: Iterable[Migration] | None = None, *, beside_others: bool = False
) -> list[Migration]:
    """Applies what is pending in order and returns it. Raises DataError when a file changed after it was applied, and
    Stop where `beside_others` may write while rows would be copied.
    """
    engine.execute(LEDGER)
    steps = report(engine, migrations)
    changed = [step.migration.name for step in steps if step.status == "changed"]
    if changed:
        raise DataError(f"已执行过的迁移文件被改动：{'、'.join(changed)}；请还原，另写新的迁移")
    pending = [step.migration for step in steps if step.status == "pending"]
    alone = [each.name for each in pending if each.alone]
    if beside_others and alone and _holds_rows(engine):
        names = "、".join(alone)
        raise Stop(f"归档库的迁移 {names} 要复制已有的行：请停止全部归档环节，运行 lidm store migrate 后再启动")
    for migration in pending:
        for statement in migration.statements:
            engine.execute(statement)
        _remember(engine, migration)
    return pending


def _read(path: Path) -> Migration:
    match = re.fullmatch(r"(\d{4})_(\w+)", path.stem)
    if not match:
        raise DataError(f"迁移文件名应为 NNNN_name.sql：{path.name}")
    text = path.read_text(encoding="utf-8")
    requires = re.search(r"^-- requires: ([\d.]+)$", text, re.MULTILINE)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return Migration(
        int(match[1]),
        path.stem,
        hashlib.sha256(text.encode()).hexdigest(),
        tuple(int(part) for part in requires[1].split(".")) if requires else (),
        re.search(r"^-- alone\b", text, re.MULTILINE) is not None,
        tuple(part.strip() for part in re.split(r";\s*$", body, flags=re.MULTILINE) if part.strip()),
    )


def _holds_rows(engine: Engine) -> bool:
    ((rows,),) = engine.query("SELECT sum(rows) FROM system.parts WHERE active AND database = currentDatabase() "
                              "AND table != 'schema_migrations'")  # fmt: skip
    return bool(int(str(rows or 0)))


def _applied(engine: Engine) -> dict[int, str]:
    present = engine.query("SELECT count() FROM system.tables WHERE database = currentDatabase() "
                           "AND name = 'schema_migrations'")  # fmt: skip
    if not int(str(present[0][0])):
        return {}
    rows = engine.query("SELECT id, argMax(checksum, applied_at_ms) AS c FROM schema_migrations GROUP BY id")
    return {int(str(number)): str(checksum) for number, checksum in rows}


def _status(migration: Migration, known: Mapping[int, str], version: tuple[int, ...]) -> Status:
    if migration.id in known:
        return "applied" if known[migration.id] == migration.checksum else "changed"
    return "pending" if version >= migration.requires else "not_for_this_version"


def _remember(engine: Engine, migration: Migration) -> None:
    # Digits and word characters only, by construction of the file name: nothing to escape.
    engine.execute(
        "INSERT INTO schema_migrations SELECT "
        f"toUInt32({migration.id}), '{migration.name}', '{migration.checksum}', toUInt64({time.time_ns() // 10**6})"
    )
