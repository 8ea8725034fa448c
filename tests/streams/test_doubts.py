"""Amounts ten thousand times off what a feed is used to: held back, kept, counted, and let through by a person."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from load_tests.chaos.events import Message, Operation, bill
from schemas.amount_limits import AmountLimits, LimitsLifted, lifted_key, limits_key
from schemas.doubts import Doubts
from schemas.feed_reports import ReadingReport, decode_report
from schemas.records import BatchPartRecord, FactRecord
from schemas.topics import INTAKE_CONTROL, Catalogue
from streams.breaker import Breaker, FeedControl
from streams.figures import Figures
from streams.hints import learn
from streams.limits import BreakerLimits
from streams.registry import Registry
from streams.routing import Router
from tests.streams.making import BY_TOPIC, PUBLIC_KEY, inbound
from tests.streams.test_routing import DAY, HOME, KIND, PARTITIONS, PEN, PERSON, batch, codes, member, records, take

BILLS = "medical.settlement"
LIMITS = AmountLimits(1, {"total": (256, 1 << 31), "in_catalogue_self_paid": (256, 1 << 31)})


@pytest.fixture
def router() -> Router:
    made = Router(Registry(), PARTITIONS, PUBLIC_KEY)
    made.doubts.learn(BILLS, LIMITS)
    made.doubts.learn(KIND, AmountLimits(1, {"base": (1_000, 1 << 31)}))
    take(made, member(HOME))
    return made


def billed(fen: int, operation: Operation = "record") -> Message:
    return PEN.event(BILLS, f"S{fen}", PERSON, bill(f"S{fen}", DAY, fen), DAY, operation=operation)


@pytest.mark.parametrize("fen", [1, 255, 1 << 31, 350_00 * 1_000_000])
def test_an_amount_out_of_line_is_a_letter_and_no_fact(router: Router, fen: int) -> None:
    letters, _, counts = take(router, billed(fen), billed(350_00))
    assert [each.body.fact.key for each in records(letters) if isinstance(each, FactRecord)] == ["S35000"]
    assert codes(letters) == ["AMOUNT_UNIT"]
    assert counts.rejected == {(BILLS, "AMOUNT_UNIT"): 1}


@pytest.mark.parametrize("fen", [0, 256, (1 << 31) - 1])
def test_what_is_in_line_is_folded(router: Router, fen: int) -> None:
    letters, _, _ = take(router, billed(fen))
    assert codes(letters) == []
    assert len(records(letters)) == 1


def test_a_reversal_tells_no_amount_and_passes(router: Router) -> None:
    letters, _, _ = take(router, billed(1, "reverse"))
    assert codes(letters) == []


def test_one_doubted_element_keeps_its_neighbours(router: Router) -> None:
    one, other = billed(350_00), billed(1)
    value = b"[" + (one.value or b"") + b"," + (other.value or b"") + b"]"
    letters, _, _ = take(router, Message(one.topic, one.partition, one.key, value, one.timestamp_ms))
    assert codes(letters) == ["AMOUNT_UNIT"]
    assert len(records(letters)) == 1


def test_a_batch_with_a_doubted_row_stays_open(router: Router) -> None:
    """Its month would count as whole, and who is in that row as absent."""
    data = {"month": "2026-04", "employer": "E1", "base": 45}
    row = PEN.event(KIND, "k1", PERSON, data, DAY, batch="b1")
    rows = [int(q == row.partition) for q in range(PARTITIONS)]
    begin, end = batch(rows)
    letters, _, _ = take(router, *begin, row, *end)
    assert sorted(codes(letters)) == ["AMOUNT_UNIT", "BATCH_SHORT"]
    closed = {each.partition for each in records(letters) if isinstance(each, BatchPartRecord)}
    assert row.partition not in closed


def test_a_person_lets_the_feed_through_for_a_time() -> None:
    now = [1_000]
    doubts, spec = Doubts(lambda: now[0]), BY_TOPIC[billed(1).topic]
    doubts.learn(BILLS, LIMITS)
    held = doubts.decode(spec)
    doubts.learn(BILLS, LimitsLifted(1_000, 5_000, "王某", "已核实"))
    assert doubts.decode(spec) == spec.decode
    now[0] = 5_000
    assert doubts.decode(spec) == held
    doubts.learn(BILLS, AmountLimits(2))
    assert doubts.decode(spec) == spec.decode


def test_intake_learns_limits_beside_parked_feeds() -> None:
    breaker, doubts = Breaker(BreakerLimits(), Catalogue.load(), 1, lambda: 0), Doubts(lambda: 0)
    said: list[tuple[str, Any]] = [
        (limits_key(BILLS), LIMITS),
        (lifted_key(KIND), LimitsLifted(0, 9, "王某", "已核实")),
        (BILLS, FeedControl("parked", 0, "intake", "坏")),
    ]
    for key, value in said:
        record = SimpleNamespace(topic=INTAKE_CONTROL, partition=0, offset=0, key=key.encode())
        record.value = msgspec.json.encode(value)
        learn(record, Registry(), breaker, doubts)
    assert breaker.parked() == {BILLS}
    spec = BY_TOPIC[billed(1).topic]
    assert doubts.decode(spec) != spec.decode


def test_the_report_card_sees_the_magnitude_of_what_is_held(router: Router) -> None:
    person = "p_" + "0" * 32
    message = PEN.event(BILLS, "S1", person, bill("S1", DAY, 1), DAY)
    polled = inbound([message])[message.topic]
    router.take(BY_TOPIC[message.topic], polled)
    figures = Figures(PARTITIONS)
    seen: Any = [SimpleNamespace(offset=p.offset, timestamp=PEN.ms, key=p.key, value=p.value) for p in polled]
    place: Any = type("Place", (tuple,), {"topic": message.topic, "partition": message.partition})()
    figures.add(place, BILLS, seen, router.last)
    [letter] = figures.letters()
    report = decode_report(letter.value or b"")
    assert isinstance(report, ReadingReport)
    assert report.refused == {"AMOUNT_UNIT": 1}
    assert report.amounts["total"] == {1: 1}
