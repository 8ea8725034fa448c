"""A one-node Kafka 4 (KRaft) on loopback with a durable folder."""

import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from deploy.local.errors import Missing, NotReady
from deploy.local.jars import kafka_libs
from deploy.local.ports import LOOPBACK, answers
from deploy.local.process import Daemon

START_SECONDS = 90.0
JAVA_NEEDED = 17

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
num.partitions=4
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=60000
log.cleaner.backoff.ms=5000
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
"""


class KafkaBroker(Daemon):
    """Starts, freezes, kills and stops one broker."""

    name = "Kafka"
    ports: tuple[str, ...] = ("broker", "controller")
    format_arguments: tuple[str, ...] = ()

    def __init__(self, folder: Path, *, heap_mb: int = 512) -> None:
        super().__init__(folder)
        self.heap_mb = heap_mb
        self._config = self.folder / "server.properties"

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients. Raises NotReady before the first start."""
        return f"{LOOPBACK}:{self._port('broker')}"

    def start(self) -> None:
        """Returns when clients are served; does nothing when it runs already. Raises Missing, NotReady."""
        if self._server.process is not None:
            return
        java = _java()
        libs = kafka_libs()
        self._prepare(java, libs)
        command = [
            java, f"-Xmx{self.heap_mb}m", "-Xms128m", "-XX:+UseG1GC", "-Djava.awt.headless=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp", f"{libs}/*", "kafka.Kafka", str(self._config),
        ]
        self._server.launch(command, mark=str(self._config))
        self._server.wait_until(self._serves, START_SECONDS)

    def properties(self, ports: dict[str, int]) -> str:
        """The server's configuration, given its ports by name."""
        return PROPERTIES.format(host=LOOPBACK, folder=self.folder, **ports)

    def tool(self, name: str, *arguments: str) -> list[str]:
        """Command line of one of Kafka's own tools, by class: `kafka.tools.…`, `org.apache.kafka.tools.…`."""
        return [_java(), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{kafka_libs()}/*",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", name, *arguments]  # fmt: skip

    def _prepare(self, java: str, libs: Path) -> None:
        self._config.write_text(self.properties(self._chosen()))
        if (self.folder / "data" / "meta.properties").exists():
            return
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [
            java, "-Xmx128m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{libs}/*",
            "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(self._config),
            *self.format_arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if done.returncode:
            raise NotReady(f"Kafka 存储目录初始化失败：\n{done.stdout}{done.stderr}")

    def _serves(self) -> bool:
        from kafka import KafkaAdminClient

        if not answers(self._port("broker")):
            return False
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.list_topics()
        finally:
            admin.close()
        return True


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise Missing(f"没有找到 java（需要 {JAVA_NEEDED} 或更新）：python -m deploy.local install")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    version = said.split('"')[1].split(".")[0] if '"' in said else "0"
    if not version.isdigit() or int(version) < JAVA_NEEDED:
        raise Missing(f"java 版本 {version} 过旧，需要 {JAVA_NEEDED} 或更新：python -m deploy.local install")
    return java
