"""Deadlines count Chinese working days, make-up days included; severity 4 counts hours."""

from datetime import date, datetime
from pathlib import Path

import pytest

from cases.deadlines import DEFAULT_FILE, Deadlines, default_deadlines, last_day
from cases.workdays import WorkCalendar
from schemas.calendar import SHANGHAI
from schemas.case_words import Lane, Step
from schemas.errors import DataError

LIMITS = default_deadlines()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "severity", "last"),
    [
        ("2026-05-14 09:00", 2, date(2026, 5, 21)),  # Thursday, five working days over one weekend
        ("2026-09-30 17:00", 3, date(2026, 10, 10)),  # National Day 10-01..07, then 8, 9 and Saturday 10, worked (调休)
        ("2026-02-13 10:00", 3, date(2026, 2, 25)),  # Saturday 14th is worked, then Spring Festival 15th to 23rd
    ],
)
def test_verification_is_due_after_working_days(start: str, severity: int, last: date) -> None:
    clock = LIMITS.clock(Step.VERIFY, Lane.HELP, severity, at(start))
    assert last_day(clock) == last
    assert not clock.natural


def test_severity_four_counts_hours_through_a_holiday() -> None:
    clock = LIMITS.clock(Step.VERIFY, Lane.HELP, 4, at("2026-10-01 20:00"))
    assert clock.due == at("2026-10-02 20:00")
    assert clock.natural


def test_review_has_its_own_pace() -> None:
    help_, review = (LIMITS.clock(Step.VERIFY, lane, 3, at("2026-05-14 09:00")) for lane in (Lane.HELP, Lane.REVIEW))
    assert last_day(help_) < last_day(review)


def test_what_was_left_before_a_pause_is_left_after_it() -> None:
    clock = LIMITS.clock(Step.VERIFY, Lane.HELP, 2, at("2026-05-14 09:00"))
    paused = LIMITS.paused(clock, at("2026-05-18 09:00"), date(2026, 6, 1))
    assert last_day(paused) == date(2026, 6, 4)  # three days were left on the 18th


def test_a_pause_does_not_revive_a_deadline_that_has_passed() -> None:
    clock = LIMITS.clock(Step.VERIFY, Lane.HELP, 4, at("2026-05-14 09:00"))
    assert LIMITS.paused(clock, at("2026-05-16 09:00"), date(2026, 6, 1)) == clock


def test_years_without_a_published_calendar_count_weekdays_unless_overridden() -> None:
    monday = date(2040, 1, 2)
    assert WorkCalendar().is_workday(monday)
    assert not WorkCalendar().known(monday)
    assert not WorkCalendar(off={monday}).is_workday(monday)
    assert WorkCalendar(work={date(2040, 1, 1)}).is_workday(date(2040, 1, 1))


def test_a_file_with_an_unknown_key_or_a_hole_is_refused(tmp_path: Path) -> None:
    text = DEFAULT_FILE.read_text(encoding="utf-8")
    for broken in (
        text.replace("contest_days", "contest_dayz"),
        text.replace("4: 24h, 3: 3d, 2: 5d,", ""),
        text.replace("3: 1d", "3: 一天"),
    ):
        path = tmp_path / "deadlines.yaml"
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(DataError, match="办理时限文件有误"):
            Deadlines.load(path)
