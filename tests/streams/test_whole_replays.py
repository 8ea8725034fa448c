"""Whole batches folded again: after a crash, a rebuild or a takeover the same log comes to the same decision."""

import pytest

from schemas.records import BatchCountBody, BatchCountRecord, decode_block
from streams.metrics import METRICS
from streams.statelog import Item
from streams.watch import Watch
from tests.streams.making import config, content, fold
from tests.streams.test_wholes import CERT, certificates, holders, town
from tests.streams.town import PARTITIONS, Town


def rebuilt(made: Town) -> list[Watch]:
    """The logs folded anew; what this says goes nowhere, for it has been said."""
    watches = [Watch(p, config(made.partitions)) for p in range(made.partitions)]
    for watch, log in zip(watches, made.logs, strict=True):
        for block in log:
            fold(watch, [block])
            watch.keep(watch.drain().state)
    return watches


@pytest.mark.parametrize("verdict", [None, "release", "refuse"])
def test_a_rebuild_comes_to_the_same_bytes(verdict: str | None) -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    if verdict is not None:
        made.decide(CERT, "s", verdict)
    again = rebuilt(made)
    assert [content(watch) for watch in again] == [content(watch) for watch in made.watches]
    assert [w.control_records() for w in again] == [w.control_records() for w in made.watches]


def test_the_first_word_of_a_partition_counts_whatever_a_replay_counts() -> None:
    """A monitor that died with some households written counts fewer on its way back: nobody listens any more."""
    made = town()
    made.read(made.batch(CERT, certificates(range(17)), "s", "full_snapshot"))
    counts = [r for log in made.logs for _, _, v in log for r in decode_block(v) if isinstance(r, BatchCountRecord)]
    assert len(counts) == 2 * PARTITIONS * PARTITIONS
    before = [content(watch) for watch in made.watches]
    for _ in counts:
        made.everywhere(BatchCountRecord("", made.ms, "", 0, 0, BatchCountBody(CERT, "s", PARTITIONS, 0, 1, 1)))
    made.settle()
    assert [content(watch) for watch in made.watches] == before


@pytest.mark.parametrize("cut", range(0, 16, 3))
def test_a_crash_anywhere_in_a_checkpoint_decides_the_same(cut: int) -> None:
    """Outputs are out, of the state only a part was written: the heir folds again and comes to the same."""
    made, calm = Town(12), Town(12)
    for each in (made, calm):
        each.read(each.batch(CERT, certificates(range(12)), "first", "delta"))
        each.pass_time()
        batch = each.batch(CERT, certificates(range(10)), "s", "full_snapshot")
        each.read(batch, settle=each is calm)
    state = durable(made.watches[0])
    fold(made.watches[0], made.logs[0][made._folded[0] :])  # noqa: SLF001 - what the stage knows
    lost = made.watches[0].drain()
    made.deliver(lost.outputs)
    kept = lost.state[: min(cut, len(lost.state))]
    while kept and kept[-1].tied:
        kept.pop()
    made.watches[0] = heir_of(state + kept)
    made.settle()
    assert holders(made, 12) == holders(calm, 12) == set(range(10))
    assert made.told == calm.told == []


def durable(watch: Watch) -> list[Item]:
    """Its state log."""
    return [Item(key.encode(), value) for key, value in [*watch.records(), *watch.control_records()]]


def heir_of(state: list[Item]) -> Watch:
    """Partition 0 as somebody else takes it over."""
    heir = Watch(0, config(PARTITIONS))
    for item in state:
        heir.restore(item.key, item.value)
    heir.opened()
    return heir


def test_a_state_that_waits_comes_back_from_its_bytes() -> None:
    made = town()
    made.read(made.batch(CERT, certificates(range(8)), "s", "full_snapshot"))
    METRICS.set("lidm_batches_held", 0, feed=CERT)
    heir = heir_of(durable(made.watches[0]))
    assert METRICS.value("lidm_batches_held", feed=CERT) == 1
    made.watches[0] = heir
    made.decide(CERT, "s", "release")
    assert holders(made) == set(range(8))
