"""The test session keeps its own promises: sockets are refused with their stack, and leftovers are found."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from schemas.partition import partition_of
from tests.conftest import guard
from tests.hygiene import leftovers

TOP = Path(__file__).resolve().parent.parent


def test_a_socket_is_refused_and_its_stack_is_kept_even_when_the_code_swallows_the_error() -> None:
    with guard.closed() as attempts:
        with contextlib.suppress(Exception):
            socket.create_connection(("127.0.0.1", 9))
        with pytest.raises(PermissionError, match="test_a_socket_is_refused"):
            socket.socket(socket.AF_INET6)
    assert len(attempts) == 2


def test_a_thread_started_by_the_test_is_refused_too() -> None:
    with guard.closed() as attempts:
        thread = threading.Thread(target=_try_socket)
        thread.start()
        thread.join()
    assert attempts


def test_an_event_loop_needs_no_internet_socket() -> None:
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"


def test_a_detached_process_is_found_and_named() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        assert child.pid in {process.pid for process in leftovers()}
    finally:
        child.kill()
        child.wait()
    assert child.pid not in {process.pid for process in leftovers()}


def _session(tmp_path: Path, test: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs one test file under this repository's conftest in a session of its own."""
    file = TOP / "tests" / f"scratch_{os.getpid()}" / f"test_{tmp_path.name}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(test)
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(file)],
            cwd=TOP, capture_output=True, text=True, check=False, timeout=120,
            env={"PATH": "/usr/bin:/bin", **environment},
        )  # fmt: skip
    finally:
        file.unlink()
        with contextlib.suppress(OSError):
            file.parent.rmdir()


def test_a_unit_test_with_a_socket_fails_and_shows_the_line(tmp_path: Path) -> None:
    done = _session(tmp_path, "import socket\ndef test_it():\n    socket.socket()  # here\n")
    assert done.returncode == 1
    assert "a unit test opened a socket" in done.stdout
    assert "# here" in done.stdout


def test_a_process_left_running_fails_the_session_and_is_ended(tmp_path: Path) -> None:
    test = (
        "import subprocess\n"
        "def test_it():\n"
        "    child = ['sh', '-c', 'echo up; exec sleep 77']\n"
        "    started = subprocess.Popen(child, start_new_session=True, stdout=subprocess.PIPE)\n"
        "    assert started.stdout.readline() == b'up\\n'  # before, the kernel may not show its environment yet\n"
    )
    done = _session(tmp_path, test)
    assert done.returncode == 1
    assert "LEFT RUNNING by the tests" in done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(("require", "exit_code"), [("0", 0), ("1", 1)])
def test_a_skipped_live_test_is_loud_or_a_failure(tmp_path: Path, require: str, exit_code: int) -> None:
    test = "import pytest\n@pytest.mark.live\ndef test_it(kafka_broker):\n    pass\n"
    done = _session(tmp_path, test, LIDM_TEST_REQUIRE_LIVE=require, PATH=str(tmp_path))
    assert done.returncode == exit_code, done.stdout
    assert ("LIVE TESTS SKIPPED" in done.stdout) is (require == "0")
    assert "java" in done.stdout


def test_the_in_memory_broker_serves_clients_and_keeps_murmur2(mock_broker: str) -> None:
    producer = KafkaProducer(bootstrap_servers=mock_broker, api_version=(2, 0))
    sent = producer.send("hygiene.memory", key=b"h_1", value=b"v").get(timeout=20)
    producer.close()
    assert sent.partition == partition_of("h_1", 4)
    consumer = KafkaConsumer(
        "hygiene.memory", bootstrap_servers=mock_broker, group_id=None, auto_offset_reset="earliest",
        consumer_timeout_ms=20_000, api_version=(2, 0),
    )  # fmt: skip
    assert next(consumer).value == b"v"
    consumer.close()


def _try_socket() -> None:
    with contextlib.suppress(PermissionError):
        socket.socket()
