"""What intake makes of feed messages: blocks for households, sealed rejections, counts; batches close when complete."""

import json
from datetime import date, datetime

import pytest

from load_tests.chaos.events import Message, Pen, bill, membership
from load_tests.chaos.workload import BORN, SINCE
from schemas.calendar import SHANGHAI
from schemas.facts_standing import FamilyChange
from schemas.partition import partition_of
from schemas.records import BatchPartRecord, FactRecord, Record, decode_block
from schemas.sealing import new_key_pair, open_sealed
from schemas.topics import HOUSEHOLD_EVENTS, MEMBERS, REJECTED
from streams.batches import OPEN_BATCHES, OpenBatch, decode_batches, encode_batches
from streams.counts import Counts
from streams.delivery import Letter
from streams.registry import Registry
from streams.rejected import Coordinates, dead_letters
from streams.routing import BLOCK_RECORDS, Router
from tests.streams.making import BY_TOPIC, inbound

PARTITIONS = 4
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), PARTITIONS)
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


def test_somebody_named_in_a_fact_is_resolved_as_well(router: Router) -> None:
    registry = Registry()
    later = "p_" + "3" * 32
    registry.alias(later, STRANGER)
    router = Router(registry, PARTITIONS, bytes(range(32)))
    data: dict[str, object] = {"register_no": "HB1", "change": "BIRTH", "changed_on": DAY.isoformat()}
    data |= {"relative": later, "relation": "CHILD"}
    letters, _, _ = take(router, member(HOME), PEN.event("household.change", "c1", PERSON, data, DAY))
    facts = [r.body.fact for r in records(letters) if isinstance(r, FactRecord)]
    assert [fact.relative for fact in facts if isinstance(fact, FamilyChange)] == [STRANGER]


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
    private, public = new_key_pair()
    router = Router(Registry(), PARTITIONS, public)
    [letter], _, _ = take(router, PEN.message("medical.settlement", PERSON, b"{not json"), start=17)
    said = {name: value.decode() for name, value in letter.headers}
    assert (said["code"], said["offset"], said["part"]) == ("NOT_JSON", "17", "1/1")
    assert b"not json" not in (letter.value or b"")
    opened = open_sealed(private, letter.value or b"", aad=said["digest"].encode())
    assert b"{not json" in opened


def spoiled(count: int, **extra: object) -> Message:
    """One message with an array of events that all lack a field, with one good event at its end."""
    good = json.loads(PEN.event(KIND, "k", STRANGER, {"month": "2026-04", "employer": "E1", "base": 1}, DAY).value)
    bad = {**good, "data": {name: value for name, value in good["data"].items() if name != "employer"}, **extra}
    return PEN.message(KIND, STRANGER, json.dumps([bad] * count + [good]).encode())


def test_a_message_is_sealed_once_whatever_number_of_its_elements_is_refused(router: Router) -> None:
    message = spoiled(600)
    letters, _, counts = take(router, message)
    assert len(letters) == 1
    assert len(letters[0].value or b"") < len(message.value) + 500
    said = {name: value.decode() for name, value in letters[0].headers}
    assert (said["code"], said["pointer"], said["count"]) == ("MISSING_FIELD", "/data/employer", "600")
    assert json.loads(said["problems"]) == [["MISSING_FIELD", f"/{n}/data/employer"] for n in range(100)]
    assert counts.rejected == {(KIND, "MISSING_FIELD"): 600}
    assert (counts.events[KIND], counts.out_of_scope[KIND]) == (601, 1)


def test_every_refused_element_counts_by_its_own_code(router: Router) -> None:
    first, second = json.loads(spoiled(1).value), json.loads(spoiled(1, type="else").value)
    [letter], _, counts = take(router, PEN.message(KIND, STRANGER, json.dumps(first + second).encode()))
    assert counts.rejected == {(KIND, "MISSING_FIELD"): 1, (KIND, "WRONG_TYPE"): 1}
    problems = [["MISSING_FIELD", "/0/data/employer"], ["WRONG_TYPE", "/2/type"]]
    assert json.loads(dict(letter.headers)["problems"]) == problems


