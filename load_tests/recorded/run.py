"""Runs a planned city and restless households beside it, week by week, every detector of the checker live at once."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from gateway.events import BatchPlan
from gateway.identities import Linkage
from gateway.publish import publish_nothing
from gateway.vault import Vault
from load_tests.city.calendar import at, millis, month_name, month_start
from load_tests.city.driver import Driver
from load_tests.city.planner import City, Config, Week
from load_tests.city.schedule import CADENCES
from load_tests.recorded.service import Recorder
from load_tests.recorded.stories import CLOSED_HERE, Stories
from policy.bundle import Bundle
from schemas.partition import partition_of
from schemas.records import GoliveBody, GoliveRecord, Record, encode_block
from schemas.sealing import new_key_pair
from schemas.topics import HOUSEHOLD_EVENTS, feed_topic
from streams.delivery import Letter
from streams.ticks import household_ticks

CODES = (
    "MED-SELFPAY", "RIGID-RATIO", "JOB-LOSS", "INCOME-LINE", "DEATH-ON-BENEFIT", "DUPLICATE-CONFLICT",
    "DISAB-SUBSIDY-GAP", "PACKAGE-GAP",
)  # fmt: skip
RESTLESS_PERCENT = 20
_ROSTER = feed_topic("civil.household")
CITY_AT_LEAST = 60
CLOSING_DAY = 2
_DELIVERED = frozenset(cadence.feed for cadence in CADENCES)
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Size:
    """How many households for how many months; a fifth of them restless."""

    households: int
    months: int
    seed: int
    codes: tuple[str, ...] = CODES

    @property
    def restless(self) -> int:
        """Households that do everything at random."""
        return max(1, self.households * RESTLESS_PERCENT // 100)


class Recording:
    """One run into a folder."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        config = Config(max(CITY_AT_LEAST, size.households - size.restless), size.months, size.seed)
        self.city = City(config, folder / "files")
        self.bundle = Bundle.load(ROOT / "policy")
        self.recorder = Recorder(folder, new_key_pair()[1], size.codes)
        self.stories = Stories(self.city.span, size.restless, size.seed, folder / "stories")

    def run(self) -> None:
        """Everything; what was said lies in the folder afterwards."""
        self.stories.write()
        with Vault(self.folder / "vault.sqlite", b"v" * 32) as vault:
            driver = Driver(self.city, self.recorder, Linkage(b"k" * 32, synthetic=True), vault, self.bundle)
            self._begin(driver)
            ticks = [self._week(driver, week) for week in self.city.weeks()]
        self.recorder.close()
        area = self.city.lines.city
        said = {"ticks": ticks, "first": f"{self.city.span.first}", "codes": self.size.codes, "area": area,
                "events": self.recorder.written, "rejected": self.recorder.counts["rejected"],
                "out_of_scope": self.recorder.counts["out_of_scope"]}  # fmt: skip
        (self.folder / "run.json").write_text(json.dumps(said))

    def _begin(self, driver: Driver) -> None:
        driver.begin()
        moment = millis(at(self.city.span.first, 1))
        for code in self.size.codes:
            self._control(GoliveRecord("", moment, "", 0, 0, GoliveBody(self.city.lines.city, code, 50)), moment)

    def _week(self, driver: Driver, week: Week) -> str:
        self.recorder.week = week.number
        told = self._told(week)
        self.recorder.send(letter for letter in told if letter.topic == _ROSTER)
        self.recorder.settle()  # facts about people nobody has registered yet are out of scope
        for delivery in week.deliveries:
            driver.deliver(delivery)
        self.recorder.send(letter for letter in told if letter.topic != _ROSTER)
        self._closings(week)
        self.recorder.settle()
        self._tick(millis(at(week.tick, 0)))
        self.recorder.settle()
        return week.tick.isoformat()

    def _told(self, week: Week) -> list[Letter]:
        letters = []
        for line in self.stories.week(week.number):
            event = msgspec.json.decode(line)
            key, topic = event["subject"].encode(), feed_topic(event["type"].removeprefix("lidm."))
            at_ms = max(millis(datetime.fromisoformat(event["recordedtime"])), millis(at(week.first, 1)))
            letters.append(Letter(topic, partition_of(key, self.recorder.partition_count), key, line, at_ms))
        return letters

    def _closings(self, week: Week) -> None:
        """Months of the feeds only restless households are in, each complete before its department must be punctual."""
        days = [week.first + timedelta(days=n) for n in range((week.tick - week.first).days)]
        closed = next((month_start(day, -1) for day in days if day.day == CLOSING_DAY), None)
        if closed is None or closed < self.city.span.first:
            return
        moment = at(month_start(closed, 1).replace(day=CLOSING_DAY), 9)
        for feed in (each for each in CLOSED_HERE if each not in _DELIVERED):
            plan = BatchPlan(month_name(closed), (self.city.lines.city,), batchid=f"{feed}-{closed}")
            publish_nothing(feed, publisher=self.recorder.publisher, recorded=moment, batch=plan,
                            source=f"urn:xinghe:{feed}", timestamp_ms=millis(moment))  # fmt: skip

    def _tick(self, at_ms: int) -> None:
        self.recorder.send(household_ticks(range(self.recorder.partition_count), at_ms))

    def _control(self, record: Record, at_ms: int) -> None:
        value = encode_block([record])
        partitions = range(self.recorder.partition_count)
        self.recorder.send([Letter(HOUSEHOLD_EVENTS, p, None, value, at_ms) for p in partitions])
