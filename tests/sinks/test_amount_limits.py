"""Limits of amounts: from stored report cards of the days before, by a line that somebody signed, told to intake."""

from datetime import date, timedelta

import msgspec
import pytest

from lidm.amount_limits import limits_of, tell_limits
from policy.areas import NATIONAL
from schemas.amount_limits import AmountLimits, read_amounts
from schemas.amounts import Histogram
from schemas.feed_reports import CardReport, encode_report
from schemas.records import encode_block
from schemas.topics import INTAKE_CONTROL
from sinks.card_records import cards
from sinks.store import AlertStore
from tests.gateway.outlet import Outlet
from tests.sinks.test_feed_cards import AT_MS, CATALOGUE, DAY, OWNER, receipt, worked
from tests.sinks.test_feedcard import KIND, Intake, month_of_data
from tests.streams.making import policy_record

TODAY = DAY + timedelta(days=10)
CITY = "339901000000"
WITHIN = AmountLimits(7, {"base": (1 << 6, 1 << 31)})


@pytest.fixture
def stored(store: AlertStore) -> AlertStore:
    """Cards of three days of the owner, a day of a town, a day wholly in another unit, and today's."""
    intake = Intake(store)
    month_of_data(intake)
    intake.put(encode_report(receipt("", 90, {})))
    card = _days_card(store)
    for n, (department, counts) in enumerate(
        [(OWNER, {19: 40}), (OWNER, {19: 40}), ("某镇", {18: 30}), (OWNER, {33: 40}), (OWNER, {19: 40})]
    ):
        intake.put(encode_report(_card(card, DAY + timedelta(days=n), department, counts)))
    intake.put(encode_report(_card(card, TODAY, OWNER, {5: 900})))
    store.insert_rows("household_log", [("g1", 0, 0, 1, encode_block([policy_record(1)]))], "policy")
    return store


def _days_card(store: AlertStore) -> CardReport:
    made = cards(store, CATALOGUE, DAY, at_ms=AT_MS, worked=worked, days=1)
    return next(each for each in made if each.span == "day" and each.department == OWNER)


def _card(card: CardReport, day: date, department: str, counts: Histogram) -> CardReport:
    return msgspec.structs.replace(card, period=day.isoformat(), department=department, amounts={"base": counts})


def test_limits_follow_from_the_ordinary_days_before_today(stored: AlertStore) -> None:
    [(feed, told)] = limits_of(CITY, stored, TODAY, 7)
    assert (feed, told) == (KIND, WITHIN)


def test_where_nobody_signed_the_line_nothing_is_held_back(stored: AlertStore) -> None:
    """The national file is an example; told empty, limits of before are gone."""
    assert limits_of(NATIONAL, stored, TODAY, 7) == [(KIND, AmountLimits(7))]
    assert limits_of("", stored, TODAY, 7) == []


def test_a_folder_that_nobody_activated_holds_nothing_back(store: AlertStore) -> None:
    assert limits_of(CITY, store, TODAY, 7) == []


def test_a_file_in_another_unit_is_never_what_later_months_are_measured_by(stored: AlertStore) -> None:
    """A monthly file, the second of them ten thousand times too large: it is out of line then and ever after."""
    intake, card = Intake(stored), _days_card(stored)
    months = [DAY + timedelta(days=60 + 30 * n) for n in range(9)]
    for n, day in enumerate(months):
        intake.put(encode_report(_card(card, day, OWNER, {33 if n == 1 else 19: 400})))
    for day in months[3:]:
        for today in (day + timedelta(days=each) for each in range(1, 30)):
            least, most = dict(limits_of(CITY, stored, today, 7))[KIND].limits["base"]
            assert least <= 1 << 18 < most < 1 << 33, today


def test_limits_are_records_that_intake_reads(stored: AlertStore) -> None:
    outlet = Outlet()
    tell_limits(outlet, limits_of(CITY, stored, TODAY, 7), None)
    [sent] = outlet.sent
    assert sent.topic == INTAKE_CONTROL
    assert read_amounts((sent.key or b"").decode(), sent.value or b"") == (KIND, WITHIN)
