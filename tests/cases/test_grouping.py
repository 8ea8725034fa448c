"""The parameters of grouping name rules that exist, and a file that leaves something open is refused."""

from pathlib import Path

import pytest

from cases.deadlines import DEFAULT_FILE, Deadlines, default_deadlines
from detectors.registry import load_detectors
from schemas.case_words import Lane, Outcome
from schemas.cases import AlertNote
from schemas.errors import DataError
from tests.cases.builders import alert

RULES = default_deadlines().editions[-1][1].grouping


def test_every_rule_named_is_a_rule() -> None:
    assert {*RULES.urgent.detectors, *RULES.heard} <= set(load_detectors())
    assert {"DISASTER-ACCIDENT", "CHILD-GUARDIAN"} <= set(RULES.urgent.detectors)


def test_only_what_was_found_out_cools_down() -> None:
    assert not {Outcome.UNREACHABLE, Outcome.HANDED_OVER, Outcome.CORRECTED} & set(RULES.cooldown_outcomes)


@pytest.mark.parametrize(
    ("more", "lane", "urgent"),
    [
        ({"severity": 4}, Lane.HELP, True),
        ({"severity": 3}, Lane.HELP, False),
        ({"severity": 1, "detector": "DISASTER-ACCIDENT"}, Lane.HELP, True),
        ({"severity": 1}, Lane.CHILD, True),
    ],
)
def test_what_is_urgent(more: dict[str, object], lane: Lane, *, urgent: bool) -> None:
    note = AlertNote.of(alert("a", **more))  # type: ignore[arg-type]
    assert RULES.is_urgent(note, lane) is urgent


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("merge_days: 30", "merge_day: 30"),
        ("heard: [HELP", "herd: [HELP"),
        ("[dibao,", "[nothing,"),
        ("severity: 4\n", "\n"),
    ],
)
def test_a_file_with_an_unknown_key_or_a_hole_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = DEFAULT_FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "deadlines.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match="办理时限文件有误"):
        Deadlines.load(path)
