"""Processes that send more into one partition of the in-memory broker than it holds; they end with 0 when all arrived.

`mail`: a monitor stage whose one checkpoint has 12 MB for its own partition. `owed`: an embedded service that begins
with 8 MB of alerts for one partition left over from a crash.
"""

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lidm import embedded as front
from lidm.embedded_history import History, history_of
from lidm.settings import load_settings
from schemas.partition import partition_of
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS
from sinks.consumers import assigned_consumer
from sinks.store import AlertStore
from streams.checkpoint import Drained
from streams.config import StreamConfig
from streams.delivery import Delivery, Letter
from streams.memory_gate import MemoryGate
from streams.stages import monitor_stage
from streams.statelog import Item
from tests.sinks.samples import alert

LETTERS, LETTER_BYTES = 40, 300_000
ALERTS_OWED, REASON_CHARACTERS = 1_600, 1_500


class Posting:
    """One partition that answers one word with a great deal of mail to itself."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._outputs: list[Letter] = []
        self.arrived = 0
        self.dirty = 0
        self.reached: int | None = None

    def fold(self, topic: str, offset: int, timestamp_ms: int, value: bytes) -> None:
        if value == b"go":
            mail = (os.urandom(LETTER_BYTES) for _ in range(LETTERS))
            self._outputs = [Letter(HOUSEHOLD_EVENTS, self._partition, None, each) for each in mail]
        elif len(value) == LETTER_BYTES:
            self.arrived += 1

    def drain(self) -> Drained:
        outputs, self._outputs = self._outputs, []
        return Drained(outputs, [])

    def restore(self, key: bytes, value: bytes | None) -> None: ...

    def opened(self) -> None: ...

    def keep(self, state: list[Item]) -> None: ...

    def reset(self) -> bool:
        return True


async def mail(folder: Path) -> None:
    """Until every letter came back."""
    cluster, broker = front._start_cluster(set())  # noqa: SLF001 - the broker as the service starts it
    gate = MemoryGate(load_settings().unread_bytes, {HOUSEHOLD_EVENTS: {"monitor", "archive"}})
    config = StreamConfig(broker=broker, partitions=4, clock="driven", embedded=True, data_dir=folder)
    parts: dict[int, Posting] = {}
    stage = monitor_stage(config, lambda p: parts.setdefault(p, Posting(p)), gate)
    threading.Thread(target=_archive, args=(broker, gate), daemon=True).start()
    await stage.start()
    delivery = Delivery(config, gate, "intake")
    await delivery.start()
    await delivery.send([Letter(HOUSEHOLD_EVENTS, 0, None, b"go")])
    until = time.monotonic() + 60
    while not parts or parts[0].arrived < LETTERS:
        assert time.monotonic() < until, {p: part.arrived for p, part in parts.items()}
        await asyncio.sleep(0.1)
    await delivery.stop()
    await stage.stop()
    del cluster


def _archive(broker: str, gate: MemoryGate) -> None:
    consumer: Any = assigned_consumer(broker, 4, group="test-archive")
    while True:
        for place, messages in consumer.poll(timeout_ms=100).items():
            gate.read("archive", place.topic, place.partition, messages[-1].offset + 1)


def owed() -> None:
    """Until the store has every alert."""

    def history(store: AlertStore, config: StreamConfig) -> History:
        known = history_of(store, config)
        return History(known.registry, known.watches, known.links, [*known.owed, *_alerts(config.partitions)])

    with patch("lidm.embedded.history_of", history), front.embedded(load_settings()) as service:
        service.wait_quiet(120)
        rows = service.store.query("SELECT count(DISTINCT alert_id) FROM alerts")
        assert int(str(rows[0][0])) == ALERTS_OWED, rows
        cases = service.store.query("SELECT count(DISTINCT case_id) FROM case_events")
        assert int(str(cases[0][0])) == ALERTS_OWED, cases


def _alerts(partitions: int) -> list[Letter]:
    found, number = list[Letter](), 0
    while len(found) < ALERTS_OWED:
        number += 1
        one = alert(number)
        if partition_of(one.household, partitions) == 0:
            reason = os.urandom(REASON_CHARACTERS).hex() + "。"
            value = one.model_copy(update={"reason": reason}).model_dump_json().encode()
            found.append(Letter(ALERTS, 0, one.household.encode(), value, int(time.time() * 1000)))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "mail":
        asyncio.run(mail(Path(sys.argv[2])))
    else:
        owed()
