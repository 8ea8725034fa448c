"""What intake tells households of whole batches: that they begin, before any row; and how much may be missing."""

from datetime import datetime

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from lidm.commands.feed import command
from load_tests.chaos.events import Pen
from schemas.calendar import SHANGHAI
from schemas.catalogue_words import missing_text
from schemas.facts import Membership
from schemas.feed import FEEDS
from schemas.partition import partition_of
from schemas.records import BatchBegunRecord, BatchPartRecord, FactRecord, Record, decode_block
from schemas.topics import HOUSEHOLD_EVENTS, Catalogue, Entry
from streams.registry import Registry
from streams.routing import Router
from tests.streams.making import BY_TOPIC, PUBLIC_KEY, inbound
from tests.streams.test_routing import HOME, PARTITIONS, PERSON, member

KIND = "civil.benefit"
PEN = Pen(datetime(2026, 5, 18, 12, tzinfo=SHANGHAI), PARTITIONS)


def told(mode: str, catalogue: Catalogue | None = None) -> list[list[Record]]:
    """What each partition of the households gets of a batch with one row."""
    router = Router(Registry(), PARTITIONS, PUBLIC_KEY, catalogue=catalogue or Catalogue.load())
    rows = [int(q == partition_of(PERSON, PARTITIONS)) for q in range(PARTITIONS)]
    data = {"scheme": "DIBAO", "month": "2026-04", "amount": 80_000}
    paid = PEN.event(KIND, "k1", PERSON, data, PEN.at.date(), batch="b1")
    begin = PEN.manifests("begin", KIND, "b1", "2026-04", [0] * PARTITIONS, mode)
    end = PEN.manifests("end", KIND, "b1", "2026-04", rows, mode)
    for offset, message in enumerate([member(HOME), *begin, paid, *end]):
        for topic, polled in inbound([message], offset).items():
            router.take(BY_TOPIC[topic], polled)
    found: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    for letter in router.drain()[0]:
        if letter.topic == HOUSEHOLD_EVENTS:
            found[letter.partition] += decode_block(letter.value or b"")
    return found


@pytest.mark.parametrize("mode", ["replace_period", "full_snapshot"])
def test_every_partition_hears_that_a_whole_batch_begins_before_any_of_its_rows(mode: str) -> None:
    for partition, records in enumerate(told(mode)):
        kinds = [type(each) for each in records if not _membership(each)]
        row = [FactRecord] if partition == partition_of(HOME, PARTITIONS) else []
        assert kinds == [BatchBegunRecord] * PARTITIONS + row + [BatchPartRecord] * PARTITIONS
        begun = {each.body.begun_ms for each in records if isinstance(each, BatchBegunRecord)}
        parts = [each.body for each in records if isinstance(each, BatchPartRecord)]
        assert begun == {body.begun_ms for body in parts} == {PEN.ms}
        assert {(body.hold_above, body.mode) for body in parts} == {(200, mode)}


def _membership(record: Record) -> bool:
    return isinstance(record, FactRecord) and isinstance(record.body.fact, Membership)


def test_an_increment_is_not_announced_and_not_judged() -> None:
    records = [each for some in told("delta") for each in some]
    assert not any(isinstance(each, BatchBegunRecord) for each in records)
    assert {each.body.hold_above for each in records if isinstance(each, BatchPartRecord)} == {None}


def test_a_feed_may_say_how_much_may_be_missing() -> None:
    catalogue = Catalogue.load()
    assert (catalogue.hold_above(KIND), catalogue.hold_above("vital.death")) == (200, 50)
    topic = FEEDS[KIND].topic
    never = catalogue.entries[topic].model_copy(update={"hold_above": 1.0})
    open_ = Catalogue({**catalogue.entries, topic: never})
    assert open_.hold_above(KIND) is None
    assert not any(isinstance(each, BatchBegunRecord) for some in told("full_snapshot", open_) for each in some)
    with pytest.raises(ValidationError):
        Entry.model_validate({**never.model_dump(), "hold_above": 0})


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ("disability.certificate", "全量快照里没有的，自所属月首日起终止；缺的超过原有的 20% 先等人确认（整期替换同）"),
        ("vital.death", "全量快照里没有的，视为冲销；缺的超过原有的 5% 先等人确认（整期替换同）"),
        ("civil.household", "不收全量快照"),
    ],
)
def test_a_department_is_told_what_becomes_of_what_it_leaves_out(feed: str, said: str) -> None:
    assert missing_text(FEEDS[feed].fact, Catalogue.load().hold_above(feed)) == said
    assert f"整批报送：{said}" in CliRunner().invoke(command, ["describe", feed], catch_exceptions=False).output
