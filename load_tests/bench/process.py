"""A worker process under measurement: its lines, its CPU and memory, and its end."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import psutil

from load_tests.bench.ground import PARTITIONS, wait_until
from schemas.errors import Stop
from schemas.topics import Clock

STOP_SECONDS = 30
MIB = 1024 * 1024
CLOCK: Clock = "driven"


class Worker:
    """A child process that ends with the `with` block, whatever happens inside."""

    def __init__(self, *command: str, log: Path, env: dict[str, str] | None = None) -> None:
        self._command = [sys.executable, *command]
        self.log = log
        self._env = {**os.environ, **(env or {})}
        self._lines: list[dict[str, Any]] = []

    @classmethod
    def stage(cls, name: str, log: Path, **given: Any) -> "Worker":
        """One of `load_tests.bench.worker`."""
        return cls("-m", "load_tests.bench.worker", name, json.dumps(given), log=log)

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=self._env, text=True
            )
        self._process = psutil.Process(self._child.pid)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def all(self, what: str, count: int) -> list[dict[str, Any]]:
        """So many lines that carry a word. Raises Stop when the process ends before."""
        wait_until(lambda: self._count(what) >= count or self._dead(), what)
        found = [line for line in self._lines if what in line]
        if len(found) < count:
            raise Stop(f"a worker ended early, see {self.log}")
        return found

    def first(self, what: str) -> dict[str, Any]:
        """The first line that carries a word. Raises Stop when the process ends before."""
        return self.all(what, 1)[0]

    def alive(self) -> None:
        """Raises Stop when the process has ended."""
        if self._dead():
            raise Stop(f"a worker ended early, see {self.log}")

    def cpu(self) -> float:
        """CPU seconds so far, user and system."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def peak_mib(self) -> int:
        """The most memory it ever held."""
        for line in Path(f"/proc/{self._child.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1024
        return int(self._process.memory_info().rss) // MIB

    def _dead(self) -> bool:
        return self._child.poll() is not None

    def _count(self, what: str) -> int:
        return sum(what in line for line in self._lines)

    def _listen(self) -> None:
        assert self._child.stdout is not None  # noqa: S101 - narrows the type
        for line in self._child.stdout:
            with contextlib.suppress(ValueError):
                self._lines.append(json.loads(line))


def intake(bootstrap: str, folder: Path, feeds: Sequence[str], clock: Clock = CLOCK) -> Worker:
    """The product's intake over some feeds."""
    given = {"broker": bootstrap, "partitions": PARTITIONS, "folder": str(folder / "intake"), "clock": clock}
    return Worker.stage("intake", folder / "intake.log", **given, feeds=list(feeds))


def monitor(
    bootstrap: str, folder: Path, detectors: Sequence[str] = (), clock: Clock = CLOCK, decoded: int | None = None
) -> Worker:
    """The product's monitor, with these detectors or those in service; `decoded` households are kept decoded."""
    given: dict[str, Any] = {"broker": bootstrap, "partitions": PARTITIONS, "folder": str(folder / "monitor")}
    if detectors:
        given["detectors"] = list(detectors)
    if decoded is not None:
        given["decoded"] = decoded
    return Worker.stage("monitor", folder / "monitor.log", **given, clock=clock)
