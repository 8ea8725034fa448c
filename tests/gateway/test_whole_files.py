"""Whole files, sent, sent again as they were, and sent again shorter and changed: the last word counts.

From the gateway's files through intake and every partition of the monitor; nothing in between is imitated.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Department
from gateway.events import BatchPlan, Mode
from gateway.feed import FeedPublisher
from gateway.publish import Published, publish_file
from gateway.resume import Keeping
from gateway.upload import MODES, PAGE, _arrival
from gateway.watched import plan_of
from households.standing import disabilities
from lidm.commands.feed import _missing
from load_tests.chaos.events import Message
from schemas.errors import CallError
from schemas.facts import Fact, first_day
from schemas.facts_standing import Disability
from schemas.feed import FEEDS
from tests.gateway.outlet import Outlet
from tests.gateway.people import number
from tests.gateway.test_publish import LINKAGE, PLAN
from tests.streams.town import PARTITIONS, Town, person

PEOPLE, GONE, CHANGED = 200, 30, 20
MAY = 2026 * 12 + 4
FIRST = first_day(MAY)
BENEFIT = ("证件号码", "待遇类别", "待遇所属月", "发放金额(元)")
CERTIFICATE = ("证件号码", "残疾类别", "发证日期", "残疾等级", "业务类型")
WHOLE: tuple[Mode, ...] = ("replace_period", "full_snapshot")
Lines = list[Sequence[str]]


class Office:
    """A department, its gateway and the service behind."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.outlet, self.hours = folder, Outlet(PARTITIONS), 0
        self.numbers = {LINKAGE.person(number(n + 1)): n for n in range(PEOPLE)}
        self.town = Town(PEOPLE)

    def send(self, feed: str, head: Sequence[str], lines: Lines, mode: Mode, areas: tuple[str, ...] = PLAN.areas
             ) -> Published:  # fmt: skip
        self.town.pass_time()
        path = self.folder / "month.csv"
        path.write_text("\n".join(",".join(line) for line in (head, *lines)) + "\n", encoding="utf-8")
        done = publish_file(
            path, feed, publisher=self.outlet, linkage=LINKAGE, recorded=self.town.at,
            batch=BatchPlan("2026-05", areas, mode), keeping=Keeping(self.folder / "journal"),
        )  # fmt: skip
        self.deliver()
        return done

    def deliver(self) -> None:
        """What the gateway sent, under the pseudonyms of the town's people."""
        names = {real.encode(): person(n).encode() for real, n in self.numbers.items()}
        messages = []
        for each in self.outlet.sent:
            value = each.value
            for real, name in names.items():
                if real in value:
                    value = value.replace(real, name)
            messages.append(Message(each.topic, each.partition, each.key, value, self.town.ms))
        self.outlet.sent.clear()
        self.town.read(messages)

    def live(self, kind: type[Fact]) -> list[tuple[Any, ...]]:
        """What counts, without when and how it was told."""
        return [
            (n, fact.key, fact.day, *[getattr(fact, name) for name in kind.__struct_fields__[7:]])
            for n in range(PEOPLE)
            for fact in self.town.household(n).of_kind(kind)
        ]

    def holders(self, day: int) -> list[tuple[int, str, int]]:
        """Who holds which certificate on a day."""
        return [
            (n, each.category, each.level)
            for n in range(PEOPLE)
            for each in disabilities(self.town.household(n), person(n), day)
        ]


def benefits(changed: int = 0, people: int = PEOPLE) -> Lines:
    return [(number(n + 1), "DIBAO", "2026-05", "905.00" if n < changed else "800.00") for n in range(people)]


def certificates(changed: int = 0, people: int = PEOPLE) -> Lines:
    return [(number(n + 1), "肢体", "2024-03-01", "三级" if n < changed else "二级", "新办") for n in range(people)]


@pytest.mark.parametrize("mode", WHOLE)
def test_sent_again_shorter_and_changed_it_equals_having_sent_only_that(tmp_path: Path, mode: Mode) -> None:
    kind = FEEDS["civil.benefit"].fact
    office, fresh = Office(tmp_path / "a"), Office(tmp_path / "b")
    for each in (office, fresh):
        each.folder.mkdir()
    feed, last = "civil.benefit", benefits(CHANGED, PEOPLE - GONE)
    assert office.send(feed, BENEFIT, benefits(), mode).receipt.difference is None
    before = [office.town.watches[p].control_records() for p in range(PARTITIONS)]
    again = office.send(feed, BENEFIT, benefits(), mode)
    assert (again.receipt.unchanged, office.outlet.sent) == (True, [])
    assert [office.town.watches[p].control_records() for p in range(PARTITIONS)] == before
    told = office.send(feed, BENEFIT, last, mode).receipt.difference
    assert told is not None
    assert (told.gone, told.changed, told.new, told.unchanged) == (GONE, CHANGED, 0, PEOPLE - GONE - CHANGED)
    assert "上次有而这次没有 30 行" in told.text
    fresh.send(feed, BENEFIT, last, mode)
    assert len(office.live(kind)) == PEOPLE - GONE
    assert office.live(kind) == fresh.live(kind)
    assert office.town.told == fresh.town.told == []


