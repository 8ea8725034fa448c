"""The local stack's bookkeeping: ports stay, foreign processes are left alone, settled choices are kept."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import Missing, NotReady
from deploy.local.install import install
from deploy.local.jars import kafka_libs
from deploy.local.process import Server
from deploy.local.stack import Stack

SLEEPER = [sys.executable, "-c", "import sys, time; print('up', sys.argv, flush=True); time.sleep(60)", "--mark=x"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server named 'sleeper' that is stopped in the end."""
    sleeper = Server("sleeper", tmp_path)
    yield sleeper
    sleeper.end(kill=True)


def test_a_server_is_found_again_by_its_record(server: Server) -> None:
    server.launch(SLEEPER, mark="--mark=x")
    server.wait_until(lambda: "up" in server.log_end(), 20)
    found = Server("sleeper", server.folder).process
    assert found is not None
    assert found.pid == json.loads(server.record.read_text())["pid"]
    assert Server("sleeper", server.folder).end()
    assert not psutil.pid_exists(found.pid) or found.status() == psutil.STATUS_ZOMBIE


def test_a_pid_that_belongs_to_somebody_else_is_left_alone(server: Server) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        started = psutil.Process(stranger.pid).create_time()
        server.record.write_text(json.dumps({"pid": stranger.pid, "started": started, "mark": "--mark=x"}))
        assert server.process is None
        assert not server.end(kill=True)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_reused_pid_of_the_same_command_is_left_alone(server: Server) -> None:
    server.launch(SLEEPER, mark="--mark=x")
    noted = json.loads(server.record.read_text())
    server.wait_until(lambda: "up" in server.log_end(), 20)
    server.record.write_text(json.dumps({**noted, "started": noted["started"] - 3600}))
    assert server.process is None
    server.record.write_text(json.dumps(noted))
    assert server.process is not None


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(server: Server) -> None:
    server.launch([sys.executable, "-c", "raise SystemExit('bad config line 7')"], mark="-c")
    with pytest.raises(NotReady, match="bad config line 7"):
        server.wait_until(lambda: False, 20)


def test_kafka_comes_through_maven_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho run >> "{calls}"\nfor a; do case $a in -DoutputDirectory=*) d=${{a#*=}};; esac; done\n'
        'mkdir -p "$d" && touch "$d/kafka_2.13-4.1.1.jar"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LIDM_CACHE", str(tmp_path / "cache"))
    first = kafka_libs()
    assert [jar.name for jar in first.iterdir()] == ["kafka_2.13-4.1.1.jar"]
    assert kafka_libs() == first
    assert calls.read_text() == "run\n"


def test_a_failed_download_leaves_nothing_that_looks_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no route; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LIDM_CACHE", str(tmp_path / "cache"))
    for _ in range(2):
        with pytest.raises(Missing, match="no route"):
            kafka_libs()


def test_what_cannot_be_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing, match="clickhouse-server"):
        install()


def test_size_and_clock_are_settled_at_the_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(tmp_path)
    for part in (stack.kafka, stack.clickhouse):
        (part.folder).mkdir(parents=True)
        (part.folder / "ports.json").write_text('{"broker": 1, "controller": 2, "tcp": 3, "http": 4}')
        monkeypatch.setattr(type(part), "start", lambda self: None)
    assert stack.up(size="county").size == "county"
    said = json.loads(stack.service_file.read_text())
    assert said["broker"] == "127.0.0.1:1"
    assert said["clickhouse"] == {"host": "127.0.0.1", "port": 3}
    assert (said["mode"], said["clock"]) == ("local", "wall")
    assert stack.down() == []
    assert not stack.service_file.exists()
    assert stack.up().size == "county"
    with pytest.raises(NotReady, match="county"):
        stack.up(size="city")


def test_a_folder_in_use_by_the_embedded_service_is_refused(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.service_file.parent.mkdir(parents=True)
    stack.service_file.write_text(json.dumps({"mode": "embedded", "pid": os.getpid()}))
    with pytest.raises(NotReady, match="内嵌"):
        stack.up()
    stack.down()
    assert stack.service_file.exists(), "another service's announcement is not ours to remove"


def test_a_folder_whose_embedded_service_was_killed_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pid may have been given to another process, here to this one."""
    stack = Stack(tmp_path)

    def start(broker: object) -> None:
        raise NotReady("as far as Kafka")

    monkeypatch.setattr(type(stack.kafka), "start", start)
    stack.service_file.parent.mkdir(parents=True)
    stack.service_file.write_text(json.dumps({"mode": "embedded", "pid": os.getpid(), "born": "another boot/1"}))
    with pytest.raises(NotReady, match="as far as Kafka"):
        stack.up()
