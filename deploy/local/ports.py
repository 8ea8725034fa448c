"""Loopback ports that stay the same over restarts and are never handed to an outgoing connection."""

import contextlib
import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral range (32768-60999): a client that reconnects while its server is down must not be
# given the server's own port as its source port and so talk to itself.
LOWEST, HIGHEST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return True
    return False


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=0.5):
        return True
    return False


def remembered(memory: Path, names: Sequence[str]) -> dict[str, int]:
    """One port per name: those noted in `memory` where they are still free, else new ones, noted for the next start."""
    noted: dict[str, int] = json.loads(memory.read_text()) if memory.exists() else {}
    ports: dict[str, int] = {}
    for name in names:
        port = noted.get(name, 0)
        while not port or port in ports.values() or not is_free(port):
            port = random.SystemRandom().randrange(LOWEST, HIGHEST)
        ports[name] = port
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(ports))
    return ports
