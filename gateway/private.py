"""Folders and databases that only their owner reads, whatever the umask; those made otherwise before are narrowed."""

import os
import sqlite3
from pathlib import Path

BUSY_SECONDS = 60.0


def private_folder(folder: Path) -> Path:
    """The folder, made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def private_database(path: Path) -> sqlite3.Connection:
    """One sqlite file, opened or made; every statement is a transaction of its own. The caller guards its threads.

    Whoever finds it locked waits for as long as a city's roster takes to be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
