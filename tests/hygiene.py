"""What the test session promises about itself: unit tests open no socket, and no process outlives the session."""

import contextlib
import os
import socket
import sys
import threading
import traceback
import uuid
from collections.abc import Iterator

import psutil

SESSION_VARIABLE = "PYTEST_SESSION_OF_LIDM"
WATCHED = {"socket.__new__", "socket.getaddrinfo", "socket.gethostbyname"}
INTERNET = {socket.AF_INET, socket.AF_INET6}


class SocketGuard:
    """Refuses Internet sockets to unit tests, with the stack that wanted one. Local pairs (asyncio) stay allowed.

    Threads that lived before the test are not its doing: a broker of another test may have its clients there.
    Sockets opened inside C libraries are out of sight.
    """

    def __init__(self) -> None:
        self._older_threads: set[int] | None = None
        self._attempts: list[str] = []
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def closed(self) -> Iterator[list[str]]:
        """Within it no socket can be opened; yields the list of stacks that tried."""
        main = threading.get_ident()
        self._older_threads = {t.ident for t in threading.enumerate() if t.ident and t.ident != main}
        self._attempts = []
        try:
            yield self._attempts
        finally:
            self._older_threads = None

    def _audit(self, event: str, args: tuple[object, ...]) -> None:
        if event not in WATCHED or self._older_threads is None:
            return
        if threading.get_ident() in self._older_threads:
            return
        if event == "socket.__new__" and args[1] not in INTERNET:
            return
        stack = "".join(traceback.format_stack(limit=25)[:-1])
        self._attempts.append(stack)
        raise PermissionError(f"a unit test opened a socket ({event}): mark it live or take a broker fixture\n{stack}")


def tag_session() -> None:
    """Marks the environment, so that every descendant can be found again however it detached itself."""
    os.environ[SESSION_VARIABLE] = uuid.uuid4().hex


def leftovers() -> list[psutil.Process]:
    """Processes started by this session that still run."""
    tag = os.environ.get(SESSION_VARIABLE)
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if tag and process.status() != psutil.STATUS_ZOMBIE and process.environ().get(SESSION_VARIABLE) == tag:
                found.append(process)
    return found
