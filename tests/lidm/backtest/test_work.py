"""Whom a draft reaches and whom it leaves is what was planned; the law asked about decides from when."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lidm.backtest.tally import ANY, Cell, Tally
from lidm.backtest.work import Answer, Question, back_test
from policy.bundle import Bundle
from policy.drafts import Law
from schemas.errors import DataError, Stop
from sinks.log_file import LogFile, save
from sinks.store import LogBlock
from tests.lidm.backtest.planned import (
    ABOVE,
    BETWEEN,
    FAR_ABOVE,
    FIRST,
    HIGHER,
    LAST,
    LOWER,
    REFUNDED,
    SPENT,
    blocks,
    bundle,
    homes,
    lined,
    lined_from,
    saved,
)
from tests.streams.making import POLICY, story

RULE = "MED-SELFPAY"
MIDDLE = date(2026, 6, 15)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> LogFile:
    return saved(tmp_path_factory.mktemp("log"))


def asked(log: LogFile, draft: Bundle, law: Law = "in-force", first: date = FIRST, last: date = LAST) -> Answer:
    return back_test(log, Question(draft, law, first, last))


def named(answer: Answer, outcome: str) -> set[str]:
    return {each.household for each in answer.tally.named if (each.detector, each.outcome) == (RULE, outcome)}


def whole(tally: Tally, detector: str = RULE) -> tuple[int, int, int, int]:
    counts = [count for cell, count in tally.cells.items() if cell.detector == detector]
    return (
        sum(each.before for each in counts), sum(each.after for each in counts),
        sum(each.gained for each in counts), sum(each.lost for each in counts),
    )  # fmt: skip


@pytest.mark.parametrize("law", ["in-force", "counterfactual"])
def test_an_unchanged_policy_gains_and_loses_nobody(log: LogFile, law: Law) -> None:
    answer = asked(log, bundle(), law)
    assert answer.tally.named == []
    assert whole(answer.tally) == (len(ABOVE) + len(FAR_ABOVE), len(ABOVE) + len(FAR_ABOVE), 0, 0)
    assert all(both.before == both.after for both in answer.tally.work.values())
    assert sum(answer.tally.households.values()) == len(SPENT)


def test_in_a_town_where_people_move_as_well(tmp_path: Path) -> None:
    moving = story(households=16, weeks=12)
    log = save(tmp_path / "log", [LogBlock("g1", 0, *block) for block in moving.blocks])
    plain: Any = Bundle.load(POLICY).plain()
    plain["schemes"]["CANJI_HULI"]["label"] = "护理补贴"  # so everything is folded twice
    answer = asked(log, Bundle(plain), first=date(2025, 6, 10), last=date(2025, 7, 20))
    assert answer.tally.named == []
    assert whole(answer.tally, ANY)[0] > 5
    assert all(both.before == both.after for both in (*answer.tally.work.values(), *answer.tally.standing.values()))


@pytest.mark.parametrize("law", ["in-force", "counterfactual"])
def test_a_lower_line_gains_exactly_those_between_the_lines(log: LogFile, law: Law) -> None:
    answer = asked(log, lined(LOWER), law)
    assert named(answer, "gained") == homes(BETWEEN) | homes(REFUNDED)
    assert named(answer, "lost") == set()
    both = len(ABOVE) + len(FAR_ABOVE)
    assert whole(answer.tally) == (both, both + len(BETWEEN) + len(REFUNDED), len(BETWEEN) + len(REFUNDED), 0)
    assert whole(answer.tally, ANY) == whole(answer.tally)
    assert {cell for cell in answer.tally.cells if cell.detector} == {Cell(RULE, "OTHER", "339901001000")}


def test_a_higher_line_loses_exactly_those_below_it(log: LogFile) -> None:
    answer = asked(log, lined(HIGHER))
    assert (named(answer, "gained"), named(answer, "lost")) == (set(), homes(ABOVE))


def test_in_force_a_draft_counts_from_its_own_day(log: LogFile) -> None:
    answer = asked(log, lined_from(LOWER, MIDDLE))
    assert answer.differs == MIDDLE
    assert named(answer, "gained") == homes(BETWEEN)
    assert {date.fromordinal(each.day) for each in answer.tally.named} == {MIDDLE}


def test_counterfactual_it_counts_throughout(log: LogFile) -> None:
    answer = asked(log, lined_from(LOWER, MIDDLE), "counterfactual")
    assert named(answer, "gained") == homes(BETWEEN) | homes(REFUNDED)
    days = {date.fromordinal(each.day) for each in answer.tally.named}
    assert max(days) < MIDDLE


def test_a_draft_for_later_differs_only_counterfactually(log: LogFile) -> None:
    later = lined_from(LOWER, date(2027, 1, 1))
    assert asked(log, later).tally.named == []
    assert named(asked(log, later, "counterfactual"), "gained") == homes(BETWEEN) | homes(REFUNDED)


def test_what_a_draft_takes_away_in_the_middle_is_lost_from_there(log: LogFile) -> None:
    answer = asked(log, lined_from(HIGHER, MIDDLE))
    assert named(answer, "lost") == homes(ABOVE)
    assert {date.fromordinal(each.day) for each in answer.tally.named} == {MIDDLE}


def test_what_began_before_the_window_stands_and_is_no_new_work(log: LogFile) -> None:
    answer = asked(log, lined(LOWER), "counterfactual", first=date(2026, 6, 20))
    assert named(answer, "gained") == homes(BETWEEN)
    (stands,) = answer.tally.standing.values()
    known = len(ABOVE) + len(FAR_ABOVE)
    assert (stands.before, stands.after) == (known, known + len(BETWEEN))
    assert answer.tally.work == {}


def test_work_lies_in_the_week_something_was_found(log: LogFile) -> None:
    answer = asked(log, lined_from(LOWER, MIDDLE))
    known = len(ABOVE) + len(FAR_ABOVE)
    found = {date.fromordinal(week): (both.before, both.after) for (_, week), both in answer.tally.work.items()}
    assert sum(before for before, _ in found.values()) == known
    assert found[MIDDLE] == (0, len(BETWEEN))


def test_a_log_in_two_generations_is_one_story(tmp_path: Path) -> None:
    halves: list[LogBlock] = []
    for partition in range(3):
        own = [each for each in blocks() if each.partition == partition]
        at = len(own) // 2
        halves += own[:at]
        halves += [each._replace(generation="g2", offset=each.offset - at) for each in own[at:]]
    log = save(tmp_path / "log", sorted(halves, key=_place))
    assert named(asked(log, lined(LOWER)), "gained") == homes(BETWEEN) | homes(REFUNDED)


def test_a_log_that_is_not_whole_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="分区1缺少3至3号消息"):
        asked(save(tmp_path / "a", [each for each in blocks() if (each.partition, each.offset) != (1, 3)]), bundle())
    with pytest.raises(Stop, match="缺少分区0"):
        asked(save(tmp_path / "b", [each for each in blocks() if each.partition != 0]), bundle())
    with pytest.raises(DataError, match="没有台账日志"):
        asked(save(tmp_path / "c", []), bundle())


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2027, 1, 1), date(2027, 2, 1), "台账日志只有 2026-05-04 至 2026-07-01"),
        (date(2020, 1, 1), date(2020, 2, 1), "没有"),
    ],
)
def test_a_window_without_records_says_so(log: LogFile, first: date, last: date, said: str) -> None:
    with pytest.raises(DataError, match=said):
        asked(log, bundle(), first=first, last=last)


def test_the_log_itself_is_left_as_it_is(log: LogFile) -> None:
    before = log.path.read_bytes()
    asked(log, lined(LOWER))
    assert log.path.read_bytes() == before


def _place(block: LogBlock) -> tuple[str, int, int]:
    return block.generation, block.partition, block.offset
