"""The embedded store for other commands on this machine: the process that holds the folder answers their SELECTs."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from schemas.errors import CallError
from sinks.rowbinary import Cell
from sinks.store import AlertStore, Param, StoreError, StoreUnreachable, Version, parse_version
from sinks.tables import Row


class RemoteStore(AlertStore):
    """Read-only: asks `POST /store/query` of a running process on loopback. Days arrive as ISO text."""

    engine = "embedded"

    def __init__(self, api: str, token: str, timeout_seconds: float = 30.0) -> None:
        parts = urlsplit(api)
        if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost") or parts.port is None:
            raise CallError("运行中的服务没有给出本机查询地址")
        self._port, self._token, self._timeout = parts.port, token, timeout_seconds

    def version(self) -> Version:
        return parse_version(str(self.query("SELECT version()")[0][0]))

    def prepare(self) -> None:
        raise CallError("内嵌数据库由运行中的进程维护，启动时已经迁移")

    def execute(self, sql: str) -> None:
        raise CallError("内嵌数据库由运行中的进程写入，其他命令只能查询")

    def insert_rows(self, table: str, rows: Sequence[Row], token: str) -> None:
        raise CallError("内嵌数据库由运行中的进程写入，其他命令只能查询")

    def query(self, sql: str, params: Mapping[str, Param] | None = None) -> list[tuple[Cell, ...]]:
        question = json.dumps({"sql": sql, "params": dict(params or {})}, default=str)
        connection = HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/store/query", question.encode(), headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            raise StoreUnreachable("运行中的 lidm 没有应答：它可能已经停止") from error
        finally:
            connection.close()
        if response.status != 200:
            raise StoreError(f"内嵌数据库没有完成查询（{response.status}）")
        return [tuple(row) for row in json.loads(body)["rows"]]

    def close(self) -> None:
        """Nothing is held open."""