def test_headers_stay_small(router: Router) -> None:
    at = Coordinates("t", 0, 0, 0)
    problems = [("PLAIN_IDENTITY", f"/{n}" + "/deep" * 100) for n in range(5_000)]
    [letter] = dead_letters(*problems[0], "不对", at, None, b"x", bytes(range(32)), PARTITIONS, problems)
    said = dict(letter.headers)
    named = json.loads(said["problems"])
    assert named == [list(problem) for problem in problems[: len(named)]]
    assert 10 < len(named) <= 100
    assert len(said["problems"]) <= 8_000
    assert said["count"] == b"5000"


def test_rejections_spread_by_their_coordinates(router: Router) -> None:
    at = [Coordinates("feeds.x.y.v1", 0, PARTITIONS * n, 0) for n in range(60)]
    letters = [each for c in at for each in dead_letters("C", "", "不对", c, None, b"x", bytes(range(32)), PARTITIONS)]
    assert [each.partition for each in letters] == [partition_of(each.key or b"", PARTITIONS) for each in letters]
    assert {each.partition for each in letters} == set(range(PARTITIONS))
    parts = list(dead_letters("C", "", "不对", at[0], None, b"x" * 1_500_000, bytes(range(32)), PARTITIONS))
    assert [dict(each.headers)["part"] for each in parts] == [b"1/2", b"2/2"]
    assert len({each.partition for each in parts}) == 1


def closed(letters: list[Letter]) -> bool:
    return any(isinstance(each, BatchPartRecord) for each in records(letters))


def test_batches_nobody_ends_do_not_stand_in_the_way(router: Router) -> None:
    paid = PEN.event(KIND, "k1", STRANGER, {"month": "2026-04", "employer": "E1", "base": 1}, DAY, batch="b1")
    partition = paid.partition
    left = [PEN.manifests("begin", KIND, f"left-{n}", "2026-04", [0] * PARTITIONS)[partition] for n in range(200)]
    begin, end = batch([1] * PARTITIONS)
    take(router, *left, begin[partition])
    assert len(router.open[BY_TOPIC_OF_KIND, partition]) == OPEN_BATCHES
    assert closed(take(router, paid, end[partition])[0])
    late = PEN.manifests("end", KIND, "left-0", "2026-04", [0] * PARTITIONS)[partition]
    assert codes(take(router, late)[0]) == ["UNKNOWN_BATCH"]


def test_a_batch_begun_again_is_the_newest(router: Router) -> None:
    begins = [PEN.manifests("begin", KIND, f"b{n}", "2026-04", [0] * PARTITIONS)[0] for n in range(OPEN_BATCHES)]
    take(router, *begins, begins[0], PEN.manifests("begin", KIND, "one-more", "2026-04", [0] * PARTITIONS)[0])
    assert list(router.open[BY_TOPIC_OF_KIND, 0])[-2:] == ["b0", "one-more"]
    assert "b1" not in router.open[BY_TOPIC_OF_KIND, 0]


@pytest.mark.parametrize("name", ["批" * 120, "x" * 120, '"' * 60, "#" + "0" * 32, "b1"])
def test_a_batch_of_any_name_goes_on_with_the_next_owner(name: str) -> None:
    paid = PEN.event(KIND, "k1", STRANGER, {"month": "2026-04", "employer": "E1", "base": 1}, DAY, batch=name)
    place = BY_TOPIC_OF_KIND, paid.partition
    one, other = (Router(Registry(), PARTITIONS, bytes(range(32))) for _ in range(2))
    take(one, PEN.manifests("begin", KIND, name, "2026-04", [0] * PARTITIONS)[paid.partition], paid)
    metadata = encode_batches(one.open[place])
    assert len(metadata.encode()) < 4_000 / OPEN_BATCHES
    other.open[place] = decode_batches(metadata)
    assert closed(take(other, paid, PEN.manifests("end", KIND, name, "2026-04", [2] * PARTITIONS)[paid.partition])[0])


def test_what_an_older_version_committed_is_read() -> None:
    names = ["批" * 100, *(f"b{n}" for n in range(40))]
    found = decode_batches(json.dumps({name: [n, 7] for n, name in enumerate(names)}))
    assert found == {f"b{n}": OpenBatch(n + 1, 7) for n in range(8, 40)}
    assert not decode_batches("")


BY_TOPIC_OF_KIND = next(topic for topic, spec in BY_TOPIC.items() if spec.kind == KIND)
