"""The local stack of one data folder: started together, announced in `run/service.json`, stopped together."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.born import lives
from deploy.local.clickhouse import ClickHouseServer
from deploy.local.errors import NotReady
from deploy.local.kafka import KafkaBroker


@dataclass(frozen=True)
class Announcement:
    """What `run/service.json` says of a stack, for every `lidm` command that looks for one."""

    broker: str
    clickhouse_host: str
    clickhouse_port: int
    pid: int
    clock: str
    size: str

    def as_json(self) -> str:
        """The file's content."""
        clickhouse = {"host": self.clickhouse_host, "port": self.clickhouse_port}
        return json.dumps({
            "mode": "local", "broker": self.broker, "clickhouse": clickhouse, "api": None,
            "pid": self.pid, "clock": self.clock, "size": self.size, "replication": 1,
        })  # fmt: skip


class Stack:
    """Kafka and ClickHouse under `<data_dir>/local/`. Starting twice is the same as starting once."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.local = self.data_dir / "local"
        self.kafka = KafkaBroker(self.local / "kafka")
        self.clickhouse = ClickHouseServer(self.local / "clickhouse")
        self.service_file = self.data_dir / "run" / "service.json"

    def up(self, *, clock: str | None = None, size: str | None = None) -> Announcement:
        """Returns when both answer. Clock and size are chosen at the first start and stay (topics depend on them).

        Raises Missing, NotReady; a half-started stack is left for the next try.
        """
        with self._alone():
            if self._embedded_runs():
                raise NotReady(f"{self.service_file} 表明内嵌服务正在使用这个目录，请先停止它")
            clock, size = self._settled("clock", clock, "wall"), self._settled("size", size, "trial")
            self.kafka.start()
            self.clickhouse.start()
            said = Announcement(
                self.kafka.bootstrap, self.clickhouse.host, self.clickhouse.port, self.kafka.pid or 0, clock, size
            )
            self.service_file.parent.mkdir(parents=True, exist_ok=True)
            scratch = self.service_file.with_suffix(".new")
            scratch.write_text(said.as_json())
            scratch.replace(self.service_file)
            return said

    def down(self) -> list[str]:
        """Stops what runs and names it. Data stays."""
        with self._alone():
            if self._announced().get("mode") == "local":
                self.service_file.unlink()
            stopped = {"ClickHouse": self.clickhouse.stop(), "Kafka": self.kafka.stop()}
            return [name for name, ran in stopped.items() if ran]

    def status(self) -> dict[str, dict[str, object]]:
        """Per server its pid and address, or nothing when it does not run."""
        found: dict[str, dict[str, object]] = {"kafka": {}, "clickhouse": {}}
        if self.kafka.pid:
            found["kafka"] = {"pid": self.kafka.pid, "address": self.kafka.bootstrap}
        if self.clickhouse.pid:
            address = f"{self.clickhouse.host}:{self.clickhouse.port}"
            found["clickhouse"] = {"pid": self.clickhouse.pid, "address": address, "http": self.clickhouse.http_port}
        return found

    def _announced(self) -> dict[str, object]:
        with contextlib.suppress(OSError, ValueError):
            said: dict[str, object] = json.loads(self.service_file.read_text())
            return said
        return {}

    def _embedded_runs(self) -> bool:
        said = self._announced()
        born = said.get("born")
        mark = born if isinstance(born, str) else None
        return said.get("mode") == "embedded" and lives(int(str(said.get("pid", 0))), mark)

    def _settled(self, name: str, wanted: str | None, default: str) -> str:
        memory = self.local / name
        if memory.exists() and (kept := memory.read_text()):
            if wanted not in (None, kept):
                raise NotReady(f"这个目录的 {name} 已是 {kept}，不能改为 {wanted}；请换一个数据目录")
            return kept
        memory.write_text(wanted or default)
        return wanted or default

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.local.mkdir(parents=True, exist_ok=True)
        with (self.local / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
