"""Which process a pid means: pids are given again, a birth mark is not. Needs nothing but Python.

The mark is the machine's boot and the moment within it at which the process began: clocks may be set meanwhile.
"""

import os
from pathlib import Path

_PROC = Path("/proc")
_START_TICKS = 19
"""Field 22 of `/proc/<pid>/stat`, counted from behind the name."""


def birth_of(pid: int) -> str | None:
    """The birth mark of a process; None when there is none, or where the system has no `/proc`."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else f"{boot}/{fields[_START_TICKS]}"


def lives(pid: int, born: str | None) -> bool:
    """Whether the process of this mark still runs. Without a mark any process of that pid will do."""
    if born is not None and _PROC.joinpath("self/stat").exists():
        return birth_of(pid) == born
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
