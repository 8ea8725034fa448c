"""One partition of the monitor: whatever was written when it died, it comes to the same state and the same words."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from households.codec import encode_head
from schemas.errors import Stop
from schemas.records import BatchPartBody, BatchPartRecord
from schemas.topics import HOUSEHOLD_EVENTS
from streams.statelog import Item
from streams.ticks import household_ticks
from streams.watch import Watch
from tests.streams.making import Log, alerts, config, content, fold, restored, story


@cache
def log() -> Log:
    return story()


def run(blocks: int, every: int) -> tuple[Watch, list[Item], dict[tuple[str, int], str]]:
    """Folds the first blocks with a checkpoint every so many; the watch, its state log, what it said."""
    watch, state, said = Watch(0, config()), list[Item](), dict[tuple[str, int], str]()
    for start in range(0, blocks, every):
        fold(watch, log().blocks[start : min(start + every, blocks)])
        drained = watch.drain()
        watch.keep(drained.state)
        state += drained.state
        said |= {(a.alert_id, a.revision): a.model_dump_json() for a in alerts(drained)}
    return watch, state, said


@cache
def whole() -> tuple[dict[str, bytes], dict[tuple[str, int], str]]:
    watch, _, said = run(len(log().blocks), len(log().blocks))
    return content(watch), said


def test_the_story_is_worth_telling() -> None:
    state, said = whole()
    assert len(state) > 20
    assert len(said) > 10


@pytest.mark.parametrize("every", [1, 3, 7])
def test_when_checkpoints_fall_decides_nothing(every: int) -> None:
    watch, state, said = run(len(log().blocks), every)
    assert (content(watch), said) == whole()
    assert content(restored(state)) == whole()[0]


def test_a_log_folded_twice_changes_nothing() -> None:
    watch, _, _ = run(len(log().blocks), 5)
    before = dict(watch.records())
    fold(watch, log().blocks)
    drained = watch.drain()
    assert not drained.outputs
    assert not drained.state
    assert dict(watch.records()) == before


@pytest.mark.parametrize("nth", [2, 5, 8])
def test_a_crash_at_every_record_of_a_checkpoint_changes_nothing(nth: int) -> None:
    """Outputs are out; of the state only a part was written, households whole: then it dies and folds again."""
    total, every = len(log().blocks), max(1, len(log().blocks) // 10)
    done = min(nth * every, total - every)
    watch, durable, said = run(done, every)
    fold(watch, log().blocks[done : done + every])
    lost = watch.drain()
    said |= {(a.alert_id, a.revision): a.model_dump_json() for a in alerts(lost)}
    for cut in range(len(lost.state) + 1):
        if cut and lost.state[cut - 1].tied:
            continue
        heir, again = restored(durable + lost.state[:cut]), dict(said)
        fold(heir, log().blocks[done:])
        drained = heir.drain()
        heir.keep(drained.state)
        for alert in alerts(drained):
            text = alert.model_dump_json()
            assert again.setdefault((alert.alert_id, alert.revision), text) == text
        assert content(heir) == whole()[0], cut
        assert again == whole()[1], cut


def test_what_a_checkpoint_changed_of_a_household_is_one_set() -> None:
    _, state, _ = run(len(log().blocks), 9)
    for item, following in pairwise(state):
        same = following.key.split(b"/")[0] == item.key.split(b"/")[0]
        assert item.tied == (same and item.key.startswith(b"h_"))
    assert any(item.tied for item in state)


def test_a_head_that_says_nothing_new_is_not_written() -> None:
    _, state, _ = run(len(log().blocks), 1)
    heads: dict[bytes, bytes] = {}
    for item in state:
        if item.key.startswith(b"h_") and b"/" not in item.key:
            assert heads.get(item.key) != (item.value or b"")[8:]
            heads[item.key] = (item.value or b"")[8:]
    alone = [item for item, _ in pairwise(state) if b"/" in item.key and not item.tied]
    assert any(item.key.startswith(b"h_") for item in alone)


def test_a_zombie_that_writes_late_loses_whatever_the_order() -> None:
    """Someone frozen with older state wakes up and writes it after the new owner."""
    blocks = len(log().blocks)
    _, old, _ = run(blocks // 2, blocks // 2)
    _, new, _ = run(blocks, blocks)
    for state in (old + new, new + old):
        heir = restored(state)
        assert content(heir) == whole()[0]
    heir = restored(new + old)
    rewritten = {item.key for item in heir.drain().state}
    stale = {item.key for item in old} - {b"control", b"ckpt/0"}
    assert rewritten <= stale
    assert rewritten, "the owner writes its own again, so that compaction cannot keep the stale one"


@pytest.mark.parametrize("every", [1, 6])
def test_what_is_durable_is_what_is_known(every: int) -> None:
    """Whoever changes a head says so: none is ever left behind in memory."""
    watch = Watch(0, config())
    blocks = log().blocks
    for start in range(0, len(blocks), every):
        fold(watch, blocks[start : start + every])
        watch.keep(watch.drain().state)
        durable = content(watch)
        for name in watch.names():
            household = watch.household(name)
            assert encode_head(household.head) == durable[name]
            for half_year in household.pages:
                assert household.pages.raw[half_year] == durable[f"{name}/{half_year}"]


def test_a_reset_forgets_what_is_not_durable() -> None:
    blocks = log().blocks
    watch, _, _ = run(len(blocks) // 2, 4)
    fold(watch, blocks[len(blocks) // 2 :])
    watch.reset()
    fold(watch, blocks[len(blocks) // 2 :])
    watch.keep(watch.drain().state)
    assert content(watch) == whole()[0]


def test_a_clock_ahead_of_the_brokers_is_not_believed() -> None:
    watch, at = Watch(0, config()), 1_770_000_000_000
    tick = household_ticks([0], at + 365 * 86_400_000)[0].value or b""
    fold(watch, [(0, at, tick)])
    assert watch.known.kept.clock_ms == at


def test_what_is_no_block_stops() -> None:
    with pytest.raises(Stop):
        Watch(0, config()).fold(HOUSEHOLD_EVENTS, 0, 0, b"garbage")


def test_state_of_other_code_stops() -> None:
    watch, _, _ = run(20, 20)
    with pytest.raises(Stop, match="rebuild"):
        restored([Item(key.encode(), value) for key, value in watch.unfinished()])


@pytest.mark.parametrize("decoded", [1, 60_000])
def test_a_replaced_month_is_remembered_before_anything_of_it_came(decoded: int) -> None:
    """What is replaced counts for rows that come late, whatever the cache held and whoever started again since."""
    log = story(weeks=2)
    at = log.blocks[-1][1]
    body = BatchPartBody("medical.settlement", "b", 0, 1, "2025-03", (), "replace_period", 0, at)
    log.control(BatchPartRecord("", at, "feeds.medical.settlement.v1", 0, 0, body))
    watch = Watch(0, replace(config(), decoded_households=decoded))
    fold(watch, log.blocks[:-1])
    watch.keep(watch.drain().state)
    fold(watch, log.blocks[-1:])
    state = watch.drain().state
    watch.keep(state)
    for name in watch.names():
        again = restored(Item(key.encode(), raw) for key, raw in [*watch.records(), *watch.control_records()])
        assert again.household(name).head.floors["medical.settlement"] == {2025 * 12 + 2: at}
