"""One workload lived twice: undisturbed, and under every fault in turn. What differs afterwards is a fault of ours."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from lidm.cluster import admin_of, apply
from load_tests.chaos.fleet import wait_until
from load_tests.chaos.lab import STAGES, Lab, lab
from load_tests.chaos.outcome import Outcome, contradictions, differences, outcome
from load_tests.chaos.pace import Pace
from load_tests.chaos.schedule import Journal, crash_at_every_failpoint, frozen, joins, kill_at_work, store_away
from load_tests.chaos.workload import Week, Workload
from schemas.topics import STATE, Catalogue
from streams.rebuild import read_state

COMMAND_SECONDS = 1800
KILLABLE = ("monitor", "intake", "cases", "monitor", "archive")


@dataclass(frozen=True)
class Plan:
    """How large the story is. `pace`: events a second at most.

    `loaded_mean`: events a second on average while workers come and go, in bursts at the full pace; so the number of
    events and the length of that part can be chosen apart.
    """

    households: int = 300
    small: float = 4.0
    large: float = 0.10
    weeks: int = 11
    pace: float = 150.0
    loaded_mean: float = 35.0
    kills: int = 5
    joins_loaded: float = 90.0
    joins_idle: float = 60.0
    store_away: float = 60.0
    freeze: float = 15.0
    seed: int = 7

    def workload(self) -> Workload:
        """The same every time."""
        return Workload(self.households, self.weeks, seed=self.seed, small=self.small, large=self.large)


@dataclass
class Story:
    """What came of it."""

    journal: Journal = field(default_factory=Journal)
    events: int = 0
    calm: Outcome | None = None
    shaken: Outcome | None = None
    calm_contradictions: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    rebuilt: dict[str, dict[str, Any]] = field(default_factory=dict)
    wiped: list[str] = field(default_factory=list)

    @property
    def differences(self) -> list[str]:
        """In what the shaken run differs from the calm one."""
        if self.calm is None or self.shaken is None:
            return ["the story is not finished"]
        return differences(self.calm, self.shaken)


def live(folder: Path, plan: Plan) -> Story:
    """Both runs. The undisturbed one, with a stack of its own, fills the time in which workers join an idle service."""
    story = Story()
    with ThreadPoolExecutor(1) as aside, lab(folder / "shaken") as shaken:
        _shake(shaken, plan, story, lambda: aside.submit(_calm, folder / "calm", plan, story))
    return story


def _calm(folder: Path, plan: Plan, story: Story) -> None:
    with story.journal.timed("calm"), lab(folder) as quiet:
        workload = plan.workload()
        quiet.open(workload)
        for week in workload.weeks():
            story.events += week.events
            quiet.play(week)
        quiet.quiet(*STAGES)
        story.calm_contradictions = contradictions(quiet)
        story.calm = outcome(quiet)


def _shake(lab: Lab, plan: Plan, story: Story, aside: Callable[[], Future[None]]) -> None:
    workload, journal, steady = plan.workload(), story.journal, Pace(plan.pace)
    lab.open(workload)
    weeks = workload.weeks()
    with journal.timed("failpoints"):
        crash_at_every_failpoint(lab, weeks, journal, steady)
    with journal.timed("kills"):
        order = random.Random(plan.seed).sample(KILLABLE, len(KILLABLE))
        while len(journal.kills) < plan.kills:
            done = len(journal.kills)
            nth = partial(_in_turn, order, done)
            kill_at_work(lab, next(weeks), journal, plan.kills - done, steady, nth)
    with journal.timed("joins, loaded"), store_away(lab, plan.store_away), joins(lab, journal, STAGES[:3]):
        _load(lab, weeks, plan.joins_loaded, Pace(plan.pace, plan.loaded_mean))
    with journal.timed("joins, idle"), joins(lab, journal):
        lab.quiet(*STAGES)
        calm = aside()
        time.sleep(plan.joins_idle)
    calm.result()
    with journal.timed("freeze"), frozen(lab, journal, STAGES[:3], plan.freeze):
        lab.play(next(weeks), steady)
    _all_there(lab)
    rest = list(weeks)
    for week in rest[:-1]:
        lab.play(week)
    lab.quiet(*STAGES)
    with journal.timed("rebuild"):
        _rebuild(lab, story)
    lab.play(rest[-1])
    lab.quiet(*STAGES)
    story.contradictions = contradictions(lab)
    story.shaken = outcome(lab)
    with journal.timed("stop"):
        journal.stops += [(name.split("-")[0], code, 0.0) for name, code in lab.fleet.stop().items()]
    story.complaints = lab.fleet.complaints()


def _in_turn(order: list[str], done: int, n: int) -> str:
    return order[(done + n) % len(order)]


def _load(lab: Lab, weeks: Iterator[Week], seconds: float, pace: Pace) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        lab.play(next(weeks), pace)


def _all_there(lab: Lab) -> None:
    """One worker at least for every stage; somebody may have stopped after its freeze."""
    for worker in lab.fleet.keep_alive(STAGES):
        lab.ready(worker)


def _rebuild(lab: Lab, story: Story) -> None:
    """The log and the archive lead to the running state; and to the same again after it is wiped."""
    for origin in ("log", "archive"):
        story.rebuilt[origin] = _command(lab, "rebuild", "--from", origin, "--json")
    before = read_state(lab.config, lab.lag.ends(STATE))
    for worker in lab.fleet.of("monitor"):
        worker.stop()
    wait_until(lambda: not lab.lag.members("monitor"), 30, "the monitor is still in its group")
    _wipe(lab)
    story.rebuilt["switched"] = _command(lab, "rebuild", "--from", "archive", "--switch", "--json")
    after = read_state(lab.config, lab.lag.ends(STATE))
    for p, watch in before.items():
        mine, theirs = ({key: raw[8:] for key, raw in each.records()} for each in (watch, after[p]))
        story.wiped += [f"{p} {key}" for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
        if dict(watch.control_records()) != dict(after[p].control_records()):
            story.wiped.append(f"{p} control")
    lab.ready(lab.fleet.start("monitor"))


def _wipe(lab: Lab) -> None:
    admin = KafkaAdminClient(bootstrap_servers=lab.config.broker)
    admin.delete_topics([STATE])
    admin.close()

    def created() -> bool:
        try:
            with admin_of(lab.config.broker) as fresh:
                apply(fresh, Catalogue.load(), "trial", "driven")
            return all(end == 0 for end in lab.lag.ends(STATE).values())
        except KafkaError:
            return False

    wait_until(created, 30, "the state topic does not come back")


def _command(lab: Lab, *words: str) -> dict[str, Any]:
    """A `lidm` command's last JSON line."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIDM_")}
    done = subprocess.run(
        [sys.executable, "-m", "lidm.main", *words],
        env={**environment, "LIDM_DATA_DIR": str(lab.settings.data_dir)},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if not done.stdout.strip():
        raise AssertionError(f"lidm {' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {**said, "exit": done.returncode}
