"""Limits of amounts: from stored report cards of the days before, by a line that somebody signed, told to intake."""

from datetime import date, timedelta

import msgspec
import pytest

from lidm.amount_limits import limits_of, tell_limits
from lidm.settings import Settings
from policy.areas import NATIONAL
from schemas.amount_limits import AmountLimits, read_amounts
from schemas.amounts import Histogram
from schemas.feed_reports import CardReport, encode_report
from schemas.topics import INTAKE_CONTROL
from sinks.card_records import cards
from sinks.store import AlertStore
from tests.gateway.outlet import Outlet
from tests.sinks.test_feed_cards import AT_MS, CATALOGUE, DAY, OWNER, receipt, worked
from tests.sinks.test_feedcard import KIND, Intake, month_of_data

TODAY = DAY + timedelta(days=10)
CITY = "339901000000"
WITHIN = AmountLimits(7, {"base": (1 << 6, 1 << 31)})


@pytest.fixture
def stored(store: AlertStore) -> AlertStore:
    """Cards of three days of the owner, a day of a town, a day wholly in another unit, and today's."""
    intake = Intake(store)
    month_of_data(intake)
    intake.put(encode_report(receipt("", 90, {})))
    [card] = [
        each
        for each in cards(store, CATALOGUE, DAY, at_ms=AT_MS, worked=worked, days=1)
        if each.span == "day" and each.department == OWNER
    ]
    for n, (department, counts) in enumerate(
        [(OWNER, {19: 40}), (OWNER, {19: 40}), ("某镇", {18: 30}), (OWNER, {33: 40}), (OWNER, {19: 40})]
    ):
        intake.put(encode_report(_card(card, DAY + timedelta(days=n), department, counts)))
    intake.put(encode_report(_card(card, TODAY, OWNER, {5: 900})))
    return store


def _card(card: CardReport, day: date, department: str, counts: Histogram) -> CardReport:
    return msgspec.structs.replace(card, period=day.isoformat(), department=department, amounts={"base": counts})


def settings(area: str = CITY) -> Settings:
    return Settings(area=area)


def test_limits_follow_from_the_ordinary_days_before_today(stored: AlertStore) -> None:
    [(feed, told)] = limits_of(settings(), stored, TODAY, 7)
    assert (feed, told) == (KIND, WITHIN)


def test_where_nobody_signed_the_line_nothing_is_held_back(stored: AlertStore) -> None:
    """The national file is an example; told empty, limits of before are gone."""
    assert limits_of(settings(NATIONAL), stored, TODAY, 7) == [(KIND, AmountLimits(7))]
    assert limits_of(settings(""), stored, TODAY, 7) == []


def test_limits_are_records_that_intake_reads(stored: AlertStore) -> None:
    outlet = Outlet()
    tell_limits(outlet, limits_of(settings(), stored, TODAY, 7), None)
    [sent] = outlet.sent
    assert sent.topic == INTAKE_CONTROL
    assert read_amounts((sent.key or b"").decode(), sent.value or b"") == (KIND, WITHIN)
