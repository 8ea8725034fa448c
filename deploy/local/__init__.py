"""A real Kafka and a real ClickHouse on this machine: for development, tests, and small counties."""

from deploy.local.clickhouse import ClickHouseServer
from deploy.local.errors import Missing, NotReady
from deploy.local.kafka import KafkaBroker

__all__ = ["ClickHouseServer", "KafkaBroker", "Missing", "NotReady"]