def test_who_leaves_a_full_snapshot_held_a_certificate_until_the_month_began(tmp_path: Path) -> None:
    office, fresh = Office(tmp_path / "a"), Office(tmp_path / "b")
    for each in (office, fresh):
        each.folder.mkdir()
    feed, last = "disability.certificate", certificates(CHANGED, PEOPLE - GONE)
    for lines in (certificates(), certificates(), last):
        office.send(feed, CERTIFICATE, lines, "full_snapshot")
    fresh.send(feed, CERTIFICATE, last, "full_snapshot")
    for day in (FIRST, FIRST + 20):
        assert office.holders(day) == fresh.holders(day)
        assert len(office.holders(day)) == PEOPLE - GONE
    assert len(office.holders(FIRST - 1)) == PEOPLE
    ended = [each for n in range(PEOPLE - GONE, PEOPLE) for each in office.town.household(n).of_kind(Disability)]
    assert [each.until for each in ended] == [FIRST] * GONE


@pytest.mark.parametrize("mode", WHOLE)
def test_half_a_file_ends_nothing_until_somebody_says_so(tmp_path: Path, mode: Mode) -> None:
    kind = FEEDS["civil.benefit"].fact
    office, feed = Office(tmp_path), "civil.benefit"
    office.send(feed, BENEFIT, benefits(), mode)
    done = office.send(feed, BENEFIT, benefits(people=PEOPLE // 2), mode)
    assert done.receipt.closed, "the department has delivered; whether it takes effect is not the department's to say"
    assert len(office.live(kind)) == PEOPLE
    assert [(each.state, each.before, each.gone, each.rows) for each in office.town.told] == [("held", 200, 100, 100)]
    office.town.decide(feed, str(done.receipt.batchid), "release")
    assert len(office.live(kind)) == PEOPLE // 2


def test_nothing_told_by_the_publisher_kit_falls_under_its_own_snapshot() -> None:
    outlet = Outlet()
    now = datetime.fromisoformat("2026-06-03T09:00:00+08:00")
    record = {"identity": number(1), "category": "PHYSICAL", "issued_on": "2024-03-01", "level": "2", "action": "NEW"}
    early = {**record, "recordedtime": (now - timedelta(days=900)).isoformat(), "issued_on": "2023-03-01"}
    plan = BatchPlan("2026-05", PLAN.areas, "full_snapshot")
    with FeedPublisher("disability.certificate", publisher=outlet, linkage=LINKAGE, batch=plan, recorded=now) as feed:
        feed.send(record)
        feed.send(early)
    begun = min(each.recorded_ms for each in outlet.manifests())
    assert [each.fact.recorded_ms for each in outlet.deliveries()] == [begun] * 2
    assert {each.mode for each in outlet.manifests()} == {"full_snapshot"}


def test_memberships_are_no_list_to_send_whole(tmp_path: Path) -> None:
    plan = BatchPlan("2026-05", PLAN.areas, "full_snapshot")
    with pytest.raises(CallError, match="不收全量快照"):
        FeedPublisher("civil.household", publisher=Outlet(), linkage=LINKAGE, batch=plan)


def test_a_file_name_says_that_it_is_everything_there_is() -> None:
    assert plan_of("2026-05_339901000000_snapshot_x.csv") == BatchPlan("2026-05", PLAN.areas, "full_snapshot")
    assert plan_of("2026-05_339901000000_snapshot.csv") == BatchPlan("2026-05", PLAN.areas, "full_snapshot")


@pytest.mark.parametrize("mode", [None, *MODES.items()])
def test_the_page_has_a_choice_for_it(tmp_path: Path, mode: tuple[str, Mode] | None) -> None:
    choice, expected = mode or ("delta", "delta")
    assert f'value="{choice}"' in PAGE.template
    department = Department(name="某局", code_sha256="0" * 64, feeds=["civil.benefit"])
    said = {"feed": "civil.benefit", "period": "2026-05", "areas": "339901000000", "mode": choice}
    plan = _arrival(said, tmp_path / "x.csv", department, {}).plan
    assert plan is not None
    assert plan.mode == expected


def test_the_receipt_says_what_becomes_of_what_is_missing(tmp_path: Path) -> None:
    office = Office(tmp_path)
    done = office.send("disability.certificate", CERTIFICATE, certificates(), "full_snapshot")
    assert _missing(done.receipt) == (
        "以前有而这次没有的，视为自 2026-05 首日起终止；超过原有的 20% 则先不生效，等人确认（lidm feed hold list）"
    )
