"""A small town in memory: a router, two partitions of the monitor, two of links, and what they write to one another."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from households.links import shared, shown
from households.residence import elsewhere
from schemas.feeds.links import SharedAccount
from schemas.links import Saying
from schemas.topics import HOUSEHOLD_EVENTS, LINKS
from streams.delivery import Letter
from streams.links import Links
from streams.registry import Registry
from streams.routing import Inbound, Router
from streams.statelog import Item
from streams.watch import Watch
from tests.streams.making import BY_TOPIC, PUBLIC_KEY, Block, config

PARTS = 2
CONFIG = config(PARTS)
BEGIN_MS = 1_767_225_600_000  # 2026-01-01
Told = tuple[str, str, int, tuple[tuple[int, int], ...], tuple[str, ...]]
"""Household, key, day, steps, areas."""


def person(n: int) -> str:
    return f"p_{n:032x}"


def home(n: int) -> str:
    return f"h_{n:032x}"


def account(n: int) -> str:
    return f"k_{n:032x}"


def place(n: int) -> str:
    return f"3399010{n:02d}000"


class Stage:
    """One partition of a stage with its durable state and the offset it has committed."""

    def __init__(self, make: Any, log: list[Block]) -> None:
        self._make, self.log = make, log
        self.state: list[Item] = []
        self.committed = self.at = 0
        self.part = make()

    def read(self, topic: str, limit: int = 1_000) -> None:
        """Folds what is new."""
        for offset, at_ms, value in self.log[self.at : self.at + limit]:
            self.part.fold(topic, offset, at_ms, value)
            self.at = offset + 1

    def checkpoint(self, *, dies: bool = False, written: float = 0.0) -> list[Letter]:
        """The outputs, then state and offset; `dies`: after the outputs and that share of the state, without the
        marker, and somebody else goes on."""
        drained = self.part.drain()
        if dies:
            self.state += drained.state[: int(written * len(drained.state))]
            self.part, self.at = self._make(), self.committed
            for item in self.state:
                self.part.restore(item.key, item.value)
            self.part.opened()
        else:
            self.state += drained.state
            self.part.keep(drained.state)
            self.committed = self.at
        outputs: list[Letter] = drained.outputs
        return outputs


class Town:
    """Everything between feeds and facts about links."""

    def __init__(self) -> None:
        self.router = Router(Registry(), PARTS, PUBLIC_KEY)
        self.events: list[list[Block]] = [[] for _ in range(PARTS)]
        self.sayings: list[list[Block]] = [[] for _ in range(PARTS)]
        self.monitor = [Stage(lambda p=p: Watch(p, CONFIG, {}), self.events[p]) for p in range(PARTS)]
        self.links = [Stage(lambda p=p: Links(p, CONFIG), self.sayings[p]) for p in range(PARTS)]
        self._sent = 0

    def publish(self, kind: str, subject: str, operation: str = "record", version: int = 0, **data: Any) -> None:
        """One event; `version` decides between records of one key."""
        self._sent += 1
        at_ms = BEGIN_MS + 200 * 86_400_000 + self._sent
        when = datetime.fromtimestamp(BEGIN_MS / 1000 + version, UTC).isoformat()
        event = {
            "specversion": "1.0", "id": f"{kind}-{subject}-{sorted(data.items())}-{version}-{operation}"[:120],
            "source": "urn:lidm:test", "type": f"lidm.{kind}", "subject": subject, "time": when,
            "recordedtime": when, "operation": operation, "data": data,
        }  # fmt: skip
        topic = f"feeds.{kind}.v1"
        message = Inbound(topic, 0, self._sent, at_ms, None, json.dumps(event, ensure_ascii=False).encode())
        self.router.take(BY_TOPIC[topic], [message])
        letters, _, counts = self.router.drain()
        assert not counts.rejected, counts
        assert not counts.out_of_scope, counts
        self.deliver(letters)

    def declare(self, n: int, who: int, since: str = "2020-01-01", until: str | None = None, version: int = 0) -> None:
        """Somebody is the head of household n, which is on record in town n."""
        area = place(n)
        declared = dict.fromkeys(("hukou_area", "residence_area", "responsible_area", "incident_area"), area)
        stay: dict[str, Any] = {"household": home(n), "relation": "HEAD", "valid_from": since, "valid_to": until}
        self.publish("civil.household", person(who), version=version, declared=declared, **stay)

    def deliver(self, letters: Iterable[Letter]) -> None:
        """Into the logs of the partitions they go to."""
        for letter in letters:
            logs = {HOUSEHOLD_EVENTS: self.events, LINKS: self.sayings}.get(letter.topic)
            if logs is not None:
                log = logs[letter.partition]
                log.append((len(log), letter.timestamp_ms or 0, letter.value or b""))

    def step(self, which: int, *, dies: bool = False, limit: int = 1_000, written: float = 0.0) -> None:
        """One partition of one stage reads on and ends with a checkpoint."""
        stage, topic = [*((m, HOUSEHOLD_EVENTS) for m in self.monitor), *((each, LINKS) for each in self.links)][which]
        stage.read(topic, limit)
        self.deliver(stage.checkpoint(dies=dies, written=written))

    def settle(self) -> None:
        """Until nobody has anything to read."""
        while any(stage.at < len(stage.log) for stage in (*self.monitor, *self.links)):
            for which in range(2 * PARTS):
                self.step(which)

    # ---- what came of it
    def households(self) -> Iterable[Any]:
        for stage in self.monitor:
            for name in stage.part.names():
                yield stage.part.household(name)

    def told(self) -> set[Told]:
        """What ledgers hold of links, where each person lives."""
        return {
            (each.id, fact.key, fact.day, fact.steps, fact.areas)
            for each in self.households()
            for who in each.head.lasting
            if elsewhere(each.head, who) is None
            for fact in each.of_kind(SharedAccount, who)
        }

    def due(self) -> set[Told]:
        """What should be known there, worked out from all ledgers at once."""
        sayings: dict[str, dict[str, Saying]] = {}
        lives: dict[str, str] = {}
        for each in self.households():
            lives |= {who: each.id for who in each.head.lasting if elsewhere(each.head, who) is None}
            for what in shown(each):
                saying = Saying(what.kind, what.key, each.id, 0, 0, what.uses, what.kin, what.area)
                sayings.setdefault(saying.link, {})[each.id] = saying
        return {
            (lives[who], fact.key, fact.day, fact.steps, fact.areas)
            for link, said in sayings.items()
            for who, fact in shared(link, said).items()
        }


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
