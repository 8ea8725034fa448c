"""The store on a ClickHouse server, through clickhouse-driver and nothing else of it outside this file."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver import errors as driver_errors

from sinks.rowbinary import Cell
from sinks.store import AlertStore, Param, StoreError, StoreUnreachable, Version, parse_version, render
from sinks.tables import TABLES, Row

TOKENS_SINCE = (22, 2)


class ClickHouseStore(AlertStore):
    """One connection, one lock; after an error the connection is dropped and the next call opens a new one."""

    engine = "clickhouse"

    def __init__(
        self,
        host: str,
        port: int = 9000,
        database: str = "lidm",
        user: str = "default",
        password: str = "",
        timeout_seconds: float = 15.0,
    ) -> None:
        if not database.isidentifier():
            raise ValueError("a database name is a plain identifier")
        self._address = f"{host}:{port}"
        self.database = database
        self._options: dict[str, Any] = {
            "host": host,
            "port": port,
            "user": user,
            "password": password,
            "connect_timeout": 5,
            "send_receive_timeout": timeout_seconds,
            "sync_request_timeout": 5,
        }
        self._client = Client(database=database, **self._options)
        self._lock = threading.Lock()
        self._version: Version | None = None

    def version(self) -> Version:
        if self._version is None:
            self._version = parse_version(str(self._run("SELECT version()")[0][0]))
        return self._version

    def prepare(self) -> None:
        """Creates the database."""
        client = Client(database="default", **self._options)
        try:
            self._run(f"CREATE DATABASE IF NOT EXISTS {self.database}", client=client)
        finally:
            client.disconnect()

    def execute(self, sql: str) -> None:
        self._run(sql)

    def insert_rows(self, table: str, rows: Sequence[Row], token: str) -> None:
        if not rows:
            return
        columns = TABLES[table].names
        settings = {"insert_deduplication_token": token} if self.version() >= TOKENS_SINCE else {}
        self._run(f"INSERT INTO {table} ({columns}) VALUES", rows, settings)

    def query(self, sql: str, params: Mapping[str, Param] | None = None) -> list[tuple[Cell, ...]]:
        return self._run(render(sql, params))

    def close(self) -> None:
        with self._lock:
            self._client.disconnect()

    def _run(
        self,
        sql: str,
        rows: Sequence[Row] | None = None,
        settings: Mapping[str, str] | None = None,
        client: Client | None = None,
    ) -> list[tuple[Cell, ...]]:
        with self._lock:
            client = client or self._client
            try:
                result = client.execute(sql, rows, settings=dict(settings) if settings else None)
            except (OSError, EOFError, driver_errors.NetworkError) as error:
                client.disconnect()
                raise StoreUnreachable(f"ClickHouse {self._address} 连不上（{type(error).__name__}）") from error
            except driver_errors.Error as error:
                client.disconnect()
                raise StoreError(f"ClickHouse {self._address} 拒绝了请求：{_first_line(error)}") from error
            except Exception:
                client.disconnect()  # a half-sent insert must not be continued by the next statement
                raise
        return result if isinstance(result, list) else []


def _first_line(error: driver_errors.Error) -> str:
    code = getattr(error, "code", 0)
    return f"代码 {code} {str(error).splitlines()[0][:200]}" if str(error) else f"代码 {code}"
