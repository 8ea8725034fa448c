"""A ClickHouse server on loopback with a durable folder, from Debian's 18.16 to today's."""

import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import Missing
from deploy.local.ports import LOOPBACK, answers
from deploy.local.process import Daemon

START_SECONDS = 60.0

CONFIG = """\
<?xml version="1.0"?>
<yandex>
    <logger><level>warning</level><console>1</console></logger>
    <listen_host>{host}</listen_host>
    <tcp_port>{tcp}</tcp_port>
    <http_port>{http}</http_port>
    <path>{folder}/data/</path>
    <tmp_path>{folder}/tmp/</tmp_path>
    <user_files_path>{folder}/user_files/</user_files_path>
    <format_schema_path>{folder}/format_schemas/</format_schema_path>
    <users_config>{folder}/users.xml</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
    <timezone>Asia/Shanghai</timezone>
    <mark_cache_size>268435456</mark_cache_size>
    <max_connections>256</max_connections>
    <max_concurrent_queries>64</max_concurrent_queries>
</yandex>
"""

USERS = """\
<?xml version="1.0"?>
<yandex>
    <profiles><default>
        <max_memory_usage>2000000000</max_memory_usage>
        <log_queries>0</log_queries>
    </default></profiles>
    <users><default>
        <password></password>
        <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
        <profile>default</profile>
        <quota>default</quota>
    </default></users>
    <quotas><default></default></quotas>
</yandex>
"""


class ClickHouseServer(Daemon):
    """Starts, freezes, kills and stops one server."""

    name = "ClickHouse"
    ports = ("tcp", "http")
    host = LOOPBACK

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._config = self.folder / "config.xml"

    @property
    def port(self) -> int:
        """Port of the native protocol. Raises NotReady before the first start."""
        return self._port("tcp")

    @property
    def http_port(self) -> int:
        """Port of the HTTP interface. Raises NotReady before the first start."""
        return self._port("http")

    def start(self) -> None:
        """Returns when queries are answered; does nothing when it runs already. Raises Missing, NotReady."""
        if self._server.process is not None:
            return
        program = _program()
        for name in ("data", "tmp", "user_files", "format_schemas"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._config.write_text(CONFIG.format(host=LOOPBACK, folder=self.folder, **self._chosen()))
        (self.folder / "users.xml").write_text(USERS)
        self._server.launch([*program, f"--config-file={self._config}"], mark=f"--config-file={self._config}")
        self._server.wait_until(self._serves, START_SECONDS)

    def client(self, *arguments: str) -> list[str]:
        """Command line of `clickhouse-client` for this server. Raises Missing."""
        client = shutil.which("clickhouse-client")
        if client is None:
            raise Missing("没有找到 clickhouse-client：python -m deploy.local install")
        return [client, "--host", self.host, "--port", str(self.port), *arguments]

    def _serves(self) -> bool:
        if not answers(self.port):
            return False
        asked = subprocess.run(
            self.client("--query", "SELECT 1"), capture_output=True, text=True, timeout=10, check=False
        )
        return asked.stdout.strip() == "1"


def _program() -> list[str]:
    if server := shutil.which("clickhouse-server"):
        return [server]
    if server := shutil.which("clickhouse"):
        return [server, "server"]
    raise Missing("没有找到 clickhouse-server：python -m deploy.local install")
