"""Logs are JSON lines without identities, ours and the libraries' alike. In a process of its own: pytest logs too."""

import json
import subprocess
import sys
from typing import Any

import pytest

NUMBER = "999999196804010016"
PREAMBLE = """
import logging, sys, structlog
from lidm.logs import configure_logs
configure_logs("info")
secret = sys.argv[1]
log = structlog.get_logger("lidm.test")
"""


def logged(script: str, secret: str) -> tuple[str, list[dict[str, Any]]]:
    """Standard error of a process that logs, and its lines parsed."""
    command = [sys.executable, "-c", PREAMBLE + script, secret]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stderr, [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("secret", [NUMBER, NUMBER[:17] + "X", "999999680401001", "13900000000"])
def test_whatever_looks_like_an_identity_is_redacted(secret: str) -> None:
    text, lines = logged(
        """
log.info("row", value=secret, nested={"deep": [secret]}, text=f"号码{secret}有误", amount=520000)
logging.getLogger("aiokafka").warning("library says %s", secret)
try:
    raise ValueError(f"bad {secret}")
except ValueError:
    log.exception("failed")
""",
        secret,
    )
    assert len(lines) == 3
    assert secret not in text
    assert lines[0]["amount"] == 520000
    assert lines[1]["logger"] == "aiokafka"
    assert "ValueError" in lines[2]["exception"]


def test_pseudonyms_and_counts_stay_readable() -> None:
    household = "h_" + "0" * 31 + "1"
    _, (line,) = logged("log.info('done', household=secret, rows=123456789012345678)", household)
    assert line["household"] == household
    assert line["rows"] == 123456789012345678


def test_a_command_logs_to_the_standard_error_of_the_moment_redacted() -> None:
    """Whoever calls the command may have closed the one it had: a log that fails then would end a thread."""
    command = f"""
import io, sys, structlog
from lidm.logs import configure_command_logs
first, sys.stderr = sys.stderr, io.StringIO()
configure_command_logs()
structlog.get_logger().info("before")
sys.stderr.close()
sys.stderr = first
structlog.get_logger().warning("limits", person={NUMBER!r})
"""
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert "limits" in done.stderr
    assert NUMBER not in done.stderr
    assert not done.stdout
