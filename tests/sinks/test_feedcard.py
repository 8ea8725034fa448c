"""The report card from what intake and gateway say: exact counts, each range once, shares from the sample."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import load_workbook

from lidm.feed_report import figures, html_of, index_of, write_excel
from load_tests.chaos.events import Message, Pen, membership
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.feed_reports import ReadingReport, ReceiptReport, decode_report, encode_report
from schemas.topics import FEED_REPORTS, feed_topic
from sinks.feed_periods import due_of
from sinks.feedcard import Card, card
from sinks.rows import placed
from sinks.store import AlertStore
from streams.figures import Figures
from streams.registry import Registry
from streams.routing import Router
from tests.streams.making import BY_TOPIC, PUBLIC_KEY, inbound

KIND = "employment.contribution"
PARTITIONS = 2
AT = datetime(2026, 5, 18, 12, tzinfo=SHANGHAI)
AT_MS = int(AT.timestamp() * 1000)
PEOPLE = [f"p_{n:030x}00" for n in range(8)]
STRANGER = "p_" + "f" * 31 + "0"
HOME = "h_" + "1" * 32
TODAY = date(2026, 7, 1)


class Intake:
    """Reads messages as intake does and puts its figures into the store."""

    def __init__(self, store: AlertStore) -> None:
        self.store = store
        self.router = Router(Registry(), PARTITIONS, PUBLIC_KEY)
        self.figures = Figures(PARTITIONS)
        self.offsets: Counter[tuple[str, int]] = Counter()
        self.letters = 0

    def read(self, messages: list[Message], *, crashed: bool = False) -> None:
        """`crashed`: delivered, not committed; the same offsets are read again afterwards."""
        places: dict[tuple[str, int], list[Message]] = {}
        for each in messages:
            places.setdefault((each.topic, each.partition), []).append(each)
        for (topic, partition), found in places.items():
            start = self.offsets[topic, partition]
            polled = inbound(found, start)[topic]
            self.router.take(BY_TOPIC[topic], polled)
            records: Any = [
                SimpleNamespace(offset=p.offset, timestamp=p.timestamp_ms, key=p.key, value=p.value) for p in polled
            ]
            place: Any = Place(topic, partition)
            self.figures.add(place, BY_TOPIC[topic].kind, records, self.router.last)
            if not crashed:
                self.offsets[topic, partition] += len(found)
        self.router.drain()
        for letter in self.figures.letters():
            self.put(letter.value or b"")

    def put(self, value: bytes) -> None:
        self.letters += 1
        message: Any = SimpleNamespace(
            topic=FEED_REPORTS, partition=0, offset=self.letters, timestamp=1, value=value, headers=()
        )
        made = placed(message, "g1")
        assert made is not None
        self.store.insert_rows(made.table, [made.row], f"t{self.letters}")


class Place(tuple[str, int]):
    """A partition of a topic."""

    def __new__(cls, topic: str, partition: int) -> "Place":
        return super().__new__(cls, (topic, partition))

    topic = property(lambda self: self[0])
    partition = property(lambda self: self[1])


def pen(at: datetime = AT) -> Pen:
    return Pen(at, PARTITIONS)


def paid(name: str, person: str, at: datetime = AT, operation: Any = "record", **data: Any) -> Message:
    said = {"month": "2026-04", "employer": name, "base": 1} | data
    return pen(at).event(KIND, name, person, said, at.date(), operation=operation, batch="b1")


def watched() -> list[Message]:
    return [
        pen().event("civil.household", f"m{n}", person, membership(HOME, SINCE, "CHILD", BORN["CHILD"]), SINCE)
        for n, person in enumerate(PEOPLE)
    ]


def month_of_data(intake: Intake) -> None:
    """Forty rows: 30 good, 4 of strangers, 3 refused, 2 corrections, 1 reversal; the first two sent twice."""
    intake.read(watched())
    good = [paid(f"E{n}", PEOPLE[n % 8]) for n in range(30)]
    strangers = [paid(f"X{n}", STRANGER) for n in range(4)]
    bad = [paid(f"B{n}", PEOPLE[0], base="viel") for n in range(3)]
    changes = [paid(f"E{n}", PEOPLE[n], AT + timedelta(days=2), "correct", base=2) for n in range(2)]
    changes.append(paid("E5", PEOPLE[5], AT + timedelta(days=2), "reverse"))
    rows = [*good, *strangers, *bad, *changes, *good[:2]]
    by_partition = Counter(m.partition for m in rows)
    counts = [by_partition[p] for p in range(PARTITIONS)]
    intake.read(pen().manifests("begin", KIND, "b1", "2026-05", counts))
    intake.read(rows, crashed=True)
    intake.router.open = {place: dict(open_) for place, open_ in intake.router.open.items()}
    for open_ in intake.router.open.values():
        for batch in open_.values():
            batch.rows = 0
    intake.read(rows)
    end = pen(AT + timedelta(days=20))
    intake.read(end.manifests("end", KIND, "b1", "2026-05", counts))


@pytest.fixture
def made(store: AlertStore) -> Card:
    intake = Intake(store)
    month_of_data(intake)
    report = ReceiptReport(
        KIND,
        "d1",
        "b1",
        "2026-05",
        "upload",
        "市人社局",
        int(AT.timestamp() * 1000),
        50,
        40,
        8,
        {"BAD_IDENTITY": 2},
        True,
    )
    intake.put(encode_report(report))
    intake.put(encode_report(report))
    return card(store, KIND, "2026-05", TODAY)


def test_counts_are_exact_and_a_range_read_twice_counts_once(made: Card) -> None:
    total = made.total
    assert (total.rows, total.routed, total.out_of_scope, total.refused) == (42, 35, 4, 3)
    assert (total.corrected, total.reversed) == (2, 1)
    assert made.refused == Counter(WRONG_TYPE=3)
    assert sum(day.rows for day in made.days.values()) == 42
    assert (made.gateway_read, made.gateway_left_out, made.checksum_failures) == (50, 8, 2)
    assert made.matched_share == 35 / (35 + 4 + 8)
    assert made.rejected_share == 5 / 44


def test_repeats_and_fields_come_from_the_sample(made: Card) -> None:
    assert made.repeated == 2
    filled = {name: share for name, _, _, share in made.completeness()}
    assert filled["employer"] == filled["month"] == 1.0
    assert made.skew["day"] == made.looked


def test_on_time_is_told_from_the_last_part(made: Card, store: AlertStore) -> None:
    assert made.closing.due == date(2026, 6, 25)
    assert made.closing.closed_on == date(2026, 6, 7)
    assert made.on_time == "按时"
    assert made.closing.state(date(2026, 6, 1)) == "按时"
    nothing = card(store, KIND, "2026-06", date(2026, 7, 1))
    assert nothing.on_time == "未到期"
    assert card(store, KIND, "2026-06", date(2026, 8, 1)).on_time == "未报"
    assert (nothing.total.rows, nothing.rejected_share, nothing.matched_share) == (0, None, None)


def test_the_trend_goes_back_six_months(made: Card) -> None:
    assert list(made.trend) == ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]
    assert made.trend["2026-05"] == 42


def test_people_read_it_as_page_workbook_and_json(made: Card, tmp_path: Path) -> None:
    page = html_of(made)
    for said in ("按时", "42", "WRONG_TYPE", made.owner, "2026-05-18"):
        assert said in page
    assert made.title in index_of([made], "2026-05")
    write_excel([made], tmp_path / "r.xlsx")
    book = load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["总表", KIND]
    assert dict(figures(made))["接收行数"] == "42"
    assert json.loads(json.dumps(made.as_json()))["total"]["rows"] == 42


def test_due_days_fit_short_months() -> None:
    from schemas.topics import Catalogue

    assert due_of("2026-12", KIND, Catalogue.load()) == date(2027, 1, 25)


def test_nothing_a_sender_wrote_gets_into_a_record() -> None:
    """Refused messages hold anything at all, names of fields too; so does a message with one refused element."""
    router, made, topic = Router(Registry(), PARTITIONS, PUBLIC_KEY), Figures(PARTITIONS), feed_topic(KIND)
    secret, home = "王小明 13800000000", PEOPLE[0]
    sent = [paid("E1", home), paid("E2", home, AT, "record", **{secret: 1}), paid("E3", home, base="viel")]
    both = json.loads(sent[0].value or b""), json.loads(sent[1].value or b"")
    sent.append(replace(sent[0], value=json.dumps(both).encode()))
    polled = inbound(sent)[topic]
    router.take(BY_TOPIC[topic], polled)
    records: Any = [SimpleNamespace(offset=p.offset, timestamp=AT_MS, key=p.key, value=p.value) for p in polled]
    made.add(Place(topic, polled[0].partition), KIND, records, router.last)
    [letter] = made.letters()
    report = decode_report(letter.value or b"")
    assert isinstance(report, ReadingReport)
    assert report.rows == 5
    assert sum(report.refused.values()) == 3
    assert report.looked == 1
    assert set(report.filled) == {"month", "employer", "base"}
    assert "王小明" not in (letter.value or b"").decode()
    assert report.amounts == {"base": {1: 1}}


def test_amounts_of_the_sample_are_counted_by_magnitude_and_nothing_else_is_a_number() -> None:
    router, made, topic = Router(Registry(), PARTITIONS, PUBLIC_KEY), Figures(PARTITIONS), feed_topic(KIND)
    bases = [520_000, 480_000, 0, 52]
    polled = inbound([paid(f"E{n}", PEOPLE[0], base=base) for n, base in enumerate(bases)])[topic]
    router.take(BY_TOPIC[topic], polled)
    records: Any = [SimpleNamespace(offset=p.offset, timestamp=AT_MS, key=p.key, value=p.value) for p in polled]
    made.add(Place(topic, polled[0].partition), KIND, records, router.last)
    [letter] = made.letters()
    report = decode_report(letter.value or b"")
    assert isinstance(report, ReadingReport)
    assert (report.looked, report.amounts) == (4, {"base": {19: 2, 6: 1}})
