"""Cards by day and month: one for each day, also of nothing; of each department what is its own; sent when new."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import msgspec
import pytest

from lidm.feed_report import html_of
from schemas.calendar import SHANGHAI
from schemas.feed_reports import CardReport, ReceiptReport, encode_report
from schemas.topics import Catalogue
from sinks.card_records import began, cards, day_cards
from sinks.feedcard import card, day_card
from sinks.store import AlertStore
from tests.sinks.test_feedcard import AT, KIND, PEOPLE, Intake, month_of_data, paid, pen

CATALOGUE = Catalogue.load()
OWNER = CATALOGUE.owner(KIND)
DAY = AT.date()
AT_MS = int(datetime(2026, 5, 20, 9, tzinfo=SHANGHAI).timestamp() * 1000)


def worked(day: date) -> bool:
    return day.weekday() < 5


def receipt(department: str, read: int, flaws: dict[str, int], at: datetime = AT, name: str = "d1") -> ReceiptReport:
    refused = {"BAD_IDENTITY": sum(flaws.values())}
    at_ms = int(at.timestamp() * 1000)
    return ReceiptReport(
        KIND, name, "b1", "2026-05", "upload", department, at_ms, read, read, 0, refused, True, flaws,
        {"base": {19: 30, 20: 4}},
    )  # fmt: skip


@pytest.fixture
def intake(store: AlertStore) -> Intake:
    made = Intake(store)
    month_of_data(made)
    made.put(encode_report(receipt("星河市某镇", 200, {"checksum": 4, "excel": 1})))
    made.put(encode_report(receipt("", 90, {"fifteen": 9}, name="d2")))
    return made


def days_of(store: AlertStore, first: date, last: date) -> list[CardReport]:
    return list(day_cards(store, CATALOGUE, KIND, first, last, at_ms=AT_MS, worked=worked))


def test_each_day_has_a_card_of_the_owner_and_of_who_else_sent(intake: Intake) -> None:
    made = days_of(intake.store, DAY, DAY + timedelta(days=2))
    assert [(c.period, c.department, c.rows) for c in made if c.department == OWNER] == [
        ("2026-05-18", OWNER, 42),  # a reading counts on the day its last message was known
        ("2026-05-19", OWNER, 0),
        ("2026-05-20", OWNER, 0),
    ]
    [town] = [c for c in made if c.department != OWNER]
    assert (town.period, town.rows, town.read, town.identities) == ("2026-05-18", 0, 200, {"checksum": 4, "excel": 1})
    assert town.amounts == {"base": {19: 30, 20: 4}}
    own = made[0]
    assert (own.read, own.identities, own.refused, own.every, own.worked) == (
        90, {"fifteen": 9}, {"WRONG_TYPE": 3}, "month", True,
    )  # fmt: skip
    assert {c.period: c.on_time for c in made} == {
        "2026-05-18": "有数据", "2026-05-19": "没有数据", "2026-05-20": "没有数据",
    }  # fmt: skip


def test_what_was_stored_is_not_sent_again_and_what_changed_is(intake: Intake) -> None:
    def now(at_ms: int) -> list[CardReport]:
        return cards(intake.store, CATALOGUE, date(2026, 5, 20), at_ms=at_ms, worked=worked)

    first = now(AT_MS)
    assert {(c.feed, c.span) for c in first} >= {(KIND, "day"), (KIND, "month"), ("civil.household", "day")}
    for each in first:
        intake.put(encode_report(each))
    assert now(AT_MS + 1) == []
    intake.read([paid("N1", PEOPLE[0], AT + timedelta(days=2))])
    [day, month] = now(AT_MS + 2)
    assert [(c.span, c.period, c.rows) for c in (day, month)] == [("day", "2026-05-20", 1), ("month", "2026-05", 43)]


def test_days_on_which_no_card_was_made_are_caught_up_with(intake: Intake) -> None:
    for each in cards(intake.store, CATALOGUE, DAY, at_ms=AT_MS, worked=worked):
        intake.put(encode_report(each))
    late = cards(intake.store, CATALOGUE, DAY + timedelta(days=9), at_ms=AT_MS + 1, worked=worked, days=2)
    days = [each.period for each in late if each.feed == KIND and each.span == "day" and each.department == OWNER]
    assert days == [f"2026-05-{day}" for day in range(19, 28)]


def test_a_month_says_when_it_was_due_whole_and_how_much(intake: Intake) -> None:
    found = {c.period: c for c in cards(intake.store, CATALOGUE, date(2026, 6, 8), at_ms=AT_MS, worked=worked)
             if c.feed == KIND and c.span == "month"}  # fmt: skip
    assert list(found) == ["2026-04", "2026-05", "2026-06"]  # of April something was still due when the feed began
    may = found["2026-05"]
    assert (may.due, may.closed_on, may.on_time) == ("2026-06-25", "2026-06-07", "按时")
    assert may.volume == card(intake.store, KIND, "2026-05", date(2026, 6, 8)).closing.rows > 0
    assert (found["2026-04"].closed_on, found["2026-04"].volume) == ("", 0)


def test_increments_add_up_and_a_whole_month_stands_for_itself(store: AlertStore) -> None:
    intake = Intake(store)
    for name, mode, rows in (("b1", "delta", 4), ("b2", "delta", 6), ("b3", "replace_period", 7)):
        sent = [paid(f"{name}E{n}", PEOPLE[n]) for n in range(rows)]
        sent = [replace(m, value=(m.value or b"").replace(b'"b1"', f'"{name}"'.encode())) for m in sent]
        counts = [sum(m.partition == p for m in sent) for p in range(2)]
        for step, messages in (("begin", []), ("", sent), ("end", [])):
            manifests = pen().manifests(step, KIND, name, "2026-05", counts, mode=mode) if step else messages  # type: ignore[arg-type]
            intake.read(manifests)
        volume = {"b1": 4, "b2": 10, "b3": 7}[name]
        assert card(store, KIND, "2026-05", date(2026, 6, 8)).closing.rows == volume


def test_a_day_is_read_like_a_month(intake: Intake) -> None:
    made = day_card(intake.store, KIND, DAY)
    assert (made.month, made.total.rows, made.on_time, made.flaws["checksum"]) == ("2026-05-18", 42, "有数据", 4)
    assert made.gateway_read == 290
    assert made.departments == {
        "星河市某镇": {"read": 200, "left_out": 0, "refused": 5},
        OWNER: {"read": 90, "left_out": 0, "refused": 9},
    }
    page = html_of(made)
    for said in ("星河市某镇", "被表格软件损坏", "15 位旧号", "金额量级"):
        assert said in page
    assert day_card(intake.store, KIND, date(2026, 5, 19)).on_time == "没有数据"
    assert began(intake.store)[KIND] == DAY


def test_a_card_of_before_without_its_time_is_the_same() -> None:
    made = CardReport(
        KIND, OWNER, "day", "2026-05-18", 1, "month", True, "", "", "", 0, 1, 1, 0, 0, 0, {}, 0, 0, {}, {},
        {"base": {19: 1}}, 0, {}, {}, 0, 0,
    )  # fmt: skip
    assert msgspec.json.decode(encode_report(made))["amounts"] == {"base": {"19": 1}}
