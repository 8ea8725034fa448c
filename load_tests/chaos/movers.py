"""People who move and move back while their bills arrive, read by one worker and by two: the same must come of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from households.codec import canonical, in_force
from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.topics import STATE
from streams.rebuild import read_state

NOW = datetime(2026, 5, 18, 12, tzinfo=SHANGHAI)
MOVED, BACK = date(2026, 2, 1), date(2026, 4, 1)
BILLS = 6
STAGES = ("intake", "monitor")


@dataclass(frozen=True)
class Comparison:
    """What the two groups of people came to."""

    households: int
    episodes: int
    shared: bool
    differences: list[str]


class Movers:
    """A group of people; two groups differ in the first digit of their names and in nothing else."""

    def __init__(self, group: str, persons: int, partitions: int) -> None:
        self._group = group
        self._persons = persons
        self._pen = Pen(NOW - timedelta(days=1), partitions)
        self._later = Pen(NOW, partitions)

    def watched(self) -> list[Message]:
        """Everybody at home, and somebody else in the household they will move to."""
        found = []
        for n in range(self._persons):
            for person, home in ((self._person(n), self._home(n)), (self._other(n), self._next(n))):
                data = membership(home, SINCE, "HEAD", BORN["HEAD"], dibao=True)
                found.append(self._pen.event("civil.household", f"m{person[3:]}", person, data, SINCE))
        return found

    def at_once(self) -> list[Message]:
        """Moves there, back, and bills of all times, in any order."""
        messages = [message for n in range(self._persons) for message in self._of(n)]
        random.Random(5).shuffle(messages)
        return messages

    def _of(self, n: int) -> Iterator[Message]:
        rand, pen = random.Random(n), self._later
        person, home, there = self._person(n), self._home(n), self._next(n)
        until = BACK if n % 3 else None
        stays = [
            membership(home, SINCE, "HEAD", BORN["HEAD"], until=MOVED, dibao=True),
            membership(there, MOVED, "OTHER", BORN["HEAD"], until=until, dibao=True),
        ]
        if n % 3:
            stays.append(membership(home, BACK, "HEAD", BORN["HEAD"], dibao=True))
        for at, data in enumerate(stays):
            yield pen.event("civil.household", f"v{n}-{at}", person, data, date.fromisoformat(str(data["valid_from"])))
        for number in range(BILLS):
            day = date(2025, 12, 1) + timedelta(rand.randrange(160))
            large = rand.random() < 0.05
            data = bill(f"S{person[3:]}-{number}", day, rand.randint(400_000, 900_000) if large else 2_000)
            yield pen.event("medical.settlement", f"b{n}-{number}", person, data, day)

    def _person(self, n: int) -> str:
        return f"p_{self._group}{n:031x}"

    def _other(self, n: int) -> str:
        return f"p_{self._group}{n + 2**60:031x}"

    def _home(self, n: int) -> str:
        return f"h_{self._group}{n:031x}"

    def _next(self, n: int) -> str:
        return f"h_{self._group}{n + 2**60:031x}"


def one_and_two(folder: Path, persons: int) -> Comparison:
    """Group `a` is read by one intake and one monitor, then group `b` by two of each."""
    with lab(folder, workers=STAGES) as made:
        at_ms = int(NOW.timestamp() * 1000)
        made.begin(at_ms)
        made.golive("MED-SELFPAY", at_ms)
        groups = [Movers(name, persons, made.config.partitions) for name in "ab"]
        for group in groups:
            made.publish(group.watched())
        made.quiet(*STAGES)
        made.publish(groups[0].at_once())
        made.quiet(*STAGES)
        for stage in STAGES:
            made.ready(made.fleet.start(stage))
        made.quiet(*STAGES)
        shared = all(made.lag.members(stage) == 2 for stage in STAGES)
        made.publish(groups[1].at_once())
        made.quiet(*STAGES)
        shared = shared and all(made.lag.members(stage) == 2 for stage in STAGES)
        made.tick(at_ms + 86_400_000)
        made.quiet(*STAGES)
        return _compared(made, shared)


def _compared(made: Lab, shared: bool) -> Comparison:
    sides: dict[str, dict[str, Any]] = {"a": {}, "b": {}}
    episodes = 0
    for watch in read_state(made.config, made.lag.ends(STATE)).values():
        for name in watch.names():
            household = watch.household(name)
            plain = msgspec.json.encode([canonical(household), in_force(household.head.episodes)]).decode()
            for prefix in ("p_", "h_"):
                plain = plain.replace(f"{prefix}{name[2]}", f"{prefix}*")
            sides[name[2]][name[3:]] = plain
            episodes += len(in_force(household.head.episodes))
    one, two = sides["a"], sides["b"]
    differ = [f"{key}: {one.get(key)} | {two.get(key)}" for key in sorted(one.keys() | two.keys())
              if one.get(key) != two.get(key)]  # fmt: skip
    return Comparison(len(one), episodes // 2, shared, differ)
