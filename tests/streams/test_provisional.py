"""Provisional households: opened over a line, extended, silent after 24 months, ended by the register without loss."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.workload import BORN
from schemas.alerts import Alert
from schemas.calendar import SHANGHAI
from schemas.facts import Membership
from schemas.provisional import is_provisional, provisional_of, silent_until
from schemas.records import GoliveBody, GoliveRecord
from streams.registry import Registry
from streams.routing import Router
from streams.watch import Watch
from tests.streams.making import Log, alerts, config, fold, policy_record

CITY = "339901000000"
AT = datetime(2026, 5, 18, 12, tzinfo=SHANGHAI)
PERSON = "p_" + "7" * 32
AWAY = provisional_of(PERSON)
HOME = "h_" + "3" * 32


def total(borne: int, at: datetime = AT, name: str = "T1", **more: Any) -> Message:
    data = {"year": str(at.year), "as_of": f"{at:%Y-%m}", "borne": borne}
    return Pen(at, 1).event("medical.year_total", name, PERSON, data, at.date(), **more)


def billed(name: str, at: datetime = AT, fen: int = 9_000_000) -> Message:
    return Pen(at, 1).event("medical.settlement", name, PERSON, bill(name, at.date(), fen), at.date())


class City:
    """One partition of a city that is live."""

    def __init__(self, area: str = CITY) -> None:
        self.log, self.watch, self.done = Log(), Watch(0, config()), 0
        self.alerts: list[Alert] = []
        self.log.router = Router(self.log.router._registry, 1, bytes(range(1, 33)), area=area)  # noqa: SLF001
        ms = int(AT.timestamp() * 1000)
        self.log.control(policy_record(ms))
        self.log.tick(ms)
        self.log.control(GoliveRecord("", ms, "", 0, 0, GoliveBody(CITY, "MED-SELFPAY", 50)))
        self.settle()

    def feed(self, *messages: Message) -> None:
        self.log.feed(messages)
        self.settle()

    def settle(self) -> None:
        """Folds what is new until the monitor owes nothing more."""
        while self.done < len(self.log.blocks):
            fold(self.watch, self.log.blocks[self.done :])
            self.done = len(self.log.blocks)
            drained = self.watch.drain()
            self.watch.keep(drained.state)
            self.alerts += alerts(drained)
            self.log.letters(drained.outputs)

    def members(self, household: str, on: date) -> list[str]:
        if household not in self.watch.names():
            return []
        return [each.person for each in self.watch.household(household).members_on(on)]

    def bills(self, household: str) -> list[str]:
        return sorted(fact.key for fact in self.watch.household(household).bills(PERSON))


def test_only_a_fact_over_the_line_opens_one() -> None:
    city = City()
    city.feed(billed("early"), total(999_999))
    assert not city.watch.names()
    city.feed(total(1_000_000, name="T2"), billed("S1"))
    assert city.watch.names() == [AWAY]
    assert city.members(AWAY, AT.date()) == [PERSON]
    assert city.bills(AWAY) == ["S1"]
    assert city.watch.household(AWAY).responsible_area == CITY
    assert is_provisional(AWAY)


def test_a_reversal_opens_nothing() -> None:
    city = City()
    city.feed(total(5_000_000, operation="reverse"))
    assert not city.watch.names()


def test_where_nobody_answers_it_is_still_kept() -> None:
    city = City(area="")
    city.feed(total(1_000_000), billed("S1"))
    assert city.watch.household(AWAY).responsible_area == ""
    assert city.bills(AWAY) == ["S1"]


def test_it_ends_after_24_silent_months_and_facts_extend_it() -> None:
    city = City()
    city.feed(total(1_000_000))
    end = date.fromordinal(silent_until(date(2026, 5, 1).toordinal()))
    assert end == date(2028, 5, 1)
    assert city.members(AWAY, end - timedelta(days=1)) == [PERSON]
    assert city.members(AWAY, end) == []
    later = AT + timedelta(days=300)
    city.feed(billed("S2", later))
    assert city.members(AWAY, end) == [PERSON]
    much_later = later + timedelta(days=900)
    city.feed(billed("S3", much_later))
    assert city.bills(AWAY) == ["S2"]
    city.feed(total(1_000_000, much_later, "T9"), billed("S4", much_later))
    assert "S4" in city.bills(AWAY)


def test_old_news_opens_nothing() -> None:
    city = City()
    data = {"year": "2020", "as_of": "2020-05", "borne": 5_000_000}
    city.feed(Pen(AT, 1).event("medical.year_total", "T1", PERSON, data, date(2020, 5, 1)))
    assert not city.watch.names()


@pytest.mark.parametrize("since", [date(2024, 1, 1), date(2026, 5, 18)])
def test_the_register_takes_over_with_everything(since: date) -> None:
    city = City()
    city.feed(total(1_000_000), billed("S1"))
    [raised] = city.alerts
    assert (raised.state, raised.household, raised.areas and raised.areas.responsible) == ("raised", AWAY, CITY)
    head = membership(HOME, since, "HEAD", BORN["HEAD"])
    later = AT + timedelta(days=3)
    city.feed(Pen(later, 1).event("civil.household", "m1", PERSON, head, since))
    city.feed(billed("S2", later))
    assert city.members(AWAY, later.date()) == []
    assert city.members(HOME, later.date()) == [PERSON]
    assert city.bills(HOME) == ["S1", "S2"]
    assert {alert.alert_id for alert in city.alerts} == {raised.alert_id}
    assert [alert.state for alert in city.alerts if alert.household == AWAY][-1] == "moved"
    assert city.alerts[-1].household == HOME


def test_replaying_the_same_log_gives_the_same_ledgers() -> None:
    city = City()
    city.feed(total(1_000_000), billed("S1"))
    again = Watch(0, config())
    fold(again, city.log.blocks)
    again.keep(again.drain().state)
    assert again.names() == city.watch.names()
    members = again.household(AWAY).head.members
    assert [type(each) for each in members] == [Membership]


def test_one_opened_beside_the_register_ends_with_its_next_word() -> None:
    """A worker may open one before it reads the hint that another worker took the registration."""
    city, since = City(), date(2024, 1, 1)
    mine = city.log.router
    head = membership(HOME, since, "HEAD", BORN["HEAD"])
    city.feed(Pen(AT, 1).event("civil.household", "m1", PERSON, head, since))
    city.log.router = Router(Registry(), 1, bytes(range(1, 33)), area=CITY)
    city.feed(total(1_000_000), billed("S1"))
    assert city.members(AWAY, AT.date()) == [PERSON]
    for stay in city.log.router._registry.provisional(PERSON):  # noqa: SLF001 - as its hint tells it
        mine._registry.merge(stay)  # noqa: SLF001
    city.log.router, later = mine, AT + timedelta(days=20)
    city.feed(Pen(later, 1).event("civil.household", "m2", PERSON, head, since), billed("S2", later))
    assert city.members(AWAY, later.date()) == []
    assert city.members(HOME, later.date()) == [PERSON]
    assert city.bills(HOME) == ["S1", "S2"]
