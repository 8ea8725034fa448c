"""An archive worker as a process of its own, for tests that kill it."""

import signal
import sys

from sinks.archive import Archive, Limits
from sinks.clickhouse import ClickHouseStore
from sinks.consumers import assigned_consumer


def main() -> None:
    """Archives until SIGTERM."""
    broker, partitions, host, port, database, group = sys.argv[1:]
    archive = Archive(
        ClickHouseStore(host, int(port), database),
        lambda: assigned_consumer(broker, int(partitions), group=group, api_version=None),
        generation="g1",
        limits=Limits(messages=100, linger_seconds=0.1),
    )
    signal.signal(signal.SIGTERM, lambda *_: archive.stop())
    archive.run()


if __name__ == "__main__":
    main()
