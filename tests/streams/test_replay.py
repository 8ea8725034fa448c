"""A household folded again alone comes to every alert it was ever given; a changed past does not, and says where."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
import pytest

from schemas.alerts import Alert
from schemas.errors import Stop
from schemas.facts import Bill
from schemas.records import FactRecord, Record, TickRecord, decode_block, encode_block
from schemas.topics import HOUSEHOLD_EVENTS
from streams.rebuild import LoggedBlock
from streams.replay import OwnBlock, differences, own_blocks, policy_of, replay
from streams.watch import Watch
from tests.streams.making import alerts, config, story

R = TypeVar("R", bound=Record)
BLOCKS = [LoggedBlock("g1", 0, *block) for block in story(households=16, weeks=12).blocks]


def told() -> list[Alert]:
    """Every alert of the whole partition, as the monitor said them."""
    watch, said = Watch(0, config()), []
    for block in BLOCKS:
        watch.fold(HOUSEHOLD_EVENTS, block.offset, block.known_at, block.block)
        drained = watch.drain()
        watch.keep(drained.state)
        said += alerts(drained)
    return said


ALERTS = told()


def own(household: str) -> list[OwnBlock]:
    return list(own_blocks(BLOCKS, household))


def rewritten(kind: type[R], make: Callable[[R], Record | None]) -> Iterator[LoggedBlock]:
    """The log with the records of one kind changed; None leaves one out."""
    for block in BLOCKS:
        made = [make(each) if isinstance(each, kind) else each for each in decode_block(block.block)]
        yield block._replace(block=encode_block([each for each in made if each is not None]))


def test_the_story_is_worth_replaying() -> None:
    assert {each.state for each in ALERTS} >= {"raised", "updated", "moved"}
    assert max(each.revision for each in ALERTS) > 2


@pytest.mark.parametrize("household", sorted({each.household for each in ALERTS}))
def test_every_alert_comes_out_again_with_the_same_content(household: str) -> None:
    blocks, said = own(household), [each for each in ALERTS if each.household == household]
    for number, then in enumerate(said):
        again = replay(blocks, then.alert_id, then.revision, ["medical.settlement"])
        assert again.reached is not None
        assert differences(then, again.reached) == []
        assert [each.alert.alert_id for each in again.said][: number + 1] == [
            each.alert_id for each in said[: number + 1]
        ]


def test_a_log_that_began_again_at_offset_nought_is_one_story() -> None:
    half = len(BLOCKS) // 2
    twice = BLOCKS[:half] + [b._replace(generation="g2", offset=b.offset - half) for b in BLOCKS[half:]]
    for then in (ALERTS[-1], max(ALERTS, key=lambda each: each.revision)):
        again = replay(own_blocks(twice, then.household), then.alert_id, then.revision, [])
        assert again.reached is not None
        assert differences(then, again.reached) == []
        assert again.reached.block.generation == "g2"


def test_only_what_concerns_the_household_is_kept() -> None:
    then = ALERTS[0]
    records = [record for block in own(then.household) for record in block.records]
    assert {record.household for record in records} == {"", then.household}
    assert len(records) < sum(len(decode_block(block.block)) for block in BLOCKS) / 2


def test_a_stored_alert_that_was_changed_is_named_by_its_fields() -> None:
    then = ALERTS[0].model_copy(update={"severity": 1, "reason": "另一句话"})
    again = replay(own(then.household), then.alert_id, then.revision, [])
    assert again.reached is not None
    assert {each.field for each in differences(then, again.reached)} == {"severity", "reason"}
    late = ALERTS[0].model_copy(update={"known_at": ALERTS[0].known_at.replace(year=2031)})
    assert [each.field for each in differences(late, again.reached)] == ["known_at"]


def test_without_the_fact_it_rests_on_the_alert_does_not_come_out() -> None:
    then = next(each for each in ALERTS if each.detector == "MED-SELFPAY")
    keys = {each.key for each in then.evidence}

    def forget(record: FactRecord) -> FactRecord | None:
        return None if record.body.fact.key in keys else record

    again = replay(own_blocks(rewritten(FactRecord, forget), then.household), then.alert_id, then.revision, [])
    assert again.reached is None


def test_an_amount_changed_in_the_archive_shows() -> None:
    then = next(each for each in ALERTS if each.detector == "MED-SELFPAY")
    key = then.evidence[0].key

    def dearer(record: FactRecord) -> FactRecord:
        fact = record.body.fact
        if fact.key != key:
            return record
        assert isinstance(fact, Bill)
        fact = msgspec.structs.replace(fact, in_catalogue_fen=fact.in_catalogue_fen + 100_00)
        return msgspec.structs.replace(record, body=msgspec.structs.replace(record.body, fact=fact))

    again = replay(own_blocks(rewritten(FactRecord, dearer), then.household), then.alert_id, then.revision, [])
    assert again.reached is not None
    assert {"measure", "evidence"} <= {each.field for each in differences(then, again.reached)}


def test_time_is_part_of_the_answer() -> None:
    then = ALERTS[0]
    frozen = own_blocks(rewritten(TickRecord, lambda record: None), then.household)
    assert replay(frozen, then.alert_id, then.revision, []).reached is None


def test_the_policy_of_then_is_in_the_log() -> None:
    then = ALERTS[0]
    found = policy_of(own(then.household), then.threshold.policy)
    assert found is not None
    assert found.short == then.threshold.policy
    assert policy_of(own(then.household), "000000000000") is None
    assert policy_of(own(then.household), "") is None


def test_bytes_that_are_no_block_stop_it() -> None:
    with pytest.raises(Stop, match="不是一个数据块"):
        list(own_blocks([LoggedBlock("g1", 0, 0, 0, b"\xc1")], "h_x"))
