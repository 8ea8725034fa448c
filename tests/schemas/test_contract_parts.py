"""Partitioner, sealing, catalogue, labels: small promises other parts rely on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_python_murmur2

from schemas.feed import FEEDS
from schemas.labels import Relation, yuan
from schemas.partition import murmur2, partition_of
from schemas.sealing import OVERHEAD, SealBroken, new_key_pair, open_sealed, seal
from schemas.topics import PARTITIONS, STATE, Catalogue, feed_topic

# From Apache Kafka's own UtilsTest.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", sorted(JAVA))
def test_murmur2_is_javas(key: bytes) -> None:
    assert murmur2(key) == JAVA[key] % 2**32


@given(st.binary(max_size=80), st.integers(1, 96))
def test_partition_is_kafka_pythons(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (kafka_python_murmur2(key) & 0x7FFFFFFF) % partitions


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_sealed_opens_only_with_its_key_and_context(plaintext: bytes, aad: bytes) -> None:
    private, public = new_key_pair()
    sealed = seal(public, plaintext, aad)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert open_sealed(private, sealed, aad) == plaintext
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, broken, context in (
        (new_key_pair()[0], sealed, aad),
        (private, flipped, aad),
        (private, sealed, aad + b"x"),
        (private, sealed[: OVERHEAD - 1], aad),
        (private, b"", aad),
    ):
        with pytest.raises(SealBroken):
            open_sealed(key, broken, context)
    assert seal(public, plaintext, aad) != sealed


def test_catalogue_covers_every_feed_and_gives_all_topics_the_same_partitions() -> None:
    catalogue = Catalogue.load()
    assert {feed_topic(kind) for kind in FEEDS} <= set(catalogue.names)
    assert {entry.partitions for entry in catalogue.entries.values()} == {"by_size"}
    assert [catalogue.partitions(size) for size in PARTITIONS] == [4, 12, 24, 96]
    assert [kind for kind in FEEDS if catalogue.scope(kind) == "all"] == ["vital.death"]
    leads = {"screening.list", "emergency.incident", "hotline.ticket", "grid.lead", "self.report"}
    beyond = leads | {"medical.year_total"}
    assert {kind for kind in FEEDS if catalogue.scope(kind) == "over_line"} == beyond
    assert all(catalogue.cadence(kind).by_day for kind in FEEDS)


def test_topic_configuration_follows_the_clock() -> None:
    catalogue = Catalogue.load()
    assert catalogue.config(STATE)["cleanup.policy"] == "compact"
    assert catalogue.config(STATE)["segment.ms"] == "600000"
    assert catalogue.config("alerts.v1")["message.timestamp.type"] == "LogAppendTime"
    assert catalogue.config("alerts.v1", "driven")["message.timestamp.type"] == "CreateTime"
    assert catalogue.config("feeds.vital.death.v1", "driven")["retention.ms"] == "-1"


@pytest.mark.parametrize(
    ("fen", "text"), [(520_000, "5,200元"), (520_050, "5,200.50元"), (0, "0元"), (-5, "-0.05元"), (7, "0.07元")]
)
def test_money_as_people_write_it(fen: int, text: str) -> None:
    assert yuan(fen) == text


def test_labels_lead_to_codes() -> None:
    assert Relation.of_label("户主") is Relation.HEAD
    assert Relation.of_label("房东") is None
    assert Relation.SPOUSE == "SPOUSE"
    assert Relation.SPOUSE.label == "配偶"
