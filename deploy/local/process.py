"""One detached server process in a folder: found again by its record, never by its name, stopped only if it is ours."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from deploy.local.errors import NotReady
from deploy.local.ports import remembered

# The start time is computed from the wall clock, which may be stepped; the command line is the stronger witness.
STARTED_TOLERANCE_SECONDS = 60.0


class Server:
    """A daemon with `<folder>/process.json` as its memory and `<folder>/server.log` as its voice."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder.resolve()
        self.record = self.folder / "process.json"
        self.log = self.folder / "server.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process | None:
        """The running process, or None. A pid that was given to somebody else meanwhile is not ours."""
        try:
            noted = json.loads(self.record.read_text())
            process = psutil.Process(int(noted["pid"]))
            same_start = abs(process.create_time() - float(noted["started"])) < STARTED_TOLERANCE_SECONDS
            same_command = noted["mark"] in process.cmdline()
        except (OSError, ValueError, KeyError, psutil.Error):
            return None
        return process if same_start and same_command and process.status() != psutil.STATUS_ZOMBIE else None

    def launch(self, command: Sequence[str], mark: str, env: Mapping[str, str] | None = None) -> None:
        """Starts `command` in a session of its own. `mark` is an argument by which its command line is known again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )
        noted = {"pid": self._child.pid, "started": psutil.Process(self._child.pid).create_time(), "mark": mark}
        scratch = self.record.with_suffix(".new")
        scratch.write_text(json.dumps(noted))
        scratch.replace(self.record)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Polls `ready` until it holds. Raises NotReady with the end of the log when time or the process ends first."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._ended():
                raise NotReady(f"{self.name} 启动后退出：\n{self.log_end()}")
            with contextlib.suppress(Exception):
                if ready():
                    return
            time.sleep(0.1)
        raise NotReady(f"{self.name} 在 {seconds:.0f} 秒内没有就绪：\n{self.log_end()}")

    def _ended(self) -> bool:
        # Right after its start a child may show no command line yet.
        return self._child.poll() is not None if self._child else self.process is None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal. Raises NotReady when the server does not run."""
        process = self.process
        if process is None:
            raise NotReady(f"{self.name} 没有在运行")
        process.send_signal(number)

    def end(self, seconds: float = 30.0, *, kill: bool = False) -> bool:
        """Ends the process, politely unless `kill`; returns whether there was one. Data stays in the folder."""
        process = self.process
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
                self._wait_gone(process, seconds)
        self.record.unlink(missing_ok=True)
        return process is not None

    def _wait_gone(self, process: psutil.Process, seconds: float) -> None:
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(seconds)
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(1)
            self._child = None

    def log_end(self, lines: int = 40) -> str:
        """The last lines the server wrote."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class Daemon:
    """One server of the local stack: a second start on the same folder finds its data and its ports again."""

    name: str
    ports: tuple[str, ...]

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._server = Server(self.name, self.folder)

    @property
    def pid(self) -> int | None:
        """Process id, or None when it does not run."""
        process = self._server.process
        return process.pid if process else None

    def stop(self) -> bool:
        """Ends it cleanly; returns whether it ran. What it stored stays in the folder."""
        return self._server.end()

    def close(self) -> None:
        """The same, for `contextlib.closing`."""
        self.stop()

    def kill(self) -> None:
        """Ends it as a power failure would."""
        self._server.end(kill=True)

    def freeze(self) -> None:
        """Stops it in the middle of whatever it does (SIGSTOP): connections stay open and silent."""
        self._server.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._server.signal(signal.SIGCONT)

    def _chosen(self) -> dict[str, int]:
        """The ports of this folder; chosen at the first start."""
        return remembered(self._memory, self.ports)

    def _port(self, name: str) -> int:
        if not self._memory.exists():
            raise NotReady(f"{self.name} 还没有启动过")
        ports: dict[str, int] = json.loads(self._memory.read_text())
        return ports[name]

    @property
    def _memory(self) -> Path:
        return self.folder / "ports.json"
