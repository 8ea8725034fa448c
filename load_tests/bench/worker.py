"""A process under measurement: `python -m load_tests.bench.worker STAGE JSON`. Says `ready`, then works until SIGTERM.

STAGE: `intake`, `monitor` (the product's own stages), `floor` (aiokafka `getmany` over one topic, nothing else) or
`ledgers` (no broker).
"""

import asyncio
import json
import resource
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from detectors.registry import Detector, running
from lidm.logs import configure_logs
from load_tests.bench import ledgers
from streams.config import StreamConfig
from streams.intake import POLL_RECORDS
from streams.registry import Registry
from streams.stages import IntakeStage, Stage, monitor_stage
from streams.watch import Watch

SEAL = bytes(range(1, 33))


class Told(Watch):
    """A partition that says when its state is read back, and how long that took."""

    def __init__(self, partition: int, config: StreamConfig, detectors: Mapping[str, Detector]) -> None:
        super().__init__(partition, config, detectors)
        self._made = time.monotonic()

    def opened(self) -> None:
        """See Foldable."""
        super().opened()
        say(opened=self._partition, loading=time.monotonic() - self._made, households=len(self._shelf))


def stage_of(name: str, given: dict[str, Any]) -> Stage:
    """The stage as the product builds it, with the feeds or detectors the job names."""
    config = StreamConfig(
        broker=given["broker"],
        partitions=given["partitions"],
        clock=given.get("clock", "driven"),
        data_dir=Path(given["folder"]),
        seal_public_key=SEAL,
        session_seconds=20.0,
        **({"decoded_households": given["decoded"]} if "decoded" in given else {}),
    )
    if name == "intake":
        return IntakeStage(config, Registry(), feeds=tuple(given["feeds"]))
    known = running()
    wanted = {code: known[code] for code in given.get("detectors", known)}
    return monitor_stage(config, lambda p: Told(p, config, wanted))


async def work(name: str, given: dict[str, Any]) -> None:
    """Until SIGTERM."""
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    stage = stage_of(name, given)
    began = time.monotonic()
    await stage.start()
    say(ready=True, seconds=time.monotonic() - began)
    await done.wait()
    await stage.stop()


async def floor(given: dict[str, Any]) -> None:
    """Reads a whole topic in polls and counts."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=given["broker"],
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=POLL_RECORDS,
    )
    await consumer.start()
    places = [TopicPartition(given["topic"], p) for p in range(given["partitions"])]
    consumer.assign(places)
    wanted = sum((await consumer.end_offsets(places)).values())
    before = cpu()
    read = size = 0
    while read < wanted:
        for records in (await consumer.getmany(timeout_ms=200, max_records=POLL_RECORDS)).values():
            read += len(records)
            size += len(records[0].value) * len(records)
    say(messages=read, cpu=cpu() - before, mean_bytes=round(size / read))
    await consumer.stop()


def cpu() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def say(**what: Any) -> None:
    """One line for whoever started us."""
    print(json.dumps({**what, "total_cpu": cpu()}), flush=True)


def main() -> None:
    """See the module."""
    name, given = sys.argv[1], json.loads(sys.argv[2])
    configure_logs("warning")
    if name == "ledgers":
        say(**ledgers.measure(given["persons"], trial=tuple(given.get("trial", ()))))
        return
    asyncio.run(floor(given) if name == "floor" else work(name, given))


if __name__ == "__main__":
    main()
