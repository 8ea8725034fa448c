"""A household's part of the archived log: nothing that concerns it is left behind, in both engines."""

from collections.abc import Iterable

import pytest

from schemas.partition import partition_of
from schemas.records import (
    BatchBegunBody,
    BatchBegunRecord,
    BatchCountBody,
    BatchCountRecord,
    BatchPartBody,
    BatchPartRecord,
    BatchVerdictBody,
    BatchVerdictRecord,
    FactBody,
    FactRecord,
    GoliveBody,
    GoliveRecord,
    PolicyBody,
    PolicyRecord,
    Record,
    SwitchBody,
    SwitchRecord,
    TickBody,
    TickRecord,
    decode_block,
    encode_block,
)
from sinks import household_log
from sinks.household_log import blocks_of, extents, newest_policy, switches
from sinks.store import AlertStore
from tests.households.making import bill

AT = 1_773_000_000_000
PARTITIONS = 4
ANNA, BERT = f"h_{'a' * 32}", f"h_{'b' * 32}"
HERE = partition_of(ANNA, PARTITIONS)


def fact(household: str, key: str) -> Record:
    return FactRecord(household, AT, "feeds.x", 0, 0, FactBody(f"p_{'c' * 32}", bill(key, 3)))


def switch(to: str) -> Record:
    body = SwitchBody("339901000000", "MED-SELFPAY", to, "王", "核对口径")  # type: ignore[arg-type]
    return SwitchRecord("", AT, "", 0, 0, body)


def policy(name: str) -> Record:
    return PolicyRecord("", AT, "", 0, 0, PolicyBody(name, b"zstd\0'\\"))


LOG: tuple[tuple[Record, ...], ...] = (
    (policy("one"),),
    (TickRecord("", AT, "", 0, 0, TickBody(AT)),),
    (fact(BERT, "S1"), fact(BERT, "S2")),
    (fact(BERT, "S3"), fact(ANNA, "S4")),
    (BatchPartRecord("", AT, "", 0, 0, BatchPartBody("civil.benefit", "b", 0, 4, "2026-01", (), "delta", 1, AT)),),
    (GoliveRecord("", AT, "", 0, 0, GoliveBody("339901000000", "MED-SELFPAY", 5)),),
    (fact(BERT, "S5"),),
    (fact(ANNA, "S6"),),
    (switch("stop"),),
)
OURS = (0, 1, 3, 4, 5, 7, 8)


def put(store: AlertStore, generation: str, partition: int, log: Iterable[tuple[int, tuple[Record, ...]]]) -> None:
    rows = [(generation, partition, offset, AT + offset, encode_block(records)) for offset, records in log]
    store.insert_rows("household_log", rows, f"{generation}{partition}{rows[0][2]}{len(rows)}")


@pytest.fixture
def filled(store: AlertStore) -> AlertStore:
    """Our partition, inserted twice in part and backwards; ticks in the others."""
    put(store, "g1", HERE, reversed(list(enumerate(LOG))))
    put(store, "g1", HERE, list(enumerate(LOG))[2:5])
    for other in range(PARTITIONS):
        if other != HERE:
            put(store, "g1", other, [(0, LOG[1])])
    return store


def test_only_blocks_that_name_the_household_or_everybody(filled: AlertStore) -> None:
    within = extents(filled, ANNA)
    assert [(each.partition, each.first, each.last, each.blocks, each.whole) for each in within] == [
        (HERE, 0, 8, 9, True)
    ]
    found = list(blocks_of(filled, ANNA, within))
    assert [each.offset for each in found] == list(OURS)
    assert [each.known_at for each in found] == [AT + offset for offset in OURS]
    assert [tuple(decode_block(each.block)) for each in found] == [LOG[offset] for offset in OURS]


def test_what_whole_batches_need_concerns_everybody(store: AlertStore) -> None:
    told = ("civil.benefit", "b", 4, "2026-01", (), "replace_period", AT)
    log: list[tuple[Record, ...]] = [
        (BatchBegunRecord("", AT, "", 0, 0, BatchBegunBody(*told)),),
        (BatchCountRecord("", AT, "", 0, 0, BatchCountBody("civil.benefit", "b", 4, HERE, 1)),),
        (BatchVerdictRecord("", AT, "", 0, 0, BatchVerdictBody("civil.benefit", "b", "release", "u1", "核对无误")),),
    ]
    put(store, "g1", HERE, enumerate(log))
    put(store, "g1", PARTITIONS - 1, [(0, LOG[1])])
    assert [each.offset for each in blocks_of(store, ANNA, extents(store, ANNA))] == [0, 1, 2]


def test_pages_of_any_size_give_the_same(filled: AlertStore, monkeypatch: pytest.MonkeyPatch) -> None:
    within = extents(filled, ANNA)
    whole = list(blocks_of(filled, ANNA, within))
    monkeypatch.setattr(household_log, "_PAGE_BLOCKS", 2)
    assert list(blocks_of(filled, ANNA, within)) == whole
    monkeypatch.setattr(household_log, "_PAGE_BYTES", 1)
    assert list(blocks_of(filled, ANNA, within)) == whole


def test_generations_follow_each_other_and_a_gap_shows(filled: AlertStore) -> None:
    put(filled, "g2", HERE, [(4, LOG[7])])
    put(filled, "g2", PARTITIONS - 1, [(0, LOG[1])])
    within = extents(filled, ANNA)
    assert [(each.generation, each.whole) for each in within] == [("g1", True), ("g2", False)]
    assert [(each.generation, each.offset) for each in blocks_of(filled, ANNA, within)][-2:] == [("g1", 8), ("g2", 4)]


def test_nothing_archived_is_nothing(store: AlertStore) -> None:
    assert extents(store, ANNA) == []
    assert list(blocks_of(store, ANNA, [])) == []
    assert newest_policy(store) is None


def test_the_policy_activated_last_also_where_others_only_speak_of_one(filled: AlertStore) -> None:
    put(filled, "g1", HERE, [(9, (policy("two"), policy("three"))), (10, (fact(BERT, "policy.activated"),))])
    found = newest_policy(filled)
    assert found is not None
    assert (found.hash, found.bundle) == ("three", b"zstd\0'\\")


def test_stops_and_resumptions_in_order_over_generations(store: AlertStore) -> None:
    assert switches(store) == []
    told = [(1, (switch("stop"),)), (2, (fact(BERT, "S1"),)), (3, (switch("resume"), switch("stop")))]
    put(store, "g1", 0, told)
    put(store, "g1", 0, told[:1])
    put(store, "g1", 1, told)
    put(store, "g2", 0, [(0, (switch("resume"),))])
    assert [each.body.to for each in switches(store)] == ["stop", "resume", "stop", "resume"]
