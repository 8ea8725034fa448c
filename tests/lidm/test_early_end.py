"""A supervisor may change its mind while a worker still loads its parts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def told_while_loading(folder: Path, number: int, *words: str) -> int:
    """Exit code of a command that gets a signal as soon as its package is there and the rest is still being loaded."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment |= {"LIDM_DATA_DIR": str(folder)}
    command = [sys.executable, "-X", "importtime", "-m", "lidm.main", *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.rpartition(b"|")[2].strip() == b"lidm":
                process.send_signal(number)
                break
        process.stderr.read()
        return process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("words", [("worker", "monitor"), ("run", "--embedded")])
def test_a_service_told_to_stop_before_it_began_ends_well(tmp_path: Path, number: int, words: tuple[str, ...]) -> None:
    assert told_while_loading(tmp_path, number, *words) == 0


def test_a_command_cut_short_does_not_pretend_to_be_done(tmp_path: Path) -> None:
    assert told_while_loading(tmp_path, signal.SIGTERM, "feed", "list") == -signal.SIGTERM
