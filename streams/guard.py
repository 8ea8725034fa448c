"""The one way out when a guarantee cannot be kept: say why, then end the process before anything is committed."""

import os
import traceback
from typing import NoReturn

import structlog

from schemas.errors import Stop

STOPPED = 4
log = structlog.get_logger("lidm.guard")


def stop_process(stage: str, error: BaseException) -> NoReturn:
    """Ends the process at once with exit code 4. An agent that Faust restarted would have lost what it had folded.

    The traceback names code lines only; messages of our own errors carry no payload.
    """
    stack = traceback.extract_tb(error.__traceback__)
    frames = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in stack]
    reason = str(error) if isinstance(error, Stop) else type(error).__name__
    log.critical("stopped_to_keep_a_guarantee", stage=stage, reason=reason, frames=frames[-6:])
    os._exit(STOPPED)
