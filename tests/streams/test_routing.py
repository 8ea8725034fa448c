"""What intake makes of feed messages: blocks for households, sealed rejections, counts; batches close when complete."""

from datetime import date, datetime

import pytest

from load_tests.chaos.events import BEIJING, Message, Pen, bill, membership
from load_tests.chaos.workload import BORN, SINCE
from schemas.partition import partition_of
from schemas.records import BatchPartRecord, FactRecord, Record, decode_block
from schemas.sealing import open_sealed
from schemas.topics import HOUSEHOLD_EVENTS, MEMBERS, REJECTED
from streams.delivery import Letter
from streams.registry import Registry
from streams.routing import BLOCK_RECORDS, Counts, OpenBatch, Router
from tests.streams.making import BY_TOPIC, inbound

PARTITIONS = 4
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=BEIJING), PARTITIONS)
DAY = PEN.at.date()
PERSON, STRANGER = "p_" + "1" * 32, "p_" + "2" * 32
HOME, NEXT = "h_" + "1" * 32, "h_" + "2" * 32
KIND = "employment.contribution"


@pytest.fixture
def router() -> Router:
    return Router(Registry(), PARTITIONS, bytes(range(32)))


def take(router: Router, *messages: Message, start: int = 0) -> tuple[list[Letter], list[Letter], Counts]:
    for topic, polled in inbound(messages, start).items():
        router.take(BY_TOPIC[topic], polled)
    return router.drain()


def records(letters: list[Letter]) -> list[Record]:
    return [r for each in letters if each.topic == HOUSEHOLD_EVENTS for r in decode_block(each.value or b"")]


def member(household: str, since: date = SINCE, until: date | None = None, name: str = "m1") -> Message:
    data = membership(household, since, "CHILD", BORN["CHILD"], until=until)
    return PEN.event("civil.household", name, PERSON, data, SINCE)


def batch(rows: list[int]) -> tuple[list[Message], list[Message]]:
    """Begin and end of a batch in every partition."""
    return PEN.manifests("begin", KIND, "b1", "2026-04", rows), PEN.manifests("end", KIND, "b1", "2026-04", rows)


def settled(person: str = PERSON, number: str = "S1") -> Message:
    return PEN.event("medical.settlement", number, person, bill(number, DAY, 1_000), DAY)


def codes(letters: list[Letter]) -> list[str]:
    return [dict(each.headers)["code"].decode() for each in letters if each.topic == REJECTED]


def test_a_fact_goes_to_the_household_of_its_person_and_its_partition(router: Router) -> None:
    letters, hints, _ = take(router, member(HOME), settled())
    assert [each.household for each in records(letters)] == [HOME, HOME]
    assert {each.partition for each in letters} == {partition_of(HOME, PARTITIONS)}
    assert [hint.topic for hint in hints] == [MEMBERS]


def test_somebody_unwatched_leaves_a_count_and_nothing_else(router: Router) -> None:
    letters, hints, counts = take(router, settled(STRANGER))
    assert not letters
    assert not hints
    assert counts.out_of_scope["medical.settlement"] == 1
    assert not router.open


def test_a_move_is_told_to_both_households(router: Router) -> None:
    take(router, member(HOME))
    letters, _, _ = take(router, member(HOME, until=DAY, name="m2"), member(NEXT, DAY, name="m3"))
    told = [each for each in records(letters) if isinstance(each, FactRecord)]
    assert sorted(each.household for each in told) == [HOME, HOME, NEXT]
    arrival = next(each for each in told if each.household == NEXT)
    assert arrival.body.route is not None
    assert arrival.body.route.previous == HOME


def test_a_known_membership_makes_no_new_hint(router: Router) -> None:
    take(router, member(HOME))
    _, hints, _ = take(router, member(HOME))
    assert not hints


def test_an_alias_is_the_person(router: Router) -> None:
    registry = Registry()
    registry.alias(STRANGER, PERSON)
    router = Router(registry, PARTITIONS, bytes(range(32)))
    letters, _, _ = take(router, member(HOME), settled(STRANGER))
    assert {r.body.person for r in records(letters) if isinstance(r, FactRecord)} == {PERSON}


