"""Full sizes: 200,000 events under 20 kills and 10 minutes of joins, 10,000 movers, 1,000,000 unwatched rows.

Run by `make acceptance`; the figures go to `docs/acceptance/faults.json`.
"""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from load_tests.chaos import scope
from load_tests.chaos.lab import lab
from load_tests.chaos.movers import one_and_two
from load_tests.chaos.story import Plan, live
from schemas.topics import HOUSEHOLD_EVENTS, MEMBERS, REJECTED, STATE
from tests.conftest import repository

pytestmark = [pytest.mark.live, pytest.mark.acceptance, pytest.mark.timeout(7200)]
FIGURES = repository() / "docs" / "acceptance" / "faults.json"
PLAN = Plan(
    households=1_350,
    small=6.0,
    weeks=32,
    pace=2_000.0,
    kills=20,
    joins_loaded=600.0,
    joins_idle=60.0,
    loaded_pace=130.0,
)
MILLION = 1_000_000


def noted(what: str, figures: dict[str, object]) -> None:
    """Adds figures to the file of the acceptance run."""
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.write_text(json.dumps({**known, what: figures}, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def test_twenty_kills_and_ten_minutes_of_joins(tmp_path: Path) -> None:
    story = live(tmp_path, PLAN)
    journal = story.journal
    noted(
        "faults",
        {
            "events": story.events,
            "plan": asdict(PLAN),
            "kills": journal.kills,
            "joins": journal.joins,
            "failpoints": sorted(journal.crashed),
            "thawed": journal.thawed,
            "slowest_stop_seconds": max(seconds for _, _, seconds in journal.stops),
            "seconds": journal.seconds,
            "rebuilt": story.rebuilt,
            "differences": story.differences[:50],
            "contradictions": story.contradictions[:50],
        },
    )
    assert story.events >= 200_000
    assert len(journal.kills) >= PLAN.kills
    assert not story.contradictions
    assert not story.differences
    assert not story.wiped


def test_ten_thousand_movers(tmp_path: Path) -> None:
    found = one_and_two(tmp_path, 10_000)
    noted("two_intakes", {"households": found.households, "episodes": found.episodes,
                          "differences": found.differences[:20]})  # fmt: skip
    assert found.shared
    assert not found.differences


def test_a_million_unwatched_rows(tmp_path: Path) -> None:
    with lab(tmp_path, workers=("intake", "monitor")) as made:
        made.begin(int(scope.NOW.timestamp() * 1000))
        made.publish(scope.families(100, made.config.partitions))
        made.quiet("intake", "monitor")
        topics = (STATE, MEMBERS, REJECTED, HOUSEHOLD_EVENTS)
        before = {topic: made.lag.ends(topic) for topic in topics}
        made.publish(scope.strangers(MILLION, made.config.partitions))
        made.quiet("intake", "monitor", seconds=900)
        after = {topic: made.lag.ends(topic) for topic in topics}
        noted("unwatched", {"rows": MILLION, "new_messages": {t: sum(after[t].values()) - sum(before[t].values())
                                                              for t in topics}})  # fmt: skip
        assert after == before
