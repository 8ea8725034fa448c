"""Rounds of the first job: the floor, the product and plain Faust over the same bytes, alerts against the reference."""

import contextlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from load_tests.bench import ground, process
from load_tests.bench.bills import TODAY, Plan, noon_ms
from load_tests.bench.ground import PARTITIONS, Message, broker, publish, wait_read
from load_tests.bench.process import Worker
from load_tests.bench.reference import Expected, expected
from schemas.errors import DataError
from schemas.partition import partition_of
from schemas.topics import ALERTS, HOUSEHOLD_EVENTS, REJECTED, feed_topic
from streams.lag import committed_in

BILLS = feed_topic("medical.settlement")
MEMBERS = feed_topic("civil.household")
FEEDS = ("medical.settlement", "civil.household")
DETECTORS = ("MED-SELFPAY",)
PER_ARRAY = 100
FAUST_ALERTS = "plain.alerts"
FAUST_GROUP = "plain-faust"


class Cost(NamedTuple):
    """One stage in one round: CPU seconds, wall seconds, most memory."""

    cpu: float
    wall: float
    peak_mib: int


@dataclass(frozen=True)
class Scene:
    """The prepared brokers of one bench: people known, policy in force, bills waiting."""

    folder: Path
    bench: Plan
    singles: Path
    arrays: Path

    @contextlib.contextmanager
    def round(self, ready: Path) -> Iterator[str]:
        """The address of a fresh broker with everything prepared; nothing of it stays."""
        here = self.folder / "round"
        try:
            with broker(here, ready) as kafka:
                yield kafka.bootstrap
        finally:
            shutil.rmtree(here, ignore_errors=True)


def prepare(folder: Path, bench: Plan, faust: bool, arrays: bool) -> Scene:
    """Lets both sides learn the people first, then publishes the bills nobody has read yet."""
    base, now = folder / "base", noon_ms(TODAY)
    with broker(base) as kafka:
        ground.create_topics(kafka.bootstrap, "driven")
        publish(kafka.bootstrap, HOUSEHOLD_EVENTS, ground.controls(now, DETECTORS), now)
        publish(kafka.bootstrap, MEMBERS, ((None, k, v) for k, v in bench.memberships()), now)
        with (
            process.monitor(kafka.bootstrap, folder, DETECTORS) as monitor,
            process.intake(kafka.bootstrap, folder, FEEDS) as intake,
        ):
            wait_read(kafka.bootstrap, "intake", (MEMBERS,), intake.alive)
            wait_read(kafka.bootstrap, "monitor", None, monitor.alive)
        if faust:
            ground.create_topic(kafka.bootstrap, FAUST_ALERTS)
            with _faust(kafka.bootstrap, folder / "faust") as plain:
                _wait_faust(kafka.bootstrap, MEMBERS, plain)
    scene = Scene(folder, bench, folder / "singles", folder / "arrays")
    with broker(scene.singles, base) as kafka:
        publish(kafka.bootstrap, BILLS, ((None, k, v) for k, v in bench.messages()), now)
    if arrays:
        with broker(scene.arrays, base) as kafka:
            publish(kafka.bootstrap, BILLS, in_arrays(bench), now)
    return scene


def in_arrays(bench: Plan) -> Iterable[Message]:
    """The same bills, a hundred to a message; a bill stays in its person's partition."""
    waiting: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    for key, value in bench.messages():
        partition = partition_of(key, PARTITIONS)
        waiting[partition].append(value)
        if len(waiting[partition]) == PER_ARRAY:
            yield partition, key, b"[" + b",".join(waiting[partition]) + b"]"
            waiting[partition] = []
    for partition, values in enumerate(waiting):
        if values:
            yield partition, None, b"[" + b",".join(values) + b"]"


def measure_floor(bootstrap: str, folder: Path) -> float:
    """Reference floor of this round: `getmany` over the single bills, CPU microseconds per message."""
    given = {"broker": bootstrap, "topic": BILLS, "partitions": PARTITIONS}
    with Worker.stage("floor", folder / "floor.log", **given) as worker:
        told = worker.first("messages")
    return float(told["cpu"]) / float(told["messages"]) * 1e6


