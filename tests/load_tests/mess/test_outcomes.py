"""What mess that is well formed comes to in the ledgers: late bills, families that change, areas, wrong deaths."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.publish import publish_file
from load_tests.chaos.events import Pen, membership
from load_tests.chaos.workload import BORN, SINCE
from load_tests.mess import forms, people
from load_tests.mess.files import Mess, number
from schemas.calendar import SHANGHAI
from streams.routing import Inbound
from streams.watch import Watch
from tests.gateway.outlet import Outlet
from tests.load_tests.mess.test_kinds import LINKAGE, RECORDED
from tests.streams.making import BY_TOPIC, Log, config, fold
from tests.streams.town import home

KNOWN = int((datetime(2026, 6, 4, 9, tzinfo=UTC)).timestamp() * 1000)


class Town:
    """Intake and the monitor of one partition, its mail to itself as well; `persons` are in the registry."""

    def __init__(self, *persons: str) -> None:
        self.log, self.watch, self._folded = Log(), Watch(0, config()), 0
        pen = Pen(datetime(2026, 1, 5, 12, tzinfo=SHANGHAI), 1)
        for n, person in enumerate(persons, 1):
            said = membership(home(n), SINCE, "CHILD", BORN["CHILD"])
            self.log.feed([pen.event("civil.household", f"m{n}", person, said, SINCE)])
        self._settle()

    def read(self, mess: Mess, order: Any = list) -> Outlet:
        """What a file says, its messages in any order."""
        outlet = Outlet(1)
        publish_file(mess.path, mess.feed, publisher=outlet, linkage=LINKAGE, recorded=RECORDED)
        for offset, sent in enumerate(order(outlet.sent)):
            inbound = Inbound(sent.topic, 0, offset, KNOWN, sent.key, sent.value)
            self.log.router.take(BY_TOPIC[sent.topic], [inbound])
            self.log.letters(self.log.router.drain()[0])
        self._settle()
        return outlet

    def _settle(self) -> None:
        while self._folded < len(self.log.blocks):
            news, self._folded = self.log.blocks[self._folded :], len(self.log.blocks)
            fold(self.watch, news)
            drained = self.watch.drain()
            self.watch.keep(drained.state)
            self.log.letters(drained.outputs)


def who(n: int) -> str:
    return LINKAGE.person(number(n))


def backwards(sent: Iterable[Any]) -> list[Any]:
    return list(sent)[::-1]


@pytest.mark.parametrize("order", [list, backwards])
def test_bills_of_thirteen_months_ago_are_bills_of_their_own_day(tmp_path: Path, order: Any) -> None:
    """1: a year's sum is worked out again, whenever a bill of it becomes known."""
    [late] = forms.late(tmp_path)
    town = Town(*(who(n) for n in range(1, 13)))
    town.read(late, order)
    first, last = ((town.watch.household(home(n)).bills(who(n))) for n in (1, 12))
    assert [date.fromordinal(each.day) for each in (*first, *last)] == [date(2025, 6, 20), date(2026, 5, 20)]


@pytest.mark.parametrize("order", [list, backwards])
def test_who_is_in_two_books_lives_in_one_at_a_time(tmp_path: Path, order: Any) -> None:
    """7: a backdated end and a move; the head who left is no member afterwards, in any order of arrival."""
    [mess] = people.households(tmp_path)
    town = Town()
    town.read(mess, order)
    one, two = (town.watch.household("h_" + digit * 32) for digit in "12")
    before, after = date(2026, 5, 1), date(2026, 5, 3)
    assert {each.person for each in one.members_on(before)} == {who(1), who(2)}
    assert {each.person for each in one.members_on(after)} == set()
    assert {each.person for each in two.members_on(after)} == {who(2)}


def test_an_area_is_whole_or_the_row_is_refused(tmp_path: Path) -> None:
    """8: nothing is filled up to twelve digits, and a name stands for no code."""
    [mess] = people.areas(tmp_path)
    events = Town(who(1), who(2)).read(mess).events()
    assert {value for each in events for value in each["data"].values() if str(value).startswith("339")} == {
        "339901001000"
    }
    assert len(events) == 2


@pytest.mark.parametrize("order", [list, backwards])
def test_a_death_years_late_counts_from_its_day_and_one_taken_back_never_was(tmp_path: Path, order: Any) -> None:
    """9: with the reversal first too; the survivors' alert of a wrong death is withdrawn by its rule."""
    [mess] = people.deaths(tmp_path)
    town = Town(who(1), who(2))
    town.read(mess, order)
    late, wrong = town.watch.household(home(1)), town.watch.household(home(2))
    assert [date.fromordinal(each.day) for each in late.deaths()] == [date(2023, 2, 11)]
    assert wrong.deaths() == []
    day = RECORDED.date() - timedelta(days=1)
    assert {each.person for each in wrong.members_on(day)} == {who(2)}