def test_a_batch_closes_when_every_row_came(router: Router) -> None:
    take(router, member(HOME))
    partition = partition_of(PERSON, PARTITIONS)
    rows = [0] * PARTITIONS
    rows[partition] = 1
    begin, end = batch(rows)
    paid = PEN.event(KIND, "k1", PERSON, {"month": "2026-04", "employer": "E1", "base": 1}, DAY, batch="b1")
    letters, _, _ = take(router, *begin, paid, *end)
    parts = [each for each in records(letters) if isinstance(each, BatchPartRecord)]
    assert len(parts) == PARTITIONS * PARTITIONS
    assert {(each.body.q, each.body.rows) for each in parts} == {(q, rows[q]) for q in range(PARTITIONS)}
    assert all(each.body.of == PARTITIONS for each in parts)


def test_facts_come_before_the_part_that_says_they_are_all(router: Router) -> None:
    take(router, member(HOME))
    partition = partition_of(PERSON, PARTITIONS)
    rows = [1 if p == partition else 0 for p in range(PARTITIONS)]
    paid = PEN.event(KIND, "k1", PERSON, {"month": "2026-04", "employer": "E1", "base": 1}, DAY, batch="b1")
    begin, end = batch(rows)
    letters, _, _ = take(router, begin[partition], paid, end[partition])
    home = records([each for each in letters if each.partition == partition_of(HOME, PARTITIONS)])
    assert [type(each) for each in home] == [FactRecord, BatchPartRecord]


@pytest.mark.parametrize("said", [0, 2])
def test_a_wrong_count_never_closes(router: Router, said: int) -> None:
    take(router, member(HOME))
    partition = partition_of(PERSON, PARTITIONS)
    begin, end = batch([said] * PARTITIONS)
    paid = PEN.event(KIND, "k1", PERSON, {"month": "2026-04", "employer": "E1", "base": 1}, DAY, batch="b1")
    letters, _, _ = take(router, begin[partition], paid, end[partition])
    assert codes(letters) == ["BATCH_SHORT"]
    assert not [each for each in records(letters) if isinstance(each, BatchPartRecord)]
    assert not router.open[BY_TOPIC_OF_KIND, partition]


def test_rejected_and_unwatched_rows_count(router: Router) -> None:
    begin = PEN.manifests("begin", KIND, "b1", "2026-04", [0] * PARTITIONS)
    good = PEN.event(KIND, "k1", STRANGER, {"month": "2026-04", "employer": "E1", "base": 1}, DAY, batch="b1")
    bad = PEN.event(KIND, "k2", STRANGER, {"month": "2026-04", "employer": "E1", "base": "x"}, DAY, batch="b1")
    partition = good.partition
    end = PEN.manifests("end", KIND, "b1", "2026-04", [2] * PARTITIONS)
    letters, _, counts = take(router, begin[partition], good, bad, end[partition])
    assert "BATCH_SHORT" not in codes(letters)
    assert sum(counts.rejected.values()) == 1
    assert [each for each in records(letters) if isinstance(each, BatchPartRecord)]


def test_an_end_without_a_begin_is_refused(router: Router) -> None:
    letters, _, _ = take(router, PEN.manifests("end", KIND, "b9", "2026-04", [0] * PARTITIONS)[0])
    assert codes(letters) == ["UNKNOWN_BATCH"]


def test_an_open_batch_goes_on_with_the_next_owner(router: Router) -> None:
    partition = partition_of(STRANGER, PARTITIONS)
    router.open[BY_TOPIC_OF_KIND, partition] = {"b1": OpenBatch(1, PEN.ms)}
    letters, _, _ = take(router, PEN.manifests("end", KIND, "b1", "2026-04", [1] * PARTITIONS)[partition])
    assert not codes(letters)


def test_blocks_are_bounded(router: Router) -> None:
    letters, _, counts = take(router, member(HOME), *(settled(number=f"S{n}") for n in range(2 * BLOCK_RECORDS)))
    assert [len(records([each])) for each in letters] == [BLOCK_RECORDS, BLOCK_RECORDS, 1]
    assert counts.events["medical.settlement"] == 2 * BLOCK_RECORDS


def test_a_rejection_is_sealed_and_says_where_the_original_lies() -> None:
    from gateway.keys import new_seal_pair

    private, public = new_seal_pair()
    router = Router(Registry(), PARTITIONS, public)
    [letter], _, _ = take(router, PEN.message("medical.settlement", PERSON, b"{not json"), start=17)
    said = {name: value.decode() for name, value in letter.headers}
    assert (said["code"], said["offset"], said["part"]) == ("NOT_JSON", "17", "1/1")
    assert b"not json" not in (letter.value or b"")
    opened = open_sealed(private, letter.value or b"", aad=said["digest"].encode())
    assert b"{not json" in opened


BY_TOPIC_OF_KIND = next(topic for topic, spec in BY_TOPIC.items() if spec.kind == KIND)
