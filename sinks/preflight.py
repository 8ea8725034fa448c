"""Is the store what the code believes it is? Tables, columns, types, engines, migrations, and bytes that survive."""

from dataclasses import dataclass

from sinks.store import AlertStore
from sinks.tables import TABLES, Table

OLDEST = (18, 16)
_EVERY_BYTE = bytes(range(256))


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str


def preflight(store: AlertStore) -> list[Check]:
    """Every check, in order; changes nothing. Raises StoreUnreachable when nobody answers."""
    version = store.version()
    shown = ".".join(map(str, version))
    checks = [Check("版本", version >= OLDEST, f"{store.engine} {shown}，最低 18.16")]
    steps = store.status()
    waiting = [step.migration.name for step in steps if step.status in ("pending", "changed")]
    checks.append(Check("迁移", not waiting, "、".join(waiting) or f"{len(steps)} 项"))
    checks.extend(_table(store, table) for table in TABLES.values())
    checks.append(_bytes(store))
    return checks


def _table(store: AlertStore, table: Table) -> Check:
    engines = store.query(
        "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = %(t)s", {"t": table.name}
    )
    if not engines:
        return Check(f"表 {table.name}", False, "不存在：请运行 lidm store migrate")
    rows = store.query(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = %(t)s", {"t": table.name}
    )
    columns = {str(name): str(kind) for name, kind in rows}
    wrong = [f"{name} 应为 {kind}，实为 {columns.get(name, '缺失')}" for name, kind in table.columns
             if columns.get(name) != kind]  # fmt: skip
    if "Replacing" not in str(engines[0][0]):
        wrong.append(f"引擎 {engines[0][0]} 不会合并重复行")
    return Check(f"表 {table.name}", not wrong, "；".join(wrong) or str(engines[0][0]))


def _bytes(store: AlertStore) -> Check:
    answer = store.query("SELECT hex(unhex(%(all)s))", {"all": _EVERY_BYTE.hex()})
    same = bytes.fromhex(str(answer[0][0])) == _EVERY_BYTE
    return Check("字节", same, "任意字节原样读出" if same else "字节被改写")
