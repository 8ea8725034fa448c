"""The embedded service in a process of its own: whoever publishes to it has a core for itself."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from lidm.embedded import embedded
from lidm.settings import Settings
from schemas.errors import LidmError, Stop


@contextmanager
def embedded_process(settings: Settings, *, clock: str) -> Iterator[BaseProcess]:
    """Starts the service of these settings, announced in its data folder; it ends with the caller, however that ends.

    Raises what kept it from starting; Stop when it did not end in order.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(settings, clock, theirs), name="lidm-embedded")
    process.start()
    theirs.close()
    try:
        _await_start(ours)
        yield process
    finally:
        ours.close()
        process.join()
    if process.exitcode:
        raise Stop(f"内嵌服务没有正常结束（代码 {process.exitcode}），见上面的日志")


def _await_start(pipe: Connection) -> None:
    try:
        said = pipe.recv()
    except EOFError:
        raise Stop("内嵌服务没有启动，见上面的日志") from None
    if isinstance(said, LidmError):
        raise said


def _serve(settings: Settings, clock: str, owner: Connection) -> None:
    """Serves until the other end of the pipe is closed, which a killed owner's is too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.pop("LIDM_BROKER", None)
    try:
        with embedded(settings, clock=clock):
            owner.send(None)
            owner.poll(None)
    except LidmError as error:
        owner.send(error)
