"""One small city for the live tests: on the embedded service, on a real stack, and its monitor's log folded again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from lidm.cluster import admin_of, apply
from load_tests.chaos.fleet import Worker, wait_until
from load_tests.chaos.lab import STAGES, Lab
from load_tests.chaos.topics import read_all
from schemas.alerts import Alert
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS, STATE, Catalogue

SIZE = ("--households", "60", "--months", "9")
Episode = tuple[str, ...]
Sequences = dict[str, list[tuple[str, int, str]]]


def started(folder: Path, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    """`lidm …` on a data folder of its own; both outputs are pipes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIDM_")}
    environment |= {"LIDM_DATA_DIR": str(folder)} | settings
    command = [sys.executable, "-m", "lidm.main", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """The same, ended by its pid whatever happens."""
    process = started(folder, *arguments, **settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


def finished(process: "subprocess.Popen[str]", seconds: float = 280.0) -> tuple[int, str, str]:
    """Exit code and both outputs."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def lidm(folder: Path, *arguments: str, seconds: float = 90.0, **settings: str) -> tuple[int, str, str]:
    """Runs a command to its end."""
    with running(folder, *arguments, **settings) as process:
        return finished(process, seconds)


def answered(folder: Path, *arguments: str, seconds: float = 90.0, **settings: str) -> Any:
    """What a command that must succeed says with --json."""
    code, out, err = lidm(folder, *arguments, "--json", seconds=seconds, **settings)
    assert code == 0, f"{arguments}: {code}\n{out[-800:]}\n{err[-2000:]}"
    return json.loads(out)


@dataclass(frozen=True)
class Demo:
    """What one `lidm demo --json` came to."""

    code: int
    figures: dict[str, Any]
    said: str


def demo_of(process: "subprocess.Popen[str]", seconds: float = 280.0) -> Demo:
    """Waits for it."""
    code, out, err = finished(process, seconds)
    assert out.strip(), err[-3000:]
    return Demo(code, json.loads(out.splitlines()[-1]), out + err)


def episodes(alerts: Iterable[Alert]) -> set[Episode]:
    """What stands or stood, by the newest revision of every alert; the ids too are the same wherever it ran."""
    newest: dict[str, Alert] = {}
    for alert in alerts:
        if alert.alert_id not in newest or newest[alert.alert_id].revision < alert.revision:
            newest[alert.alert_id] = alert
    return {(a.detector, a.household, a.cause, a.since.isoformat(), a.state, a.alert_id) for a in newest.values()}


def sequences(alerts: Iterable[Alert]) -> Sequences:
    """Per household what was said, in the order it was said."""
    said: Sequences = {}
    for alert in alerts:
        said.setdefault(alert.household, []).append((alert.alert_id, alert.revision, alert.state))
    return said


def alerts_of(lab: Lab) -> list[Alert]:
    """Everything on the alert topic."""
    return [Alert.model_validate_json(m.value) for m in read_all(lab.config.broker, lab.config.partitions, ALERTS)]


def fold_again(lab: Lab, workers: int) -> tuple[list[Alert], list[int]]:
    """The finished log of a quiet lab, given to fresh monitor workers: their alerts, and how many each of them raised.

    Nothing is left of the first monitor. The workers share the partitions before there is anything to fold.
    """
    lab.fleet.stop()
    blocks = read_all(lab.config.broker, lab.config.partitions, HOUSEHOLD_EVENTS)
    wait_until(lambda: not lab.lag.members("monitor"), 30, "the monitor is still in its group")
    with admin_of(lab.config.broker) as admin:
        admin.delete_groups(["lidm-monitor"])
        admin.delete_topics([HOUSEHOLD_EVENTS, STATE, ALERTS])
        wait_until(lambda: _there_again(admin), 60, "the topics are not there again")
    fresh = [lab.fleet.start("monitor") for _ in range(workers)]
    for worker in fresh:
        lab.ready(worker)
    wait_until(lambda: lab.lag.members("monitor") == workers, 30, "a worker is missing")
    for worker in fresh:
        worker.freeze()
    for block in blocks:
        lab.producer.send(HOUSEHOLD_EVENTS, block.value, block.key, block.headers, block.partition, block.timestamp)
    lab.producer.flush(60)
    for worker in fresh:
        worker.thaw()
    lab.quiet("monitor")
    shares = [raised(worker) for worker in fresh]
    lab.fleet.stop()
    return alerts_of(lab), shares


def raised(worker: Worker) -> int:
    """How many alerts this worker says it has written."""
    lines = worker.asked("metrics").decode().splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("lidm_alerts_total{")))


def everything_ready(lab: Lab) -> None:
    """One worker a stage."""
    for stage in STAGES:
        if not lab.fleet.of(stage):
            lab.fleet.start(stage)
    for worker in lab.fleet.living:
        lab.ready(worker)


def _there_again(admin: KafkaAdminClient) -> bool:
    """Creates what has finished going away."""
    try:
        _, after = apply(admin, Catalogue.load(), "trial", "driven")
    except KafkaError:
        return False
    return all(state.standing == "ok" for state in after)


def pages_of(workers: Sequence[Worker]) -> list[bytes]:
    """What every worker shows on loopback."""
    return [worker.asked(page) for worker in workers for page in ("metrics", "phase", "readyz")]
