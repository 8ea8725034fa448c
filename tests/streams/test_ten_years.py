"""Ten years as they were lived, checkpoint by checkpoint through restarts, and the same years replayed in one go."""

from streams.statelog import Item
from streams.watch import Watch
from tests.streams.making import alerts, config, content, fold, restored, story

WEEKS, RESTARTS, EVERY = 521, 10, 9


def test_ten_years_replayed_equal_live() -> None:
    """The same alerts with ids, revisions and words, and the same ledgers."""
    blocks = story(households=1, weeks=WEEKS).blocks
    watch, state, live = Watch(0, config()), list[Item](), dict[tuple[str, int], str]()
    for nth, start in enumerate(range(0, len(blocks), EVERY)):
        fold(watch, blocks[start : start + EVERY])
        drained = watch.drain()
        watch.keep(drained.state)
        state += drained.state
        live |= {(each.alert_id, each.revision): each.model_dump_json() for each in alerts(drained)}
        if nth % (len(blocks) // EVERY // RESTARTS) == 0:
            watch = restored(state)
    again = Watch(0, config())
    fold(again, blocks)
    drained = again.drain()
    again.keep(drained.state)
    replayed = {(each.alert_id, each.revision): each.model_dump_json() for each in alerts(drained)}
    assert len(live) > 20
    assert max(text[text.index('"on":') :][6:10] for text in live.values()) >= "2034"
    assert replayed == live
    assert content(again) == content(watch)
