"""From a reading to the data steward: a card, a fact of the feed's unit, an alert that heals with the feed."""

import json
from datetime import datetime, timedelta
from typing import Any

from lidm.feed_cards import fact_of, send
from schemas.calendar import SHANGHAI
from schemas.feed_reports import CardReport, decode_report
from schemas.feed_units import unit_of
from schemas.feeds.report_cards import FeedDay, FeedPeriod
from schemas.partition import partition_of
from schemas.records import FactRecord, GoliveBody, GoliveRecord, decode_block, encode_block
from schemas.topics import FEED_REPORTS, HOUSEHOLD_EVENTS, Catalogue
from streams.ticks import household_ticks
from streams.watch import Watch
from tests.gateway.outlet import Outlet
from tests.streams.making import alerts, config, policy_record

KIND, AREA = "housing.security", "339901000000"
CATALOGUE = Catalogue.load()
OWNER = CATALOGUE.owner(KIND)
MONDAY = datetime(2026, 5, 18, 12, tzinfo=SHANGHAI)


def made(day: int, **said: Any) -> CardReport:
    at = MONDAY + timedelta(days=day)
    return CardReport(**{
        "feed": KIND, "department": OWNER, "span": "day", "period": at.date().isoformat(),
        "at_ms": int(at.timestamp() * 1000), "every": "month", "worked": True, "on_time": "有数据", "due": "",
        "closed_on": "", "volume": 0, "rows": 900, "routed": 900, "out_of_scope": 0, "corrected": 0, "reversed": 0,
        "refused": {}, "read": 900, "left_out": 0, "gateway_refused": {}, "identities": {}, "amounts": {}, "looked": 0,
        "filled": {}, "skew": {}, "sampled": 0, "repeated": 0, **said,
    })  # fmt: skip


def test_a_card_becomes_a_fact_of_its_day_or_month() -> None:
    day = fact_of(made(0, identities={"excel": 800}, amounts={"amount": {18: 3, 16: 2}}))
    assert isinstance(day, FeedDay)
    assert (day.key, day.numbers, day.flaws, day.amounts) == (
        "2026-05-18", 900, (("excel", 800),), (("amount", ((16, 2), (18, 3))),),
    )  # fmt: skip
    month = fact_of(made(0, span="month", period="2026-04", due="2026-05-10", volume=880))
    assert isinstance(month, FeedPeriod)
    assert (month.key, month.rows, month.closed_on) == ("2026-04", 880, None)
    closed = fact_of(made(0, span="month", period="2026-04", due="2026-05-10", closed_on="2026-05-09"))
    assert isinstance(closed, FeedPeriod) and closed.due_on - (closed.closed_on or 0) == 1


def test_the_steward_hears_of_a_file_spoiled_by_a_spreadsheet_and_of_its_mending() -> None:
    outlet, watch, said, offset = Outlet(count=1), Watch(0, config()), [], 0

    def fold(value: bytes, at_ms: int) -> None:
        nonlocal offset
        watch.fold(HOUSEHOLD_EVENTS, offset, at_ms, value)
        offset += 1

    start = int((MONDAY - timedelta(days=1)).timestamp() * 1000)
    fold(encode_block([policy_record(start)]), start)
    fold(household_ticks([0], start)[0].value or b"", start)
    fold(encode_block([GoliveRecord("", start, "", 0, 0, GoliveBody(AREA, "ID-QUALITY", 5))]), start)
    for day, flaws in enumerate(({"excel": 800}, {"excel": 800}, {"checksum": 1})):
        card = made(day, identities=flaws)
        send(outlet, [card, made(day, department="某镇", rows=0, read=3)], CATALOGUE, AREA, None)
        for each in outlet.sent:
            if each.topic == HOUSEHOLD_EVENTS:
                fold(each.value, card.at_ms)
        outlet.sent.clear()
        fold(household_ticks([0], card.at_ms + 1)[0].value or b"", card.at_ms + 1)
        drained = watch.drain()
        watch.keep(drained.state)
        said += [(alert.state, alert.household, alert.measure) for alert in alerts(drained)]
    unit = unit_of(KIND, OWNER, OWNER)
    # The second day is another input of the same breach, so it is told as an update.
    assert said == [("raised", unit, 889), ("updated", unit, 889), ("lapsed", unit, 889)]
    assert unit == f"f_{KIND}"
    assert unit_of(KIND, "某镇", OWNER) in watch.names()


def test_units_come_first_and_cards_are_what_a_subscriber_can_read() -> None:
    outlet = Outlet(count=1)
    send(outlet, [made(0), made(1)], CATALOGUE, AREA, None)
    assert [each.topic for each in outlet.sent] == [HOUSEHOLD_EVENTS, FEED_REPORTS, FEED_REPORTS]
    records = decode_block(outlet.sent[0].value)
    assert all(isinstance(each, FactRecord) and each.household == f"f_{KIND}" for each in records)
    assert decode_report(outlet.sent[1].value) == made(0)
    assert json.loads(outlet.sent[1].value)["kind"] == "card"
    assert partition_of(f"f_{KIND}", 1) == 0


def test_a_year_of_cards_goes_in_blocks_that_fit_and_declares_its_unit_once() -> None:
    outlet = Outlet(count=1)
    amounts = {f"field{n}": dict.fromkeys(range(10, 30), 10_000) for n in range(9)}
    send(outlet, [made(day, amounts=amounts) for day in range(400)], CATALOGUE, AREA, None)
    blocks = [each.value for each in outlet.sent if each.topic == HOUSEHOLD_EVENTS]
    assert max(map(len, blocks)) < 500_000
    records = [record for block in blocks for record in decode_block(block)]
    assert len(records) == 401


def test_without_an_area_nobody_is_in_charge_and_units_are_left_out() -> None:
    outlet = Outlet(count=1)
    send(outlet, [made(0)], CATALOGUE, "", None)
    assert [each.topic for each in outlet.sent] == [FEED_REPORTS]
