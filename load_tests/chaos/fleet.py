"""Worker processes under test: started, watched, killed, frozen and replaced; each by its own pid."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError

KILLED = -signal.SIGKILL


@dataclass
class Worker:
    """One `lidm worker` process."""

    stage: str
    process: subprocess.Popen[bytes]
    log: Path
    data_dir: Path
    failpoint: str | None = None
    expected: bool = False
    """Its end is no surprise: it was told to, or the end was noted."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def phase(self) -> dict[str, Any]:
        """What it says of itself: phase and dirty count; empty while it does not answer."""
        try:
            found: dict[str, Any] = json.loads(self.asked("phase"))
            return dict(found[self.stage])
        except (OSError, URLError, ValueError, KeyError):
            return {}

    def ready(self) -> bool:
        """Whether it says that it has everything it needs."""
        try:
            return bool(self.asked("readyz"))
        except (OSError, URLError, ValueError, KeyError):
            return False

    def asked(self, what: str) -> bytes:
        """What its loopback page says. Raises OSError, URLError, ValueError while it does not answer."""
        face = self.data_dir / "run" / f"worker-{self.process.pid}.json"
        url = json.loads(face.read_text())["http"]
        with urllib.request.urlopen(f"{url}/{what}", timeout=2) as answer:  # noqa: S310 - loopback address of ours
            said: bytes = answer.read()
            return said

    def kill(self) -> None:
        """`kill -9`, and wait."""
        self.expected = True
        if self.alive:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM; returns the exit code. Raises TimeoutExpired when it takes longer."""
        self.expected = True
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def wait(self, seconds: float) -> int | None:
        """Exit code when it ends within `seconds`, else None."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


@dataclass
class Fleet:
    """All workers of a run. Use as a context: leaving ends whatever still runs."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    _started: int = 0

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.thaw()
                worker.kill()

    def start(self, stage: str, *, failpoint: str | None = None, **extra: str) -> Worker:
        """A new worker; it joins the stage's group when it is ready."""
        self._started += 1
        log = self.data_dir / f"{stage}-{self._started}.log"
        environment = {**_clean(os.environ), "LIDM_DATA_DIR": str(self.data_dir), **self.environment, **extra}
        if failpoint:
            environment["LIDM_FAILPOINT"] = failpoint
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "lidm.main", "worker", stage], env=environment, stdout=out, stderr=out
            )
        worker = Worker(stage, process, log, self.data_dir, failpoint)
        self.workers.append(worker)
        return worker

    def keep_alive(self, stages: tuple[str, ...]) -> list[Worker]:
        """Starts a worker for every stage that has none; returns those started."""
        return [self.start(stage) for stage in stages if not self.of(stage)]

    def of(self, stage: str) -> list[Worker]:
        """Living workers of a stage."""
        return [worker for worker in self.workers if worker.stage == stage and worker.alive]

    @property
    def living(self) -> list[Worker]:
        """Workers that run."""
        return [worker for worker in self.workers if worker.alive]

    def stop(self) -> dict[str, int]:
        """SIGTERM to all; exit codes by stage and pid."""
        living = self.living
        for worker in living:
            worker.expected = True
            worker.process.send_signal(signal.SIGTERM)
        return {f"{worker.stage}-{worker.process.pid}": worker.process.wait(40) for worker in living}

    def complaints(self) -> list[str]:
        """Critical log lines of all workers."""
        found = []
        for worker in self.workers:
            found += [line for line in worker.log.read_text(errors="replace").splitlines() if '"critical"' in line]
        return found


def wait_until(answer: Any, seconds: float, what: str) -> None:
    """Polls until `answer()` is true. Raises TimeoutError naming what was waited for."""
    until = time.monotonic() + seconds
    while not answer():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.1)


def _clean(environment: Any) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("LIDM_")}