def measure_product(bootstrap: str, scene: Scene) -> dict[str, Cost]:
    """Both stages at once, each in its own process; CPU counts from when state and registry are loaded."""
    with process.monitor(bootstrap, scene.folder, DETECTORS) as monitor:
        monitor.first("ready")
        ground.nudge(bootstrap)
        wait_read(bootstrap, "monitor", None, monitor.alive)
        before = monitor.cpu()
        with process.intake(bootstrap, scene.folder, FEEDS) as intake:
            ready = intake.first("ready")
            began = time.monotonic()
            wait_read(bootstrap, "intake", (BILLS,), intake.alive)
            read = Cost(intake.cpu() - float(ready["total_cpu"]), time.monotonic() - began, intake.peak_mib())
            wait_read(bootstrap, "monitor", None, monitor.alive)
            folded = Cost(monitor.cpu() - before, time.monotonic() - began, monitor.peak_mib())
    check(_product_alerts(bootstrap), expected(scene.bench), "product")
    if any(True for _ in ground.read_all(bootstrap, REJECTED)):
        raise DataError("the product rejected bills of the bench")
    return {"intake": read, "monitor": folded}


def measure_faust(bootstrap: str, scene: Scene) -> Cost:
    """Plain Faust, from when its tables are recovered."""
    home = scene.folder / "faust-round"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(scene.folder / "faust", home)
    with _faust(bootstrap, home) as plain:
        wait_moving(bootstrap, plain)
        before, began = plain.cpu(), time.monotonic()
        missed = _faust_lag(bootstrap, BILLS)
        _wait_faust(bootstrap, BILLS, plain)
        used = plain.cpu() - before
        cost = Cost(used * len(scene.bench.order) / missed, time.monotonic() - began, plain.peak_mib())
    check(_faust_alerts(bootstrap), expected(scene.bench), "plain Faust")
    return cost


def wait_moving(bootstrap: str, plain: Worker) -> None:
    """Returns once plain Faust has recovered and begun; what it read before is scaled out."""
    total = _faust_lag(bootstrap, BILLS)

    def begun() -> bool:
        plain.alive()
        return _faust_lag(bootstrap, BILLS) < total

    ground.wait_until(begun, "plain Faust to begin")


def check(found: dict[str, Expected], wanted: dict[str, Expected], who: str) -> None:
    """Raises DataError unless the alerts in force are exactly the expected ones."""
    if found != wanted:
        differ = [name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)]
        example = sorted(differ)[0]
        text = f"{found.get(example)} instead of {wanted.get(example)}"
        raise DataError(f"alerts of {who} differ from the reference in {len(differ)} households, for example {text}")


def _product_alerts(bootstrap: str) -> dict[str, Expected]:
    newest: dict[str, tuple[int, str, str, Expected]] = {}
    for _, value in ground.read_all(bootstrap, ALERTS):
        alert = json.loads(value)
        said = Expected(alert["since"], alert["severity"], alert["measure"], alert["threshold"]["value"])
        known = newest.get(alert["alert_id"])
        if known is None or known[0] < alert["revision"]:
            newest[alert["alert_id"]] = (alert["revision"], alert["state"], alert["household"], said)
    return {household: said for _, state, household, said in newest.values() if state in ("raised", "updated")}


def _faust_alerts(bootstrap: str) -> dict[str, Expected]:
    found: dict[str, Expected] = {}
    for _, value in ground.read_all(bootstrap, FAUST_ALERTS):
        told = json.loads(value)
        household = told.pop("household")
        found.pop(household, None)
        if told:
            found[household] = Expected(**told)
    return found


def _faust(bootstrap: str, home: Path) -> Worker:
    env = {"PLAIN_BROKER": bootstrap, "PLAIN_TODAY": TODAY.isoformat(), "PLAIN_FOLDER": str(home)}
    command = ("-m", "load_tests.peers.plain_faust", "worker", "-l", "info", "--without-web")
    return Worker(*command, log=home.parent / "plain_faust.log", env=env)


def _faust_lag(bootstrap: str, topic: str) -> int:
    from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

    places = [TopicPartition(topic, p) for p in range(PARTITIONS)]
    consumer, admin = KafkaConsumer(bootstrap_servers=bootstrap), KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        ends = consumer.end_offsets(places)
        done = committed_in(admin, FAUST_GROUP, places)
        return sum(max(0, end - max(0, done[place].offset if place in done else 0)) for place, end in ends.items())
    finally:
        consumer.close()
        admin.close()


def _wait_faust(bootstrap: str, topic: str, plain: Worker) -> None:
    def done() -> bool:
        plain.alive()
        return _faust_lag(bootstrap, topic) == 0

    ground.wait_until(done, "plain Faust")
