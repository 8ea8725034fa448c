"""Failpoints: places where a test lets the process die, as `kill -9` would. Inert unless LIDM_FAILPOINT names one."""

import os
import signal

_ENV = "LIDM_FAILPOINT"
_passed: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Dies here when LIDM_FAILPOINT is `name` or `name:n` (the n-th passage, from 1)."""
    wanted = os.environ.get(_ENV)
    if not wanted:
        return
    target, _, nth = wanted.partition(":")
    if target != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] >= int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
