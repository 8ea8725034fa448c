"""A month of a department's rows through the running service: checked, published, killed twice, counted in ClickHouse.

What is counted are facts in `household_log`: the archived blocks are what rows about watched people become, and a
settlement number stands in exactly one of them. Everybody in the file is in the roster, so no row is out of scope.
`feed_reading` says the same from the other side: how many rows intake took out of the topic.
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from load_tests.chaos.lab import Lab, lab
from load_tests.mess.files import inhabitants
from load_tests.mess.forms import flood
from schemas.calendar import SHANGHAI
from schemas.feed import FEEDS
from schemas.records import FactRecord, decode_block
from tests.gateway.test_roster import member, write

KIND = "medical.settlement"
TOPIC = FEEDS[KIND].topic
AT = "2026-06-03 09:00:00"
DEAREST = 20
"""Bills of at most 200 yuan: hardly anybody passes a line, so that rules cost what they cost in a city."""
KILLED_AT = (0.3, 0.7)
_SHARE = re.compile(r"(\d+)%")


@dataclass
class Told:
    """What a command came to: exit code, its JSON, most memory in MB, and which shares its progress bar showed."""

    code: int
    said: dict[str, Any]
    peak_mb: int
    shares: list[int]


@dataclass
class Command:
    """`lidm …` on a lab's folder; somebody watches its standard error, so that it shows progress."""

    folder: Path
    words: tuple[str, ...]
    peak_mb: int = 0
    _seen: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
        screen, theirs = pty.openpty()
        command = [sys.executable, "-m", "lidm.main", *self.words, "--at", AT, "--json"]
        self.process = subprocess.Popen(
            command, env=environment | {"LIDM_DATA_DIR": str(self.folder)}, stdout=subprocess.PIPE, stderr=theirs
        )
        os.close(theirs)
        self._watching = [
            threading.Thread(target=work, daemon=True) for work in (lambda: self._see(screen), self._weigh)
        ]
        for thread in self._watching:
            thread.start()

    def ended(self) -> Told:
        """Waits for it."""
        out = self.process.communicate()[0].decode()
        for thread in self._watching:
            thread.join(10)
        shares = [int(each) for each in _SHARE.findall(self._seen.decode(errors="replace"))]
        assert out.strip(), self._seen.decode(errors="replace")[-2000:]
        return Told(self.process.returncode, json.loads(out.splitlines()[-1]), self.peak_mb, shares)

    def killed(self, when: Callable[[], bool]) -> Told:
        """`kill -9` as soon as that is so."""
        while not when():
            assert self.process.poll() is None, self._seen.decode(errors="replace")[-2000:]
            time.sleep(0.1)
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        shares = [int(each) for each in _SHARE.findall(self._seen.decode(errors="replace"))]
        return Told(self.process.returncode, {}, self.peak_mb, shares)

    def _see(self, screen: int) -> None:
        with suppress(OSError):  # that is how a pseudo terminal says that nobody writes any more
            while seen := os.read(screen, 65_536):
                self._seen += seen
        os.close(screen)

    def _weigh(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        while self.process.poll() is None:
            with suppress(OSError, IndexError):
                self.peak_mb = max(self.peak_mb, int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024)
            time.sleep(0.1)


@dataclass
class Once:
    """What became of the rows."""

    rows: int
    check: Told
    killed: list[Told]
    publish: Told
    seconds: float
    in_clickhouse: int
    repeated: int
    missing: int
    read_by_intake: int
    blocks: int
    blocks_twice: int

    @property
    def peak_mb(self) -> dict[str, int]:
        """Most memory of checking and of any run of publishing."""
        return {
            "check": self.check.peak_mb,
            "publish": max(each.peak_mb for each in (*self.killed, self.publish)),
        }


def through_the_service(folder: Path, rows: int, people: int, patience: float = 600.0) -> Once:
    """Rows of so many people, all of whom are watched; returns when the archive has everything."""
    with lab(folder / "lab", workers=("intake", "monitor", "archive")) as made:
        data = made.settings.data_dir
        made.begin(int(datetime.fromisoformat(AT).replace(tzinfo=SHANGHAI).timestamp() * 1000))
        homes = [member(f"HK{n}", who, "户主") for n, who in enumerate(inhabitants(people))]
        loaded = Command(data, ("roster", "load", str(write(folder / "roster.csv", homes)))).ended()
        assert loaded.code == 0, loaded.said
        made.quiet("intake", "monitor", "archive", seconds=patience)
        file = flood(folder / "flood.csv", rows, people, DEAREST)
        checked = Command(data, ("feed", "check", str(file), "--feed", KIND, "--synthetic")).ended()
        words = ("feed", "publish", KIND, str(file), "--period", "2026-05", "--area", "339901000000")
        began, before = time.monotonic(), _sent(made)
        killed = []
        for share in KILLED_AT:
            goal = before + round(share * rows)
            killed.append(Command(data, words).killed(lambda goal=goal: _sent(made) >= goal))  # type: ignore[misc]
        published = Command(data, words).ended()
        made.quiet("intake", "monitor", "archive", seconds=patience)
        seconds = time.monotonic() - began
        return _counted(made, rows, checked, killed, published, seconds)


def _sent(made: Lab) -> int:
    return sum(made.lag.ends(TOPIC).values())


def _counted(made: Lab, rows: int, checked: Told, killed: list[Told], published: Told, seconds: float) -> Once:
    times = bytearray(rows)
    for block in made.store.read_household_log():
        for record in decode_block(block.block):
            if isinstance(record, FactRecord) and record.topic == TOPIC:
                number = int(record.body.fact.key[1:])
                times[number] = min(255, times[number] + 1)
    [(inserted,)] = made.store.query("SELECT count() FROM household_log")
    [(read,)] = made.store.query(
        "SELECT sum(most) FROM (SELECT max(`rows`) AS most FROM feed_reading WHERE feed = %(feed)s "
        "GROUP BY generation, topic, `partition`, first_offset)",
        {"feed": KIND},
    )
    blocks = made.store.counts().blocks
    return Once(
        rows=rows,
        check=checked,
        killed=killed,
        publish=published,
        seconds=seconds,
        in_clickhouse=rows - times.count(0),
        repeated=rows - times.count(0) - times.count(1),
        missing=times.count(0),
        read_by_intake=int(str(read)),
        blocks=blocks,
        blocks_twice=int(str(inserted)) - blocks,
    )
