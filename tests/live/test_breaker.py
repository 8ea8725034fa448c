"""One feed at 100 % garbage against a real Kafka: it is parked where it stands, the others flow, nothing is lost."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner

from lidm.commands.feed_parked import list_parked, resume_feed
from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.fleet import wait_until
from load_tests.chaos.lab import Lab, lab
from load_tests.chaos.topics import read_all
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.feed import FEEDS
from schemas.records import FactRecord, decode_block
from schemas.topics import HOUSEHOLD_EVENTS, REJECTED

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
BAD, GOOD = "medical.settlement", "employment.contribution"
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), 4)
DAY = PEN.at.date()
PERSON, HOME = "p_" + "1" * 32, "h_" + "1" * 32
GARBAGE = 3_000
ROWS = 300


def contribution(name: str) -> Message:
    data = {"month": "2026-04", "employer": name, "base": 1}
    return PEN.event(GOOD, name, PERSON, data, DAY)


@pytest.fixture
def made(tmp_path: Any) -> Iterator[Lab]:
    with lab(tmp_path, workers=False) as found:
        found.fleet.environment |= {"LIDM_BREAKER_ROWS": str(ROWS), "LIDM_BREAKER_MINUTES": "0"}
        found.ready(found.fleet.start("intake"))
        data = membership(HOME, SINCE, "HEAD", BORN["HEAD"])
        found.publish([PEN.event("civil.household", "m", PERSON, data, SINCE)])
        found.quiet("intake")
        yield found


def facts(made: Lab, kind: str) -> list[str]:
    blocks = read_all(made.config.broker, made.config.partitions, HOUSEHOLD_EVENTS)
    records = [r for m in blocks for r in decode_block(m.value)]
    return sorted(r.body.fact.event_id for r in records if isinstance(r, FactRecord) and r.topic == FEEDS[kind].topic)


def parked(made: Lab) -> dict[str, Any]:
    said = CliRunner().invoke(list_parked, ["--json"], env={"LIDM_DATA_DIR": str(made.settings.data_dir)})
    assert said.exit_code == 0, said.output
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def behind(made: Lab, kind: str) -> int:
    return made.lag.of("intake", [FEEDS[kind].topic])[FEEDS[kind].topic]


def test_garbage_parks_its_feed_and_no_other(made: Lab) -> None:
    made.publish([PEN.message(BAD, PERSON, b"\x00 garbage") for _ in range(GARBAGE)])
    made.publish([PEN.event(BAD, "kept", PERSON, bill("kept", DAY, 1_000), DAY)])
    wait_until(lambda: BAD in parked(made), 30, "not parked")
    control = parked(made)[BAD]
    assert control["owner"] == "市医疗保障局"
    assert control["refused"] >= ROWS

    began = time.monotonic()
    made.publish([contribution(f"E{n}") for n in range(500)])
    wait_until(lambda: behind(made, GOOD) == 0, 20, "the other feed stands still")
    assert time.monotonic() - began < 10
    assert len(facts(made, GOOD)) == 500
    waiting = behind(made, BAD)
    assert waiting >= GARBAGE + 1 - 2 * ROWS - 256
    [worker] = made.fleet.of("intake")
    assert f'lidm_feed_parked{{feed="{BAD}"}} 1.0' in worker.asked("metrics").decode()

    worker.kill()
    made.ready(made.fleet.start("intake"))
    made.publish([contribution("after")])
    wait_until(lambda: behind(made, GOOD) == 0, 30, "nothing flows after a restart")
    assert behind(made, BAD) == waiting

    done = CliRunner().invoke(resume_feed, [BAD], env={"LIDM_DATA_DIR": str(made.settings.data_dir)})
    assert done.exit_code == 0, done.output
    made.quiet("intake", seconds=60)
    assert not parked(made)
    assert [each.split("~")[0] for each in facts(made, BAD)] == ["kept"]
    letters = {m.key for m in read_all(made.config.broker, 4, REJECTED)}
    assert len(letters) == GARBAGE
