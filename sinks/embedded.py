"""The store inside this process: chdb in a thread of its own, one fixed folder, one process per folder.

Other commands reach it through the running process (`sinks/remote.py`), never by opening the folder.
"""

import importlib
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from schemas.errors import CallError
from sinks.rowbinary import Cell, decode, encode
from sinks.store import AlertStore, Param, StoreError, Version, parse_version, render
from sinks.tables import TABLES, Row

T = TypeVar("T")
_opening = threading.Lock()


class EmbeddedStore(AlertStore):
    """chdb on disk. Raises CallError when another process has the folder."""

    engine = "embedded"

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chdb")
        self._connection: Any = None
        self._version: Version | None = None
        try:
            self._on_thread(self._open)
        except Exception as error:
            self._thread.shutdown()
            raise CallError(f"打不开内嵌数据库 {self._folder}：可能有另一个 lidm 进程正在使用") from error

    def version(self) -> Version:
        if self._version is None:
            self._version = parse_version(str(self.query("SELECT version()")[0][0]))
        return self._version

    def prepare(self) -> None:
        """Nothing: the folder is the database."""

    def execute(self, sql: str) -> None:
        self._call(lambda: self._connection.query(sql))

    def insert_rows(self, table: str, rows: Sequence[Row], token: str) -> None:
        if not rows:
            return
        target = TABLES[table]
        data = encode(target, rows)
        if not token.isascii() or "'" in token or "\\" in token:
            raise ValueError("a token is plain ASCII")
        sql = f"INSERT INTO {table} ({target.names}) SETTINGS insert_deduplication_token = '{token}'"
        self._call(lambda: self._insert(sql, data))

    def query(self, sql: str, params: Mapping[str, Param] | None = None) -> list[tuple[Cell, ...]]:
        rendered = render(sql, params)
        if not rendered.lstrip().upper().startswith("SELECT"):  # other processes may ask through us, not change
            raise StoreError("只能查询")
        return decode(
            self._call(lambda: bytes(self._connection.query(rendered, "RowBinaryWithNamesAndTypes").bytes() or b""))
        )

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._on_thread(connection.close)
            self._thread.shutdown()

    def _open(self) -> None:
        # chdb reads a config.xml lying in the working directory, at import already: a stranger's file must not matter.
        with _opening:
            before = Path.cwd()
            astray = (before / "config.xml").exists()
            if astray:
                os.chdir(self._folder)
            try:
                chdb = importlib.import_module("chdb")
                self._connection = chdb.connect(str(self._folder))
            finally:
                if astray:
                    os.chdir(before)

    def _insert(self, sql: str, data: bytes) -> None:
        # Not `query(sql + data)`: its parser cuts binary data that happens to look like the end of a statement.
        inserter = self._connection.send_insert(sql, "RowBinary")
        inserter.append(data)
        inserter.finish()

    def _call(self, work: Callable[[], T]) -> T:
        if self._connection is None:
            raise StoreError("内嵌数据库已经关闭")
        try:
            return self._on_thread(work)
        except RuntimeError as error:  # ChdbError is one
            raise StoreError(f"内嵌数据库没有完成请求：{_code(error)}") from error

    def _on_thread(self, work: Callable[[], T]) -> T:
        return self._thread.submit(work).result()


def _code(error: RuntimeError) -> str:
    found = re.search(r"Code: (\d+).*\(([A-Z_]+)\)", str(error), re.DOTALL)  # the text between may quote values
    return f"{found[2]}（{found[1]}）" if found else "未知原因"
