"""The front door. Whoever is told to stop while it still loads its parts has begun nothing, and ends with 0."""

import os
import signal
import sys
from contextlib import suppress

_STAYING = {"run", "worker"}
"""Commands that run until they are told to stop; to them SIGTERM is the orderly end. Others are cut short by it."""


def _end_before_anything_begins() -> None:
    """Loading takes a second and supervisors do not wait for it; the stages put their own handlers in this place."""
    with suppress(ValueError):  # not the main thread: somebody uses this as a library
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))


if _STAYING & set(sys.argv[1:2]):
    _end_before_anything_begins()
