"""One partition twice: one while nothing can differ, the same with the same values, and cut where the span ends."""

from collections.abc import Collection, Iterable
from datetime import date

from detectors.registry import running
from households.state import Episode
from policy.bundle import Bundle
from schemas.facts import Bill
from schemas.records import Record, TickRecord, decode_block
from streams.backtest import Instead, Span, Twice, activated, fold_twice
from streams.control import day_of
from streams.rebuild import LoggedBlock
from streams.watch import Watch
from tests.streams.making import POLICY, config, content, fold, story

BLOCKS = [LoggedBlock("g1", 0, *block) for block in story(households=16, weeks=12).blocks]
RULE = "MED-SELFPAY"
FIRST, LAST = date(2025, 6, 10).toordinal(), date(2025, 7, 20).toordinal()


def same(bundle: Bundle) -> Bundle:
    return bundle


def lower(bundle: Bundle) -> Bundle:
    """Everybody's line at 1 yuan."""
    return bundle.narrowed("339901000000", "medical_selfpay", {"line": {"OTHER": 100, "DIBAO": 100}})


def twice(
    span: Span, instead: Instead = same, blocks: Iterable[LoggedBlock] = BLOCKS, rules: Collection[str] | None = None
) -> Twice:
    touched = {code: each for code, each in running().items() if rules is None or code in rules}
    return fold_twice(blocks, 0, config(), span, instead, touched)


def second(found: Twice) -> Watch:
    assert found.after is not None
    return found.after


def episodes(watch: Watch) -> dict[str, list[Episode]]:
    return {name: watch.household(name).head.episodes for name in watch.names()}


def ticks() -> list[int]:
    return [day_of(each.body.at_ms) for each in records(BLOCKS) if isinstance(each, TickRecord)]


def records(blocks: Iterable[LoggedBlock]) -> list[Record]:
    return [record for block in blocks for record in decode_block(block.block)]


def test_until_they_may_differ_both_are_what_the_monitor_has() -> None:
    never = LAST + 10_000
    found = twice(Span(FIRST, never, never), lower)
    watch = Watch(0, config())
    fold(watch, [(b.offset, b.known_at, b.block) for b in BLOCKS])
    for each in (watch, found.before, second(found)):
        each.keep(each.drain().state)
    assert content(found.before) == content(watch) == content(second(found))
    assert (found.begun, found.reached) == (min(ticks()), max(ticks()))


def test_with_the_same_values_they_come_to_the_same_also_where_people_move() -> None:
    found = twice(Span(FIRST, LAST, FIRST))
    assert episodes(found.before) == episodes(second(found))
    assert any("transfer" in block.block.decode("latin-1") for block in BLOCKS)


def test_with_other_values_ledgers_stay_the_same_and_episodes_do_not() -> None:
    found = twice(Span(FIRST, LAST, FIRST), lower)
    assert _facts(found.before) == _facts(second(found))
    assert episodes(found.before) != episodes(second(found))


def test_each_rule_answers_for_itself() -> None:
    together, alone = twice(Span(FIRST, LAST, FIRST), lower), twice(Span(FIRST, LAST, FIRST), lower, rules=[RULE])
    assert episodes(together.before) == episodes(alone.before)
    own = {name: [e for e in found if e.detector == RULE] for name, found in episodes(second(together)).items()}
    assert own == episodes(second(alone))
    assert any(own.values())


def test_where_no_rule_can_answer_otherwise_there_is_nothing_to_fold_twice() -> None:
    assert twice(Span(FIRST, LAST, FIRST), lower, rules=()).after is None


def test_what_is_known_after_the_span_is_not_known() -> None:
    found = twice(Span(FIRST, LAST, FIRST))
    cut = [block for block in BLOCKS if not _later(block, LAST)]
    assert len(cut) < len(BLOCKS)
    shorter = twice(Span(FIRST, LAST, FIRST), blocks=BLOCKS[: len(cut) + 1])
    assert episodes(found.before) == episodes(shorter.before)
    assert found.reached == LAST
    assert found.before.known.on == LAST


def test_a_log_that_began_again_at_offset_nought_goes_on() -> None:
    half = len(BLOCKS) // 2
    again = BLOCKS[:half] + [b._replace(generation="g2", offset=b.offset - half) for b in BLOCKS[half:]]
    one, other = twice(Span(FIRST, LAST, FIRST), lower), twice(Span(FIRST, LAST, FIRST), lower, again)
    assert episodes(second(one)) == episodes(second(other))


def test_a_span_before_the_log_has_no_day() -> None:
    early = date(2020, 1, 1).toordinal()
    found = twice(Span(early, early + 30, early))
    assert (found.begun, found.reached) == (None, None)


def test_bundles_are_told_with_the_day_they_came() -> None:
    (only,) = activated(BLOCKS, LAST)
    assert only.bundle.hash == Bundle.load(POLICY).hash
    assert only.day == min(ticks())


def _facts(watch: Watch) -> dict[str, list[str]]:
    """Bills of everybody, by household."""
    return {
        name: sorted(each.key for each in watch.household(name).of_kind(Bill)) for name in watch.names()
    }


def _later(block: LoggedBlock, day: int) -> bool:
    """Whether the block lies after the first tick of a later day."""
    over = next(b.offset for b in BLOCKS if any(isinstance(r, TickRecord) and day_of(r.body.at_ms) > day
                                                for r in decode_block(b.block)))  # fmt: skip
    return block.offset >= over
